import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { EmailTemplate, VersionEntry } from "@/client/types.gen";
import { Alert } from "@/components/ui/alert";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { RelativeTime } from "@/components/ui/relative-time";
import { getErrorMessage } from "@/lib/errors";
import { languageName } from "@/lib/languages";
import { version as versionOf, versions } from "../../queries";
import { copyOf, standing } from "../draft/current-source";
import type { Desk, DeskState } from "../draft/draft-store";
import { By } from "../draft/source-label";
import { useRestore } from "../mutations";
import { Changes } from "./changes";

interface VersionsProps {
  open: boolean;
  template: EmailTemplate;
  desk: Desk;
  state: DeskState;
  me: string;
  onClose: () => void;
}

/** Everything that was ever published in this language: to compare, and to have back as a draft. */
export function Versions({ open, onClose, ...props }: VersionsProps) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      wide
      title={`Versions in ${languageName(props.template.locale)}`}
      description="What was ever published stays. Restoring one makes a draft of it; nothing is sent differently until you publish."
    >
      <List {...props} onClose={onClose} />
      <Button className="justify-self-end" onClick={onClose}>
        Close
      </Button>
    </Dialog>
  );
}

function List({ template, ...props }: Omit<VersionsProps, "open">) {
  const list = useQuery(versions(template.key, template.locale));
  const [shown, setShown] = useState<number | null>(null);
  if (list.error && !list.data) {
    return <Alert tone="danger">The versions could not be loaded. {getErrorMessage(list.error)}</Alert>;
  }
  if (!list.data) return <p role="status">Loading the versions…</p>;
  if (list.data.items.length === 0) {
    return <p className="text-sm text-muted">Nothing was published in this language yet.</p>;
  }
  return (
    <ul
      aria-label="Versions, the newest first"
      className="divide-y divide-line rounded-lg border border-line"
    >
      {list.data.items.map((entry) => (
        <li key={entry.version} className="grid grid-cols-1">
          <Row
            entry={entry}
            me={props.me}
            open={shown === entry.version}
            onToggle={() => setShown(shown === entry.version ? null : entry.version)}
          />
          {shown === entry.version ? <One {...props} template={template} entry={entry} /> : null}
        </li>
      ))}
    </ul>
  );
}

interface RowProps {
  entry: VersionEntry;
  me: string;
  open: boolean;
  onToggle: () => void;
}

function Row({ entry, me, open, onToggle }: RowProps) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-3 text-sm">
      <span className="font-medium">Version {entry.version}</span>
      {entry.current ? <Badge tone="brand">Sent now</Badge> : null}
      <span className="min-w-0 grow text-muted wrap-anywhere">
        <RelativeTime at={entry.published_at} /> by <By actor={entry.published_by} me={me} />
      </span>
      <Button
        size="small"
        aria-expanded={open}
        aria-label={open ? `Hide version ${entry.version}` : `Compare version ${entry.version}`}
        onClick={onToggle}
      >
        {open ? "Hide" : "Compare"}
      </Button>
    </div>
  );
}

function One({
  template,
  entry,
  desk,
  state,
  onClose,
}: Omit<VersionsProps, "open"> & { entry: VersionEntry }) {
  const found = useQuery(versionOf(template.key, template.locale, entry.version));
  const restore = useRestore(template);
  const [asked, setAsked] = useState(false);
  if (found.error) return <Alert tone="danger">{getErrorMessage(found.error)}</Alert>;
  if (!found.data) return <p className="px-4 pb-4 text-sm text-muted">Loading…</p>;
  const run = () =>
    restore.mutate(
      { version: entry.version, etag: state.base.etag },
      {
        onSuccess: (restored) => {
          if (state.dirty) desk.setAside("Your words, before a version was restored", state.copy);
          const now = standing(restored);
          desk.put(now.copy, now);
          onClose();
        },
      },
    );
  return (
    <div className="grid grid-cols-1 gap-4 border-t border-line px-4 py-4">
      <p className="text-sm text-muted">From version {entry.version} to what is in the editor:</p>
      <Changes before={copyOf(found.data)} after={state.copy} />
      {restore.error ? (
        <Alert tone="danger">It was not restored. {getErrorMessage(restore.error)}</Alert>
      ) : null}
      {asked ? (
        <Alert tone="notice">
          You have unsaved changes. They will be kept beside the editor, under “Set aside”.
        </Alert>
      ) : null}
      <Button
        variant="primary"
        className="justify-self-start"
        busy={restore.isPending}
        onClick={() => (state.dirty && !asked ? setAsked(true) : run())}
      >
        {asked ? `Set mine aside and restore version ${entry.version}` : `Restore version ${entry.version}`}
      </Button>
    </div>
  );
}
