import { expect, it } from "vitest";

import { requestId } from "@/server/request-id";

it("keeps a harmless id", () => {
  expect(requestId("4b1f8a52-0c3e-4d28-9f0a-6d5c7f1f0e11")).toBe("4b1f8a52-0c3e-4d28-9f0a-6d5c7f1f0e11");
});

it.each([null, "", "short", "a".repeat(129), 'forged"}\n{"event":"x', "with space inside"])("replaces %j", (given) => {
  expect(requestId(given)).toMatch(/^[0-9a-f-]{36}$/);
});
