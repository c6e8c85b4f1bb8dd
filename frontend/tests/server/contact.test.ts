import { beforeEach, expect, it, vi } from "vitest";

import { Counting } from "./counting";

const sendMail = vi.hoisted(() => vi.fn());
vi.mock("@/server/mail", async (original) => ({ ...(await original<object>()), sendMail }));

const counting = vi.hoisted(() => ({ now: undefined as unknown }));
vi.mock("@/server/database", () => ({ database: () => counting.now }));

const ENQUIRY = { name: "Ada", email: "ada@example.com", subject: "", message: "Where is the search?" };

let POST: (request: Request) => Promise<Response>;
let lines: string[];

beforeEach(async () => {
  lines = [];
  counting.now = new Counting();
  vi.stubEnv("BETTER_AUTH_SECRET", "0123456789abcdef0123456789abcdef");
  vi.stubEnv("BETTER_AUTH_URL", "http://todo.local");
  vi.stubEnv("SMTP_HOST", "mail.test");
  vi.stubEnv("SMTP_FROM", "todo@example.com");
  vi.stubEnv("CONTACT_EMAIL_TO", "us@example.com");
  vi.spyOn(process.stdout, "write").mockImplementation((line) => lines.push(String(line)) > 0);
  sendMail.mockReset();
  ({ POST } = await import("@/app/api/contact/route"));
});

function post(body: unknown, origin = "http://todo.local", from = "203.0.113.9, 10.0.0.1"): Promise<Response> {
  const content = typeof body === "string" ? body : JSON.stringify(body);
  return POST(new Request("http://todo.local/api/contact", { method: "POST", body: content, headers: { host: "todo.local", origin, "X-Forwarded-For": from } }));
}

it("passes a message on, to be answered to its writer", async () => {
  expect((await post(ENQUIRY)).status).toBe(200);
  expect(sendMail).toHaveBeenCalledWith({
    to: "us@example.com",
    subject: "A message from the contact form",
    text: "Where is the search?\n\nAda <ada@example.com>",
    replyTo: "ada@example.com",
  });
});

it.each([
  [{ ...ENQUIRY, name: "A" }],
  [{ ...ENQUIRY, email: "ada" }],
  [{ ...ENQUIRY, message: "Too short" }],
  [{ ...ENQUIRY, message: "x".repeat(1_001) }],
  ["not JSON"],
  ["null"],
])("refuses %j", async (body) => {
  expect((await post(body)).status).toBe(400);
  expect(sendMail).not.toHaveBeenCalled();
});

it("refuses what is too large, whatever it says of its length", async () => {
  expect((await post("x".repeat(20_000))).status).toBe(413);
});

it("says that it cannot count", async () => {
  (counting.now as Counting).broken = true;
  expect((await post(ENQUIRY)).status).toBe(503);
});

it("refuses another site's page", async () => {
  expect((await post(ENQUIRY, "http://evil.test")).status).toBe(403);
});

it("says that mail is not set up", async () => {
  vi.stubEnv("CONTACT_EMAIL_TO", "");
  expect((await post(ENQUIRY)).status).toBe(503);
});

it("says that the mail failed, and logs it without the message", async () => {
  sendMail.mockRejectedValue(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
  expect((await post(ENQUIRY)).status).toBe(500);
  expect(lines.join()).toContain("mail_failed");
  expect(lines.join()).not.toContain("search");
});

it("takes five messages, then asks to wait", async () => {
  const statuses = [];
  for (let count = 0; count < 6; count++) statuses.push((await post(ENQUIRY)).status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
  expect((await post(ENQUIRY, "http://todo.local", "1.2.3.4, 203.0.113.9, 10.0.0.1")).status).toBe(429);
  expect((await post(ENQUIRY, "http://todo.local", "203.0.113.10, 10.0.0.1")).status).toBe(200);
  expect(lines.filter((line) => line.includes("rate_limited"))).toHaveLength(2);
});
