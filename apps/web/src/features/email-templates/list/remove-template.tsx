import type { TemplateEntry } from "@/client/types.gen";
import { Confirm } from "@/components/confirm";
import { languageName } from "@/lib/languages";

interface RemoveTemplateProps {
  template: TemplateEntry | null;
  onConfirm: (template: TemplateEntry) => void;
  onClose: () => void;
}

/** Asks before a template is deleted or reset: says what is lost, and what stays. */
export function RemoveTemplate({ template, onConfirm, onClose }: RemoveTemplateProps) {
  const custom = template?.source === "custom";
  return (
    <Confirm
      open={template !== null}
      title={custom ? `Delete ${template.name}?` : `Reset ${template?.name ?? ""}?`}
      description={
        custom
          ? "Whatever asks for this template by its key is refused from then on."
          : "From then on mail goes out in the words that came with Gatepost."
      }
      action={custom ? `Delete ${template.key}` : `Reset ${template?.key ?? ""}`}
      danger
      dismiss="Keep it"
      onClose={onClose}
      onConfirm={() => template && onConfirm(template)}
    >
      {template ? <WhatBecomesOfIt template={template} /> : null}
    </Confirm>
  );
}

function WhatBecomesOfIt({ template }: { template: TemplateEntry }) {
  const languages = new Intl.ListFormat("en").format(template.changed.map(languageName));
  return (
    <dl className="grid gap-3 text-sm">
      <div>
        <dt className="font-medium">What is lost</dt>
        <dd className="text-muted">
          {template.source === "custom" ? "The template" : "Your own words"} in{" "}
          {languages || "every language"}: drafts, and the values to preview it with.
        </dd>
      </div>
      <div>
        <dt className="font-medium">What stays</dt>
        <dd className="text-muted">
          The published versions, for the record, and mail that is queued already: it keeps its words.
        </dd>
      </div>
    </dl>
  );
}
