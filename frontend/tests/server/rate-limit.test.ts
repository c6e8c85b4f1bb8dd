import { expect, it } from "vitest";

import { RateLimit } from "@/server/rate-limit";

it("lets so many through in a window, each key for itself, and says how long to wait", () => {
  const limit = new RateLimit(2, 10_000);
  expect([limit.count("a", 0), limit.count("a", 4_000), limit.count("a", 5_000)]).toEqual([0, 0, 5]);
  expect(limit.count("b", 5_000)).toBe(0);
  expect(limit.count("a", 10_500)).toBe(0);
});
