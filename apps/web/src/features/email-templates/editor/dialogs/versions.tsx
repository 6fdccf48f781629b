import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { VersionEntry } from "@/client/types.gen";
import { Alert } from "@/components/ui/alert";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { RelativeTime } from "@/components/ui/relative-time";
import { getErrorMessage } from "@/lib/errors";
import { languageName } from "@/lib/languages";
import { useRestoreVersion } from "../../mutations";
import { versionQuery, versionsQuery } from "../../queries";
import { contentOf } from "../draft/content";
import { currentSource } from "../draft/current-source";
import { ActorOrYou } from "../draft/source-label";
import type { EditorState } from "../use-editor";
import { Changes } from "./changes";

/** The published versions in this language: to compare, and to restore as a draft. */
export function VersionsDialog({ editor }: { editor: EditorState }) {
  const { template, dialog, closeDialog } = editor;
  return (
    <Dialog
      open={dialog === "versions"}
      onClose={closeDialog}
      wide
      title={`Versions in ${languageName(template.locale)}`}
      description="Restoring a version makes it the draft. Emails change only when you publish the draft."
    >
      <VersionList editor={editor} />
      <Button className="justify-self-end" onClick={closeDialog}>
        Close
      </Button>
    </Dialog>
  );
}

function VersionList({ editor }: { editor: EditorState }) {
  const { template, me } = editor;
  const list = useQuery(versionsQuery(template.key, template.locale));
  const [shown, setShown] = useState<number | null>(null);
  if (list.error && !list.data) {
    return <Alert tone="danger">The versions could not be loaded. {getErrorMessage(list.error)}</Alert>;
  }
  if (!list.data) return <p role="status">Loading the versions…</p>;
  if (list.data.items.length === 0) {
    return <p className="text-sm text-muted">No version has been published in this language.</p>;
  }
  return (
    <ul aria-label="Versions, newest first" className="divide-y divide-line rounded-lg border border-line">
      {list.data.items.map((entry) => (
        <li key={entry.version} className="grid grid-cols-1">
          <VersionRow
            entry={entry}
            me={me.id}
            open={shown === entry.version}
            onToggle={() => setShown(shown === entry.version ? null : entry.version)}
          />
          {shown === entry.version ? <VersionDetails editor={editor} version={entry.version} /> : null}
        </li>
      ))}
    </ul>
  );
}

interface VersionRowProps {
  entry: VersionEntry;
  me: string;
  open: boolean;
  onToggle: () => void;
}

function VersionRow({ entry, me, open, onToggle }: VersionRowProps) {
  const { version, current, published_at: publishedAt, published_by: publishedBy } = entry;
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-3 text-sm">
      <span className="font-medium">Version {version}</span>
      {current ? <Badge tone="brand">In use</Badge> : null}
      <span className="min-w-0 grow text-muted wrap-anywhere">
        <RelativeTime at={publishedAt} /> by <ActorOrYou actor={publishedBy} me={me} />
      </span>
      <Button
        size="small"
        aria-expanded={open}
        aria-label={open ? `Hide version ${version}` : `Compare version ${version}`}
        onClick={onToggle}
      >
        {open ? "Hide" : "Compare"}
      </Button>
    </div>
  );
}

function VersionDetails({ editor, version }: { editor: EditorState; version: number }) {
  const { template, draft, state, closeDialog } = editor;
  const loaded = useQuery(versionQuery(template.key, template.locale, version));
  const restore = useRestoreVersion(template);
  const [warned, setWarned] = useState(false);
  if (loaded.error) return <Alert tone="danger">{getErrorMessage(loaded.error)}</Alert>;
  if (!loaded.data) return <p className="px-4 pb-4 text-sm text-muted">Loading…</p>;
  const handleRestore = () => {
    if (state.dirty && !warned) return setWarned(true);
    restore.mutate(
      { version, etag: state.base.etag },
      {
        onSuccess: (restored) => {
          if (state.dirty) {
            draft.addCopy(`Your changes, before version ${version} was restored`, state.content);
          }
          const current = currentSource(restored);
          draft.replace(current.content, current);
          closeDialog();
        },
      },
    );
  };
  return (
    <div className="grid grid-cols-1 gap-4 border-t border-line px-4 py-4">
      <p className="text-sm text-muted">Changes from version {version} to the content of the editor:</p>
      <Changes before={contentOf(loaded.data)} after={state.content} />
      {restore.error ? (
        <Alert tone="danger">The version could not be restored. {getErrorMessage(restore.error)}</Alert>
      ) : null}
      {warned ? (
        <Alert tone="notice">You have unsaved changes. They will be stored under “Local copies”.</Alert>
      ) : null}
      <Button
        variant="primary"
        className="justify-self-start"
        busy={restore.isPending}
        onClick={handleRestore}
      >
        {warned ? `Store my changes and restore version ${version}` : `Restore version ${version}`}
      </Button>
    </div>
  );
}
