import { describe, expect, it } from "vitest";

import { dayOf, due, inUtc, localDay, shortDate, storedDay } from "@/tasks/day";

// Tests run in Tokyo's zone: this moment is still the 22nd in UTC.
const NOW = new Date("2026-11-23T01:00:00+09:00");

describe("a due date", () => {
  it("is the same day after storing and reading, in any zone", () => {
    expect(dayOf(storedDay("2026-11-23"))).toBe("2026-11-23");
    expect(dayOf("2026-11-23T00:00:00")).toBe("2026-11-23");
  });

  it.each([
    ["2026-11-21T00:00:00Z", "overdue", "Due 21 Nov"],
    ["2026-11-22T00:00:00Z", "overdue", "Due yesterday"],
    ["2026-11-23T00:00:00Z", "today", "Due today"],
    ["2026-11-24T00:00:00", "later", "Due tomorrow"],
    ["2026-12-01T00:00:00Z", "later", "Due 1 Dec"],
    ["2026-11-23T15:00:00Z", "today", "Due today, 15:00"],
    ["2026-11-24T23:59:00Z", "later", "Due tomorrow, 23:59"],
    ["2027-01-05T00:00:00Z", "later", "Due 5 Jan 2027"],
  ])("%s is %s: %s", (stored, state, text) => {
    expect(due(stored, NOW)).toEqual({ state, text });
  });
});

it("the reader's day is local, over the ends of months too", () => {
  expect(localDay(NOW)).toBe("2026-11-23");
  expect(localDay(NOW, 8)).toBe("2026-12-01");
});

it("a stored time without a zone is UTC", () => {
  expect(inUtc("2026-11-22T20:00:00").toISOString()).toBe("2026-11-22T20:00:00.000Z");
  expect(inUtc("2026-11-22T20:00:00+09:00").toISOString()).toBe("2026-11-22T11:00:00.000Z");
  expect(shortDate("2026-11-22T20:00:00", NOW)).toBe("23 Nov");
});
