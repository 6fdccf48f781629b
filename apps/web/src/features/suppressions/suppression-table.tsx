import { Link } from "@tanstack/react-router";
import type { Ref } from "react";
import type { Suppression } from "@/client/types.gen";
import { Actor } from "@/components/actor";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { RelativeTime } from "@/components/ui/relative-time";
import { Cell, Row, Table } from "@/components/ui/table";
import { TEXT_LINK } from "@/components/ui/text-link";
import { REASONS } from "./reason-labels";

interface SuppressionTableProps {
  items: Suppression[];
  stale: boolean;
  /** The id of the suppression that is being removed. */
  removing: string | undefined;
  onRemove: (suppression: Suppression) => void;
  ref: Ref<HTMLTableElement>;
}

export function SuppressionTable({ items, stale, removing, onRemove, ref }: SuppressionTableProps) {
  return (
    <Table
      ref={ref}
      label="Suppressed email addresses, newest first"
      columns={["Email address", "Reason", "Added", { hidden: "Actions" }]}
      stale={stale}
    >
      {items.map((suppression) => (
        <Row key={suppression.id}>
          <Cell className="font-medium wrap-anywhere md:w-1/3">{suppression.email}</Cell>
          <Cell className="wrap-anywhere">
            <Reason suppression={suppression} />
          </Cell>
          <Cell>
            <span className="inline-grid">
              <RelativeTime at={suppression.created_at} />
              <span className="text-muted wrap-anywhere">
                <Actor name={suppression.created_by} />
              </span>
            </span>
          </Cell>
          <Cell className="max-md:ml-auto md:text-right">
            <Button
              size="small"
              data-row={suppression.id}
              busy={removing === suppression.id}
              aria-label={`Remove ${suppression.email}`}
              onClick={() => onRemove(suppression)}
            >
              Remove
            </Button>
          </Cell>
        </Row>
      ))}
    </Table>
  );
}

function Reason({ suppression: { reason, note, email, email_id } }: { suppression: Suppression }) {
  const { label, tone } = REASONS[reason];
  return (
    <div className="grid justify-items-start gap-1">
      <Badge tone={tone}>{label}</Badge>
      {note ? <p>{note}</p> : null}
      {email_id ? (
        <Link
          to="/settings/emails"
          search={{ email: email_id }}
          aria-label={`Show the email to ${email}`}
          className={`inline-flex min-h-6 items-center ${TEXT_LINK}`}
        >
          Show the email
        </Link>
      ) : null}
    </div>
  );
}
