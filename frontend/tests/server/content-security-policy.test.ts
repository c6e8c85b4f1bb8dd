import { expect, it } from "vitest";

import { contentSecurityPolicy } from "@/server/content-security-policy";

it("lets only scripts with the nonce run, and no inline style", () => {
  const policy = contentSecurityPolicy("abc", false);
  expect(policy).toContain("script-src 'self' 'nonce-abc' 'strict-dynamic';");
  expect(policy).not.toMatch(/unsafe/);
  expect(policy).toContain("frame-ancestors 'none'");
});

it("allows evaluation in development alone", () => {
  expect(contentSecurityPolicy("abc", true)).toContain("'unsafe-eval'");
});
