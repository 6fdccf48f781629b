import { useEffect, useState } from "react";
import { fullTime, timeAgo } from "@/lib/time";

const MINUTE = 60_000;

/** A moment as people say it; the exact one shows on hover and is read out. */
export function RelativeTime({ at }: { at: string }) {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), MINUTE);
    return () => clearInterval(timer);
  }, []);
  const moment = new Date(at);
  return (
    <time dateTime={at} title={fullTime(moment)}>
      {timeAgo(moment, now > moment ? now : moment)}
      <span className="sr-only"> ({fullTime(moment)})</span>
    </time>
  );
}
