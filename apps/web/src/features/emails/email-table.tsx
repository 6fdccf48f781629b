import { Link } from "@tanstack/react-router";
import type { Ref } from "react";
import type { Email } from "@/client/types.gen";
import { RelativeTime } from "@/components/ui/relative-time";
import { Cell, ROW_LINK, Row, Table } from "@/components/ui/table";
import { displaySubject } from "./email-state";
import { StatusBadge } from "./status-badge";

interface EmailTableProps {
  items: Email[];
  stale: boolean;
  ref: Ref<HTMLTableElement>;
}

export function EmailTable({ items, stale, ref }: EmailTableProps) {
  return (
    <Table
      ref={ref}
      label="Emails, newest first"
      columns={["To", "Status", "Template", "Queued"]}
      stale={stale}
    >
      {items.map((email) => (
        <Row key={email.id}>
          <Cell className="max-w-0 max-md:max-w-none md:w-1/2">
            <Link
              to="/settings/emails"
              search={(before) => ({ ...before, email: email.id })}
              resetScroll={false}
              data-row={email.id}
              className={`${ROW_LINK} block truncate`}
            >
              {email.to}
            </Link>
            <p className="truncate text-muted">{displaySubject(email)}</p>
          </Cell>
          <Cell>
            <StatusBadge status={email.status} />
          </Cell>
          <Cell className="wrap-anywhere text-muted">
            <span className="font-mono text-xs">{email.template}</span>
          </Cell>
          <Cell className="text-muted md:whitespace-nowrap">
            <RelativeTime at={email.created_at} />
          </Cell>
        </Row>
      ))}
    </Table>
  );
}
