import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { canSendMail, contactAddress, sendMail, transportOptions } from "@/server/mail";

describe("whether mail can be sent", () => {
  it.each([
    [{}, false],
    [{ SMTP_HOST: "mail.test" }, false],
    [{ SMTP_HOST: " ", SMTP_FROM: "todo@example.com" }, false],
    [{ SMTP_HOST: "mail.test", SMTP_FROM: "todo@example.com" }, true],
  ])("%j: %s", (environment, can) => {
    expect(canSendMail(environment)).toBe(can);
  });

  it("the contact form needs somebody to write to as well", () => {
    const mail = { SMTP_HOST: "mail.test", SMTP_FROM: "todo@example.com" };
    expect(contactAddress(mail)).toBeNull();
    expect(contactAddress({ CONTACT_EMAIL_TO: "us@example.com" })).toBeNull();
    expect(contactAddress({ ...mail, CONTACT_EMAIL_TO: "us@example.com" })).toBe("us@example.com");
  });
});

describe("the way to the mail server", () => {
  it("is the submission port, and never in plain text where a password is sent", () => {
    expect(transportOptions({ SMTP_HOST: "mail.test" })).toMatchObject({ port: 587, secure: false, requireTLS: false });
    const known = { SMTP_HOST: "mail.test", SMTP_USER: "u", SMTP_PASSWORD: "p" };
    expect(transportOptions(known)).toMatchObject({ requireTLS: true, auth: { user: "u", pass: "p" } });
    expect(transportOptions({ ...known, SMTP_PORT: "465" })).toMatchObject({ port: 465, secure: true });
  });

  it.each(["mail", "0", "70000"])("is refused for the port %j", (port) => {
    expect(() => transportOptions({ SMTP_PORT: port })).toThrow("SMTP_PORT");
  });
});

describe("a mail", () => {
  let server: Server;
  let heard: string;

  beforeEach(async () => {
    heard = "";
    // As little of SMTP as a client needs.
    server = createServer((socket) => {
      let inData = false;
      socket.write("220 test\r\n");
      socket.on("data", (part) => {
        heard += part.toString();
        if (inData) {
          if (!heard.endsWith("\r\n.\r\n")) return;
          inData = false;
          socket.write("250 taken\r\n");
        } else if (part.toString().startsWith("DATA")) {
          inData = true;
          socket.write("354 go on\r\n");
        } else socket.write(part.toString().startsWith("QUIT") ? "221 bye\r\n" : "250 ok\r\n");
      });
      socket.on("error", () => undefined);
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    vi.stubEnv("SMTP_HOST", "127.0.0.1");
    vi.stubEnv("SMTP_PORT", String((server.address() as AddressInfo).port));
    vi.stubEnv("SMTP_FROM", "todo@example.com");
  });
  afterEach(() => void server.close());

  it("reaches the server, and nothing written by a visitor becomes a header", async () => {
    await sendMail({ to: "ada@example.com", subject: "Hello\r\nBcc: all@example.com", text: "How are you?", replyTo: "ann@example.com" });
    expect(heard).toContain("RCPT TO:<ada@example.com>");
    expect(heard).toContain("Reply-To: ann@example.com");
    expect(heard).toContain("How are you?");
    expect(heard).not.toMatch(/^Bcc:/im);
    expect(heard).not.toContain("RCPT TO:<all@example.com>");
  });
});
