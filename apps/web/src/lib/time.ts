const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const toMinute = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const toSecond = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });
const timeOfDay = new Intl.DateTimeFormat("en", { timeStyle: "medium" });

/** Returns how long ago a date was: "just now", "3 minutes ago", "yesterday". A date ahead of `now` is "just now". */
export function timeAgo(date: Date, now: Date): string {
  const seconds = Math.round((now.getTime() - date.getTime()) / 1000);
  for (const [unit, size] of UNITS) {
    if (seconds >= size) return relative.format(-Math.floor(seconds / size), unit);
  }
  return "just now";
}

/** Returns the date and the time, to the minute. */
export function fullTime(date: Date): string {
  return toMinute.format(date);
}

/** Returns the date and the time, to the second. */
export function exactTime(date: Date): string {
  return toSecond.format(date);
}

/** Returns the time of day, to the second. */
export function clockTime(date: Date): string {
  return timeOfDay.format(date);
}
