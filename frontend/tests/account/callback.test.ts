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
  ["/.//evil.test/x", "/dashboard"],
  ["/x/..//evil.test", "/dashboard"],
  ["/.\\/evil.test", "/dashboard"],
  ["/.\\\\evil.test", "/dashboard"],
  ["/%2e//evil.test", "/dashboard"],
  ["/%2E%2e//evil.test", "/dashboard"],
  ["/chat/..//evil.test", "/dashboard"],
  ["/./\t/evil.test", "/dashboard"],
  ["/\n/evil.test", "/dashboard"],
  ["/\u2028/evil.test", "/dashboard"],
  ["/\uff0f/evil.test", "/dashboard"],
  ["/\u3002//evil.test", "/dashboard"],
  ["/chat/", "/dashboard"],
  ["/dashboard/../chat?c=1", "/chat?c=1"],
  ["/chat?next=//evil.test", "/chat?next=//evil.test"],
  [" /chat", "/dashboard"],
  ["", "/dashboard"],
])("%j leads to %s", (given, path) => {
  expect(callbackPath(given)).toBe(path);
});

it("leads nowhere else, whatever is written around another site's name", () => {
  const parts = ["/", "//", ".", "..", "\\", "\t", "\n", "\r", "%2e", "%2f", "%5c", "%09", "@", ":", "\u3002", "\uff0f", "chat"];
  const given = parts.flatMap((a) => parts.flatMap((b) => parts.flatMap((c) => [`/${a}${b}${c}evil.test`, `/${a}${b}${c}/evil.test`])));
  for (const path of given) {
    const { origin } = new URL(callbackPath(path), "http://todo.local/auth/signin");
    expect(origin, JSON.stringify(path)).toBe("http://todo.local");
  }
});
