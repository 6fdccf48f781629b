import { describe, expect, it } from "vitest";
import { fullTime, timeAgo } from "@/lib/time";

const NOW = new Date("2026-03-31T12:00:00Z");
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe("timeAgo", () => {
  it.each([
    [0, "just now"],
    [59, "just now"],
    [59.4, "just now"],
    [59.5, "1 minute ago"],
    [MINUTE, "1 minute ago"],
    [2 * MINUTE - 1, "1 minute ago"],
    [2 * MINUTE, "2 minutes ago"],
    [HOUR - 1, "59 minutes ago"],
    [HOUR, "1 hour ago"],
    [DAY - 1, "23 hours ago"],
    [DAY, "yesterday"],
    [2 * DAY - 1, "yesterday"],
    [2 * DAY, "2 days ago"],
    [7 * DAY - 1, "6 days ago"],
    [7 * DAY, "last week"],
    [14 * DAY, "2 weeks ago"],
    [30 * DAY - 1, "4 weeks ago"],
    [30 * DAY, "last month"],
    [60 * DAY, "2 months ago"],
    [365 * DAY - 1, "12 months ago"],
    [365 * DAY, "last year"],
    [730 * DAY, "2 years ago"],
  ])("describes %d seconds ago: %s", (seconds, expected) =>
    expect(timeAgo(new Date(NOW.getTime() - seconds * 1000), NOW)).toBe(expected),
  );

  it("does not show that another clock is ahead", () => {
    expect(timeAgo(new Date(NOW.getTime() + 1), NOW)).toBe("just now");
    expect(timeAgo(new Date(NOW.getTime() + 3 * DAY * 1000), NOW)).toBe("just now");
  });
});

describe("fullTime", () => {
  it("is the date and the time in the user's time zone", () => {
    // Browsers use different kinds of spaces before PM.
    expect(fullTime(new Date(2026, 2, 1, 14, 5, 59)).replace(/\s/g, " ")).toBe("Mar 1, 2026, 2:05 PM");
  });
});
