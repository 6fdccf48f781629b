import type { TemplateEntry } from "@/client/types.gen";
import { Confirm } from "@/components/confirm";
import { languageName } from "@/lib/languages";

interface RemoveTemplateDialogProps {
  template: TemplateEntry | null;
  onConfirm: (template: TemplateEntry) => void;
  onClose: () => void;
}

/** Asks before a custom template is deleted or a built-in one is reset. */
export function RemoveTemplateDialog({ template, onConfirm, onClose }: RemoveTemplateDialogProps) {
  const custom = template?.source === "custom";
  return (
    <Confirm
      open={template !== null}
      title={custom ? `Delete “${template.name}”?` : `Reset “${template?.name ?? ""}”?`}
      description={
        custom
          ? "Your application can no longer send this template."
          : "Emails use the built-in template again."
      }
      action={custom ? `Delete ${template.key}` : `Reset ${template?.key ?? ""}`}
      danger
      onClose={onClose}
      onConfirm={() => template && onConfirm(template)}
    >
      {template ? <Consequences template={template} /> : null}
    </Confirm>
  );
}

function Consequences({ template }: { template: TemplateEntry }) {
  const languages = new Intl.ListFormat("en").format(template.changed.map(languageName));
  return (
    <dl className="grid gap-3 text-sm">
      <div>
        <dt className="font-medium">What is deleted</dt>
        <dd className="text-muted">
          {template.source === "custom" ? "The template" : "Your changes"} in {languages || "every language"},
          drafts included, and the sample data.
        </dd>
      </div>
      <div>
        <dt className="font-medium">What stays</dt>
        <dd className="text-muted">
          The record of published versions, and emails that are already queued: their content does not change.
        </dd>
      </div>
    </dl>
  );
}
