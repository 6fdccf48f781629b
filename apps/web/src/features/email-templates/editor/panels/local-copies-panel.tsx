import { useRef } from "react";
import { Button } from "@/components/ui/button";
import { RelativeTime } from "@/components/ui/relative-time";
import type { Part } from "../draft/content";
import type { DraftStore } from "../draft/draft-store";
import type { LocalCopy } from "../draft/local-draft";
import { PartText } from "./part-text";

interface LocalCopiesPanelProps {
  draft: DraftStore;
  copies: LocalCopy[];
  part: Part;
}

/** Content that was replaced in the editor: to read, to copy from, or to use again. */
export function LocalCopiesPanel({ draft, copies, part }: LocalCopiesPanelProps) {
  const intro = useRef<HTMLParagraphElement>(null);
  const discard = (copy: LocalCopy) => {
    // The button that has the focus is about to be removed.
    intro.current?.focus();
    draft.removeCopy(copy);
  };
  const use = (copy: LocalCopy) => {
    draft.addCopy("Previous editor content", draft.snapshot().content);
    draft.removeCopy(copy);
    draft.replace(copy.content);
  };
  return (
    <div className="grid grid-cols-1 gap-6">
      <p ref={intro} tabIndex={-1} className="text-sm text-muted outline-none">
        {copies.length > 0
          ? "Copies are stored in this browser only. They are not part of the template and are never sent."
          : "There are no local copies."}
      </p>
      {copies.map((copy) => (
        <article key={copy.at} className="grid grid-cols-1 gap-3">
          <div className="flex flex-wrap items-center gap-2">
            <h2 className="grow text-sm font-semibold">
              {copy.name}
              <span className="block font-normal text-muted">
                Stored <RelativeTime at={copy.at} />
              </span>
            </h2>
            <Button size="small" onClick={() => use(copy)}>
              Use this copy
            </Button>
            <Button size="small" variant="danger-quiet" onClick={() => discard(copy)}>
              Discard
            </Button>
          </div>
          <PartText content={copy.content} part={part} name={copy.name} />
        </article>
      ))}
    </div>
  );
}
