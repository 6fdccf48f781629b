import { useEffect, useState } from "react";
import { fullTime, timeAgo } from "@/lib/time";

const MINUTE = 60_000;

/** How long ago a date was. The exact time is shown on hover and read by screen readers. */
export function RelativeTime({ at }: { at: string }) {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), MINUTE);
    return () => clearInterval(timer);
  }, []);
  const date = new Date(at);
  return (
    <time dateTime={at} title={fullTime(date)}>
      {timeAgo(date, now > date ? now : date)}
      <span className="sr-only"> ({fullTime(date)})</span>
    </time>
  );
}
