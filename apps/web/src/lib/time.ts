const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const absolute = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

const exact = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat("en", { timeStyle: "medium" });

/** "just now", "3 minutes ago", "yesterday": how long ago a moment was; clocks that differ a little do not show. */
export function timeAgo(moment: Date, now: Date): string {
  const seconds = Math.round((now.getTime() - moment.getTime()) / 1000);
  for (const [unit, size] of UNITS) {
    if (seconds >= size) return relative.format(-Math.floor(seconds / size), unit);
  }
  return "just now";
}

export function fullTime(moment: Date): string {
  return absolute.format(moment);
}

/** The same to the second: where steps follow each other closely. */
export function exactTime(moment: Date): string {
  return exact.format(moment);
}

/** The time of day, to the second. */
export function clockTime(moment: Date): string {
  return clock.format(moment);
}
