import type { Ref } from "react";
import type { ApiKey } from "@/client/types.gen";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { RelativeTime } from "@/components/ui/relative-time";
import { Cell, Row, Table } from "@/components/ui/table";

/** What can be done with a key. */
export type KeyAction = "take-over" | "revoke";

interface ApiKeyTableProps {
  items: ApiKey[];
  /** The id of the current user. */
  userId: string;
  /** The id of the key that is being changed. */
  busy: string | undefined;
  onAct: (action: KeyAction, key: ApiKey) => void;
  ref: Ref<HTMLTableElement>;
}

export function ApiKeyTable({ items, userId, busy, onAct, ref }: ApiKeyTableProps) {
  return (
    <Table
      ref={ref}
      label="API keys, newest first"
      columns={["Name", "Owner", "Status", "Last used", { hidden: "Actions" }]}
    >
      {items.map((key) => (
        <Row key={key.id}>
          <Cell className="wrap-anywhere md:w-1/3">
            <p className="font-medium">{key.name}</p>
            <p className="text-muted">
              <code>{key.prefix}…</code> {key.scopes.join(", ")}
            </p>
          </Cell>
          <Cell name="Owner" className="wrap-anywhere">
            {ownerOf(key, userId)}
          </Cell>
          <Cell>
            <Status apiKey={key} />
          </Cell>
          <Cell name="Last used">{key.last_used_at ? <RelativeTime at={key.last_used_at} /> : "Never"}</Cell>
          <Cell className="max-md:ml-auto md:text-right">
            <Actions apiKey={key} own={key.owner_id === userId} busy={busy === key.id} onAct={onAct} />
          </Cell>
        </Row>
      ))}
    </Table>
  );
}

function ownerOf(key: ApiKey, userId: string): string {
  if (key.owner_id === userId) return "You";
  if (key.owner_id === null) return "The command line";
  return key.owner_email ?? "A deleted user";
}

function Status({ apiKey: key }: { apiKey: ApiKey }) {
  if (key.revoked_at) return <Badge tone="quiet">Revoked</Badge>;
  if (key.expires_at && Date.parse(key.expires_at) <= Date.now()) return <Badge tone="quiet">Expired</Badge>;
  return key.suspended_at ? <Badge tone="danger">Suspended</Badge> : <Badge tone="brand">Active</Badge>;
}

interface ActionsProps {
  apiKey: ApiKey;
  own: boolean;
  busy: boolean;
  onAct: (action: KeyAction, key: ApiKey) => void;
}

function Actions({ apiKey: key, own, busy, onAct }: ActionsProps) {
  if (key.revoked_at) return null;
  return (
    <span className="inline-flex flex-wrap justify-end gap-2">
      {own && !key.suspended_at ? null : (
        <Button
          size="small"
          busy={busy}
          aria-label={`Take over ${key.name}`}
          onClick={() => onAct("take-over", key)}
        >
          Take over
        </Button>
      )}
      <Button
        size="small"
        data-row={key.id}
        busy={busy}
        aria-label={`Revoke ${key.name}`}
        onClick={() => onAct("revoke", key)}
      >
        Revoke
      </Button>
    </span>
  );
}
