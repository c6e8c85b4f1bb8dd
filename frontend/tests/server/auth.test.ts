import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { authOptions } from "@/server/auth";

const ACCOUNT = { name: "Ada", email: "ada@example.com", password: "correct horse" };

const sendMail = vi.hoisted(() => vi.fn());
vi.mock("@/server/mail", async (original) => ({ ...(await original<object>()), sendMail }));

let handler: (request: Request) => Promise<Response>;

beforeEach(() => {
  vi.stubEnv("BETTER_AUTH_SECRET", "0123456789abcdef0123456789abcdef");
  vi.stubEnv("BETTER_AUTH_URL", "http://todo.local");
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  sendMail.mockReset().mockResolvedValue(undefined);
  build();
});

/** Better Auth as the environment says, with empty tables. */
function build(): void {
  handler = betterAuth(authOptions(memoryAdapter({ user: [], session: [], account: [], verification: [] }))).handler;
}

function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return handler(
    new Request(`http://todo.local/api/auth/${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", origin: "http://todo.local", ...headers },
    }),
  );
}

const cookieOf = (response: Response) => response.headers.getSetCookie()[0] ?? "";
const pair = (cookie: string) => cookie.split(";")[0] ?? "";

async function session(cookie: string): Promise<unknown> {
  const response = await handler(new Request("http://todo.local/api/auth/get-session", { headers: { cookie } }));
  return response.json();
}

describe("signing in", () => {
  it("sets the cookie that the backend reads: signed, httpOnly, lax, and not Secure on plain HTTP", async () => {
    const cookie = cookieOf(await post("sign-up/email", ACCOUNT));
    expect(pair(cookie)).toMatch(/^better-auth\.session_token=[^.]+\.[^.]+$/);
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Lax/i);
    expect(cookie).toMatch(/Path=\//);
    expect(cookie).not.toMatch(/Secure/i);
  });

  it("marks the cookie Secure under HTTPS", async () => {
    vi.stubEnv("BETTER_AUTH_URL", "https://todo.local");
    build();
    const response = await post("sign-up/email", ACCOUNT, { origin: "https://todo.local" });
    expect(cookieOf(response)).toMatch(/^__Secure-better-auth\.session_token=.*Secure/);
  });

  it("takes the right password only", async () => {
    await post("sign-up/email", ACCOUNT);
    expect((await post("sign-in/email", { email: ACCOUNT.email, password: "wrong horse" })).status).toBe(401);
    expect((await post("sign-in/email", ACCOUNT)).status).toBe(200);
  });

  it("wants a password of eight characters", async () => {
    expect((await post("sign-up/email", { ...ACCOUNT, password: "seven77" })).status).toBe(400);
  });

  it("refuses another site's page", async () => {
    const headers = { origin: "http://evil.test", cookie: "better-auth.session_token=a.b" };
    expect((await post("sign-up/email", ACCOUNT, headers)).status).toBe(403);
  });
});

describe("a session", () => {
  it("holds until it is ended, and not a moment longer", async () => {
    const cookie = pair(cookieOf(await post("sign-up/email", ACCOUNT)));
    expect(await session(cookie)).toMatchObject({ user: { email: ACCOUNT.email } });
    await post("sign-out", {}, { cookie });
    expect(await session(cookie)).toBeNull();
  });

  it("is not read from a cookie with a forged signature", async () => {
    const cookie = pair(cookieOf(await post("sign-up/email", ACCOUNT)));
    const [token] = cookie.split(".session_token=")[1]?.split(".") ?? [];
    expect(await session(`better-auth.session_token=${token}.${btoa("x".repeat(32))}`)).toBeNull();
  });
});

describe("a forgotten password", () => {
  const ask = (email: string) => post("request-password-reset", { email });

  it("cannot be renewed where no mail can be sent", async () => {
    await post("sign-up/email", ACCOUNT);
    expect((await ask(ACCOUNT.email)).status).toBe(400);
  });

  describe("with mail", () => {
    beforeEach(() => {
      vi.stubEnv("SMTP_HOST", "mail.test");
      vi.stubEnv("SMTP_FROM", "todo@example.com");
      build();
    });

    it("is renewed by a mailed link, once, and ends all sessions", async () => {
      const cookie = pair(cookieOf(await post("sign-up/email", ACCOUNT)));
      await ask(ACCOUNT.email);
      const [{ to, text }] = sendMail.mock.calls[0] as [{ to: string; text: string }];
      expect(to).toBe(ACCOUNT.email);
      const token = /http:\/\/todo\.local\/auth\/reset-password\?token=(\S+)/.exec(text)?.[1];
      const body = { newPassword: "battery staple", token };
      expect((await post("reset-password", body)).status).toBe(200);
      expect((await post("reset-password", body)).status).toBe(400);
      expect(await session(cookie)).toBeNull();
      expect((await post("sign-in/email", ACCOUNT)).status).toBe(401);
      expect((await post("sign-in/email", { ...ACCOUNT, password: "battery staple" })).status).toBe(200);
    });

    it("is answered alike for an unknown address, and when the mail fails", async () => {
      await post("sign-up/email", ACCOUNT);
      sendMail.mockRejectedValue(new Error("refused"));
      const known = await ask(ACCOUNT.email);
      const unknown = await ask("nobody@example.com");
      expect([known.status, await known.text()]).toEqual([unknown.status, await unknown.text()]);
      expect(sendMail).toHaveBeenCalledTimes(1);
    });
  });
});
