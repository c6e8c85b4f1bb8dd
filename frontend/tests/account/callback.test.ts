import { expect, it } from "vitest";

import { callbackPath } from "@/account/callback";

it.each([
  ["/chat", "/chat"],
  ["/chat?c=1#end", "/chat?c=1#end"],
  [undefined, "/dashboard"],
  [["/chat", "/chat"], "/dashboard"],
  ["https://evil.test/", "/dashboard"],
  ["//evil.test/chat", "/dashboard"],
  ["/\\evil.test", "/dashboard"],
  ["/\t/evil.test", "/dashboard"],
  ["javascript:alert(1)", "/dashboard"],
  ["/auth/signin?callbackUrl=/auth/signin", "/dashboard"],
  ["/api/signout", "/dashboard"],
])("%j leads to %s", (given, path) => {
  expect(callbackPath(given)).toBe(path);
});
