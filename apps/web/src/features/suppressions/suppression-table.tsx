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
  /** The one that is being taken off the list. */
  removing: string | undefined;
  onRemove: (suppression: Suppression) => void;
  ref: Ref<HTMLTableElement>;
}

export function SuppressionTable({ items, stale, removing, onRemove, ref }: SuppressionTableProps) {
  return (
    <Table
      ref={ref}
      label="Suppressed addresses, the newest first"
      columns={["Address", "Why", "Since", ".Actions"]}
      stale={stale}
    >
      {items.map((each) => (
        <Row key={each.id}>
          <Cell className="font-medium wrap-anywhere md:w-1/3">{each.email}</Cell>
          <Cell className="wrap-anywhere">
            <Why suppression={each} />
          </Cell>
          <Cell>
            <span className="inline-grid">
              <RelativeTime at={each.created_at} />
              <span className="text-muted wrap-anywhere">
                <Actor name={each.created_by} />
              </span>
            </span>
          </Cell>
          <Cell className="max-md:ml-auto md:text-right">
            <Button
              size="small"
              data-row={each.id}
              busy={removing === each.id}
              aria-label={`Take off ${each.email}`}
              onClick={() => onRemove(each)}
            >
              Take off
            </Button>
          </Cell>
        </Row>
      ))}
    </Table>
  );
}

function Why({ suppression: { reason, note, email, email_id } }: { suppression: Suppression }) {
  const { word, tone } = REASONS[reason];
  return (
    <div className="grid justify-items-start gap-1">
      <Badge tone={tone}>{word}</Badge>
      {note ? <p>{note}</p> : null}
      {email_id ? (
        <Link
          to="/settings/emails"
          search={{ email: email_id }}
          aria-label={`The message to ${email}`}
          className={`inline-flex min-h-6 items-center ${TEXT_LINK}`}
        >
          The message
        </Link>
      ) : null}
    </div>
  );
}
