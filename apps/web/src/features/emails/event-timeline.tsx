import { useId } from "react";
import type { EmailEvent } from "@/client/types.gen";
import { Actor } from "@/components/actor";
import { exactTime } from "@/lib/time";
import { eventWords } from "./status-labels";

/** What happened to a message, step by step. */
export function Timeline({ events }: { events: EmailEvent[] }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="grid gap-3">
      <h3 id={id} className="font-semibold">
        What happened
      </h3>
      <ol aria-labelledby={id} className="grid gap-4 border-l-2 border-line pl-4 text-sm">
        {events.map((event, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: steps are only added, and only at the end.
          <li key={place} className="grid gap-0.5 wrap-anywhere">
            <p className="font-medium">{eventWords(event)}</p>
            {typeof event.detail.words === "string" ? <p>{event.detail.words}</p> : null}
            {typeof event.detail.link === "string" ? <p className="text-muted">{event.detail.link}</p> : null}
            <p className="text-muted">
              {typeof event.detail.by === "string" ? (
                <>
                  <Actor name={event.detail.by} />,{" "}
                </>
              ) : null}
              <time dateTime={event.at}>{exactTime(new Date(event.at))}</time>
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}
