import { beforeEach, expect, it, vi } from "vitest";

const sendMail = vi.hoisted(() => vi.fn());
vi.mock("@/server/mail", async (original) => ({ ...(await original<object>()), sendMail }));

const ENQUIRY = { name: "Ada", email: "ada@example.com", subject: "", message: "Where is the search?" };

let POST: (request: Request) => Promise<Response>;
let lines: string[];

beforeEach(async () => {
  lines = [];
  vi.stubEnv("BETTER_AUTH_URL", "http://todo.local");
  vi.stubEnv("SMTP_HOST", "mail.test");
  vi.stubEnv("SMTP_FROM", "todo@example.com");
  vi.stubEnv("CONTACT_EMAIL_TO", "us@example.com");
  vi.spyOn(process.stdout, "write").mockImplementation((line) => lines.push(String(line)) > 0);
  sendMail.mockReset();
  // A fresh count of messages for each test.
  vi.resetModules();
  ({ POST } = await import("@/app/api/contact/route"));
});

function post(body: unknown, origin = "http://todo.local"): Promise<Response> {
  const content = typeof body === "string" ? body : JSON.stringify(body);
  return POST(new Request("http://todo.local/api/contact", { method: "POST", body: content, headers: { host: "todo.local", origin } }));
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
});
