import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { authOptions } from "@/server/auth";
import { handleAuth } from "@/server/sign-in";

import { Counting } from "./counting";

const ACCOUNT = { name: "Ada", email: "ada@example.com", password: "correct horse" };

const sendMail = vi.hoisted(() => vi.fn());
vi.mock("@/server/mail", async (original) => ({ ...(await original<object>()), sendMail }));

const counting = vi.hoisted(() => ({ now: undefined as unknown }));
vi.mock("@/server/database", () => ({ database: () => counting.now }));

let handler: (request: Request) => Promise<Response>;
let counts: Counting;
let lines: Record<string, unknown>[];

beforeEach(() => {
  vi.stubEnv("BETTER_AUTH_SECRET", "0123456789abcdef0123456789abcdef");
  vi.stubEnv("BETTER_AUTH_URL", "http://todo.local");
  lines = [];
  vi.spyOn(process.stdout, "write").mockImplementation((line) => lines.push(JSON.parse(String(line))) > 0);
  counting.now = counts = new Counting();
  sendMail.mockReset().mockResolvedValue(undefined);
  build();
});

/** Better Auth as the environment says, with empty tables. */
function build(): void {
  const options = authOptions(memoryAdapter({ user: [], session: [], account: [], verification: [] }));
  // The library's own hash takes its time, as it should; the cases here are many.
  const password = {
    hash: (given: string) => Promise.resolve(`hash of ${given}`),
    verify: ({ hash, password: given }: { hash: string; password: string }) => Promise.resolve(hash === `hash of ${given}`),
  };
  const library = betterAuth({ ...options, emailAndPassword: { ...options.emailAndPassword, password } });
  handler = (request) => handleAuth(request, library.handler);
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

/** Sign up, then in, as the page does. */
async function join(account = ACCOUNT, headers: Record<string, string> = {}): Promise<Response> {
  expect((await post("sign-up/email", account, headers)).status).toBe(200);
  return post("sign-in/email", { email: account.email, password: account.password }, headers);
}

const cookieOf = (response: Response) => response.headers.getSetCookie()[0] ?? "";
const pair = (cookie: string) => cookie.split(";")[0] ?? "";

async function session(cookie: string): Promise<unknown> {
  const response = await handler(new Request("http://todo.local/api/auth/get-session", { headers: { cookie } }));
  return response.json();
}

describe("signing in", () => {
  it("sets the cookie that the backend reads: signed, httpOnly, lax, and not Secure on plain HTTP", async () => {
    const cookie = cookieOf(await join());
    expect(pair(cookie)).toMatch(/^better-auth\.session_token=[^.]+\.[^.]+$/);
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Lax/i);
    expect(cookie).toMatch(/Path=\//);
    expect(cookie).not.toMatch(/Secure/i);
  });

  it("marks the cookie Secure under HTTPS", async () => {
    vi.stubEnv("BETTER_AUTH_URL", "https://todo.local");
    build();
    const response = await join(ACCOUNT, { origin: "https://todo.local" });
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
    const cookie = pair(cookieOf(await join()));
    expect(await session(cookie)).toMatchObject({ user: { email: ACCOUNT.email } });
    await post("sign-out", {}, { cookie });
    expect(await session(cookie)).toBeNull();
  });

  it("is not read from a cookie with a forged signature", async () => {
    const cookie = pair(cookieOf(await join()));
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
      const cookie = pair(cookieOf(await join()));
      await ask(ACCOUNT.email);
      const [{ to, text }] = sendMail.mock.calls[0] as [{ to: string; text: string }];
      expect(to).toBe(ACCOUNT.email);
      expect(text).not.toContain(ACCOUNT.name);
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

describe("signing up", () => {
  const OTHER = { ...ACCOUNT, name: "Eve", password: "another horse" };

  it("answers alike for a new address and for a known one, and changes nothing of the known one's", async () => {
    const answers = [await post("sign-up/email", ACCOUNT), await post("sign-up/email", OTHER)];
    const told = await Promise.all(answers.map(async (answer) => [answer.status, await answer.text(), answer.headers.getSetCookie()]));
    expect(told[0]).toEqual([200, '{"status":true}', []]);
    expect(told[1]).toEqual(told[0]);
    expect((await post("sign-in/email", OTHER)).status).toBe(401);
    expect((await post("sign-in/email", ACCOUNT)).status).toBe(200);
  });

  it("tells the owner of a known address by mail, at most once an hour", async () => {
    vi.stubEnv("SMTP_HOST", "mail.test");
    vi.stubEnv("SMTP_FROM", "todo@example.com");
    build();
    await post("sign-up/email", ACCOUNT);
    expect(sendMail).not.toHaveBeenCalled();
    await post("sign-up/email", OTHER);
    await post("sign-up/email", OTHER);
    expect(sendMail).toHaveBeenCalledTimes(1);
    const [{ to, text }] = sendMail.mock.calls[0] as [{ to: string; text: string }];
    expect(to).toBe(ACCOUNT.email);
    expect(text).not.toMatch(/Ada|Eve/);
  });

  it.each([
    ["name", "x".repeat(256)],
    ["name", "Ada\0"],
    ["name", "Ada\n\nYour account is closed: http://evil.test"],
    ["name", "Ada\u202egro.live"],
    ["name", "\ud800"],
    ["name", 7],
    ["email", `${"x".repeat(250)}@example.com`],
    ["email", "ada@example.com\0"],
    ["password", "x".repeat(5_000)],
    ["password", "correct \udfff horse"],
    ["password", { $ne: "" }],
  ])("refuses a %s such as %j before the library hears of it", async (field, value) => {
    const answer = await post("sign-up/email", { ...ACCOUNT, [field]: value });
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { message: string }).message).toMatch(new RegExp(`^${field} `));
  });

  it("takes no picture, and no address to go to", async () => {
    await post("sign-up/email", { ...ACCOUNT, image: "data:x", callbackURL: "/.//evil.test" });
    const signedIn = await post("sign-in/email", { ...ACCOUNT, callbackURL: "/.//evil.test" });
    const body = (await signedIn.json()) as Record<string, unknown>;
    expect([signedIn.status, signedIn.headers.get("location"), body.url]).toEqual([200, null, undefined]);
    expect(JSON.stringify(body)).not.toContain("data:x");
  });
});

describe("what can be reached", () => {
  it.each([
    ...["update-user", "change-email", "delete-user", "sign-in/social", "link-social", "ok", "error", "verify-email"],
    ...["reset-password/token?callbackURL=/.//evil.test", "revoke-sessions", "sign-up%2femail", "../auth/ok", "constructor"],
  ])("%s is not", async (path) => {
    for (const method of ["GET", "POST"]) {
      const asked = new Request(`http://todo.local/api/auth/${path}`, { method, body: method === "POST" ? "{}" : null });
      expect((await handler(asked)).status).toBe(404);
    }
  });

  it("is answered 413 beyond 16 kB, with a line in the log", async () => {
    const answer = await post("sign-in/email", { email: ACCOUNT.email, password: "x".repeat(20_000) }, { "X-Request-ID": "of-the-caller" });
    expect([answer.status, answer.headers.get("X-Request-ID")]).toEqual([413, "of-the-caller"]);
    expect(lines).toEqual([expect.objectContaining({ event: "body_refused", security: true, request_id: "of-the-caller", status: 413 })]);
  });

  it("says 503 while the database does not answer", async () => {
    counts.broken = true;
    expect((await post("sign-in/email", ACCOUNT)).status).toBe(503);
  });
});

describe("wrong passwords", () => {
  const WRONG = { email: ACCOUNT.email, password: "wrong horse" };
  const from = (address: string) => ({ "X-Forwarded-For": `${address}, 10.0.0.1` });
  const guess = async (times: number, address: string) => {
    const statuses: number[] = [];
    for (let count = 0; count < times; count++) statuses.push((await post("sign-in/email", WRONG, from(address))).status);
    return statuses;
  };

  it("are counted by account and address; others may still sign in, the owner from elsewhere too", async () => {
    await post("sign-up/email", ACCOUNT);
    expect(new Set(await guess(20, "203.0.113.9"))).toEqual(new Set([401]));
    expect(await guess(1, "203.0.113.9")).toEqual([429]);
    const OTHER = { ...ACCOUNT, email: "bob@example.com" };
    expect((await join(OTHER, from("203.0.113.9"))).status).toBe(200);
    const answer = await post("sign-in/email", ACCOUNT, from("198.51.100.7"));
    expect(answer.status).toBe(200);
  });

  it("from everywhere keep nobody out who has signed in from this browser before", async () => {
    const cookies = (await join(ACCOUNT, from("198.51.100.7"))).headers.getSetCookie();
    const device = pair(cookies.find((cookie) => cookie.startsWith("todo.device=")) ?? "");
    for (let host = 0; host < 6; host++) await guess(20, `203.0.113.${host}`);
    expect((await post("sign-in/email", ACCOUNT, from("198.51.100.8"))).status).toBe(429);
    const known = await post("sign-in/email", ACCOUNT, { ...from("203.0.113.1"), cookie: device });
    expect(known.status).toBe(200);
    // The mark is of this account and of this installation.
    for (const forged of [device.replace(/.$/, "x"), "todo.device=", device.replace("=", "=0")]) {
      expect((await post("sign-in/email", ACCOUNT, { ...from("198.51.100.8"), cookie: forged })).status).toBe(429);
    }
    const stranger = { email: "bob@example.com", password: "wrong horse" };
    for (let count = 0; count < 20; count++) await post("sign-in/email", stranger, { ...from("192.0.2.1"), cookie: device });
    expect((await post("sign-in/email", stranger, { ...from("192.0.2.1"), cookie: device })).status).toBe(429);
  });

  it("are counted by address over all accounts; right ones are not", async () => {
    await post("sign-up/email", ACCOUNT);
    for (let count = 0; count < 70; count++) {
      expect((await post("sign-in/email", ACCOUNT, from("203.0.113.9"))).status).toBe(200);
    }
    for (let person = 0; person < 60; person++) {
      await post("sign-in/email", { email: `nobody-${person}@example.com`, password: "wrong horse" }, from("203.0.113.9"));
    }
    const answer = await post("sign-in/email", { email: "nobody@example.com", password: "wrong horse" }, from("203.0.113.9"));
    expect([answer.status, answer.headers.get("Retry-After")]).toEqual([429, "60"]);
  });

  it("are logged once each, without who or where", async () => {
    await post("sign-up/email", ACCOUNT);
    lines.length = 0;
    await guess(1, "203.0.113.9");
    const [line, ...others] = lines;
    expect(others).toEqual([]);
    expect(line).toMatchObject({ event: "unauthenticated", security: true, route: "auth/sign-in/email", status: 401 });
    expect(line?.request_id).toEqual(expect.any(String));
    expect(JSON.stringify(line)).not.toMatch(/ada|203\.0/);
    expect([...counts.used.keys()].join()).not.toMatch(/ada|203\.0/);
  });
});
