import { useRef } from "react";
import { Button } from "@/components/ui/button";
import { RelativeTime } from "@/components/ui/relative-time";
import type { Part } from "../draft/content";
import type { Desk } from "../draft/draft-store";
import type { Aside } from "../draft/local-draft";
import { OtherWords } from "./part-text";

interface SetAsideProps {
  desk: Desk;
  asides: Aside[];
  part: Part;
}

/** Words that were not chosen: to read, to copy from, or to take after all. */
export function SetAside({ desk, asides, part }: SetAsideProps) {
  const intro = useRef<HTMLParagraphElement>(null);
  const drop = (aside: Aside) => {
    // The button goes.
    intro.current?.focus();
    desk.dropAside(aside);
  };
  const take = (aside: Aside) => {
    desk.setAside("What was in the editor", desk.snapshot().copy);
    desk.dropAside(aside);
    desk.put(aside.copy);
  };
  return (
    <div className="grid grid-cols-1 gap-6">
      <p ref={intro} tabIndex={-1} className="text-sm text-muted outline-none">
        {asides.length > 0
          ? "Kept in this browser until you discard it. Nothing here is saved or sent."
          : "Nothing is set aside any more."}
      </p>
      {asides.map((aside) => (
        <article key={aside.at} className="grid grid-cols-1 gap-3">
          <div className="flex flex-wrap items-center gap-2">
            <h2 className="grow text-sm font-semibold">
              {aside.name}
              <span className="block font-normal text-muted">
                set aside <RelativeTime at={aside.at} />
              </span>
            </h2>
            <Button size="small" onClick={() => take(aside)}>
              Use these words
            </Button>
            <Button size="small" variant="danger-quiet" onClick={() => drop(aside)}>
              Discard
            </Button>
          </div>
          <OtherWords copy={aside.copy} part={part} name={aside.name} />
        </article>
      ))}
    </div>
  );
}
