import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, request as ask, type RequestOptions, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { guarded, LARGEST_BODY_BYTES } from "../../edge/guard.mjs";

const MEGABYTE = 1024 * 1024;
const report = vi.fn();
const asked = vi.fn<(request: IncomingMessage, body: string) => void>();
let server: Server;

beforeEach(async () => {
  report.mockReset();
  asked.mockReset();
  server = createServer(
    guarded(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      asked(request, Buffer.concat(parts).toString());
      response.end("answered");
    }, report),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const port = () => (server.address() as AddressInfo).port;

/** Send `parts`; with a length where one is declared, else in chunks. */
async function send(parts: Iterable<Buffer>, options: RequestOptions = {}): Promise<{ status: number; text: string; id: unknown; hsts: unknown }> {
  const sent = ask({ port: port(), host: "127.0.0.1", method: "POST", path: "/api/auth/sign-in/email", ...options });
  const answered = once(sent, "response") as Promise<[IncomingMessage]>;
  // The answer may come, and end the request, before all is sent.
  void pipeline(Readable.from(parts), sent).catch(() => undefined);
  const [response] = await answered;
  let text = "";
  for await (const part of response) text += String(part);
  return { status: response.statusCode ?? 0, text, id: response.headers["x-request-id"], hsts: response.headers["strict-transport-security"] };
}

function* megabytes(count: number): Generator<Buffer> {
  for (let sent = 0; sent < count * 16; sent++) yield Buffer.alloc(MEGABYTE / 16, "x");
}

it("hands a body on once it is whole", async () => {
  const parts = ["a", "b", "", "c".repeat(5_000)].filter((part) => part !== "");
  expect((await send(parts.map((part) => Buffer.from(part)))).status).toBe(200);
  const whole = parts.join("");
  const headers = { "Content-Length": whole.length };
  expect((await send([Buffer.from(whole)], { headers })).text).toBe("answered");
  expect(asked.mock.calls.map(([, body]) => body)).toEqual([whole, whole]);
});

it("takes a body of the limit, and not a byte more", async () => {
  const limit = Buffer.alloc(LARGEST_BODY_BYTES, "x");
  expect((await send([limit])).status).toBe(200);
  expect((await send([limit, Buffer.from("x")])).status).toBe(413);
});

it.each([1, 10, 100])("refuses %d MB, declared or in chunks, without asking the application", async (count) => {
  const headers = { "Content-Length": count * MEGABYTE, "X-Request-ID": "of-the-caller" };
  const declared = await send(megabytes(count), { headers });
  expect([declared.status, declared.id]).toEqual([413, "of-the-caller"]);
  expect(JSON.parse(declared.text)).toEqual({ detail: `The request is too large: at most ${LARGEST_BODY_BYTES} bytes.` });
  expect((await send(megabytes(count))).status).toBe(413);
  expect(asked).not.toHaveBeenCalled();
  expect(report.mock.calls.map(([fields]) => fields)).toEqual([
    { request_id: "of-the-caller", method: "POST", status: 413 },
    { request_id: expect.any(String), method: "POST", status: 413 },
  ]);
});

it("goes on with the same connection after a refusal", async () => {
  const socket = connect(port(), "127.0.0.1");
  let heard = "";
  socket.on("data", (part) => (heard += String(part)));
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${LARGEST_BODY_BYTES + 1}\r\n\r\n`);
  socket.write(Buffer.alloc(LARGEST_BODY_BYTES + 1, "x"));
  socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
  await once(socket, "close");
  expect(heard.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 413", "HTTP/1.1 200"]);
  expect(asked.mock.calls[0]?.[1]).toBe("hi");
});

it("asks nothing of the application for a body that never ends", async () => {
  const socket = connect(port(), "127.0.0.1");
  socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
  await once(server, "request");
  socket.destroy();
  expect((await send([Buffer.from("whole")])).status).toBe(200);
  expect(asked).toHaveBeenCalledTimes(1);
});

it.each([
  [undefined, "127.0.0.1"],
  ["203.0.113.9", "203.0.113.9, 127.0.0.1"],
  ["198.51.100.1, 203.0.113.9", "198.51.100.1, 203.0.113.9, 127.0.0.1"],
])("writes the peer's address behind %j", async (written, whole) => {
  await send([Buffer.from("x")], { headers: written === undefined ? {} : { "X-Forwarded-For": written } });
  expect(asked.mock.calls[0]?.[0].headers["x-forwarded-for"]).toBe(whole);
});

it("bounds the server of the process, whose memory stays flat", async () => {
  const folder = mkdtempSync(join(tmpdir(), "todo-guard-"));
  const script = join(folder, "server.mjs");
  writeFileSync(
    script,
    `import http from "node:http";
     const server = http.createServer((request, response) => response.end(String(process.memoryUsage().rss)));
     server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port, silence: server.timeout, body: server.requestTimeout })));`,
  );
  const child = spawn(process.execPath, [new URL("../../edge/main.mjs", import.meta.url).pathname, script], {
    env: { ...process.env, BETTER_AUTH_URL: "https://todo.test" },
  });
  try {
    const [said] = (await once(child.stdout, "data")) as [Buffer];
    const found = JSON.parse(String(said)) as { port: number; silence: number; body: number };
    expect(found).toMatchObject({ silence: 120_000, body: 30_000 });
    const logged = once(child.stdout, "data") as Promise<[Buffer]>;
    expect((await send(megabytes(1), { port: found.port })).status).toBe(413);
    expect(JSON.parse(String((await logged)[0]))).toMatchObject({ service: "frontend", event: "body_refused", status: 413 });
    expect((await send([], { port: found.port, method: "GET" })).hsts).toBe("max-age=31536000");
    const memory = async () => Number((await send([], { port: found.port, method: "GET" })).text);
    const before = await memory();
    expect((await send(megabytes(200), { port: found.port })).status).toBe(413);
    expect((await memory()) - before).toBeLessThan(60 * MEGABYTE);
  } finally {
    child.kill();
  }
});
