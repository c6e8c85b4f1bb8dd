import { expect, it } from "vitest";

import { ago } from "@/chat/ago";

const NOW = new Date("2026-11-23T10:00:00+09:00");

it.each([
  ["2026-11-23T09:59:30+09:00", "just now"],
  ["2026-11-23T10:00:05+09:00", "just now"],
  ["2026-11-23T09:15:00+09:00", "45 m"],
  ["2026-11-23T01:00:00+09:00", "9 h"],
  ["2026-11-22T23:00:00+09:00", "yesterday"],
  ["2026-11-20T10:00:00+09:00", "3 d"],
  ["2026-11-02T10:00:00+09:00", "2 Nov"],
  ["2025-11-02T10:00:00+09:00", "2 Nov 2025"],
])("%s was %s", (then, text) => {
  expect(ago(new Date(then), NOW)).toBe(text);
});
