import { useId } from "react";
import type { EmailEvent } from "@/client/types.gen";
import { Actor } from "@/components/actor";
import { exactTime } from "@/lib/time";
import { eventLabel } from "./status-labels";

/** What happened to an email, event by event. */
export function EventTimeline({ events }: { events: EmailEvent[] }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="grid gap-3">
      <h3 id={id} className="font-semibold">
        Events
      </h3>
      <ol aria-labelledby={id} className="grid gap-4 border-l-2 border-line pl-4 text-sm">
        {events.map((event, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: events are only added, and only at the end.
          <li key={index} className="grid gap-0.5 wrap-anywhere">
            <p className="font-medium">{eventLabel(event)}</p>
            {typeof event.detail.message === "string" ? <p>{event.detail.message}</p> : null}
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
