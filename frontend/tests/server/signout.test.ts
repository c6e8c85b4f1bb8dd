import { beforeEach, expect, it, vi } from "vitest";

import { POST } from "@/app/api/signout/route";

const signOut = vi.hoisted(() => vi.fn());
vi.mock("@/server/auth", () => ({ auth: () => ({ api: { signOut } }) }));

beforeEach(() => {
  vi.stubEnv("BETTER_AUTH_URL", "http://todo.local");
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  signOut.mockReset();
});

const request = (origin: string) =>
  new Request("http://todo.local/api/signout", { method: "POST", headers: { host: "todo.local", origin } });

it("ends the session, takes the cookie back, and leads home", async () => {
  const headers = new Headers({ "Set-Cookie": "better-auth.session_token=; Max-Age=0; Path=/" });
  signOut.mockResolvedValue({ headers });
  const response = await POST(request("http://todo.local"));
  expect([response.status, response.headers.get("Location")]).toEqual([303, "/"]);
  expect(response.headers.getSetCookie()[0]).toContain("Max-Age=0");
});

it("does nothing for another site's page", async () => {
  expect((await POST(request("http://evil.test"))).status).toBe(403);
  expect(signOut).not.toHaveBeenCalled();
});

it("says so when the session cannot be ended", async () => {
  signOut.mockRejectedValue(new Error("no database"));
  expect((await POST(request("http://todo.local"))).status).toBe(503);
});
