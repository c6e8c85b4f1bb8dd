import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { forward, sessionCookie } from "@/server/proxy";

type Seen = { method: string; url: string; headers: IncomingMessage["headers"]; body: string };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SESSION = "better-auth.session_token=token.signature%3D";

let server: Server;
let seen: Seen[];
let answer: (response: ServerResponse) => void;
let lines: string[];

beforeEach(async () => {
  seen = [];
  lines = [];
  answer = (response) => response.writeHead(200, { "Content-Type": "application/json" }).end('{"ok":true}');
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body });
      answer(response);
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  vi.stubEnv("BACKEND_URL", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv("BETTER_AUTH_URL", "http://todo.local");
  vi.spyOn(process.stdout, "write").mockImplementation((line) => lines.push(String(line)) > 0);
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function browser(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Request {
  return new Request(`http://todo.local/api/proxy/${path}`, { ...init, headers: { host: "todo.local", ...init.headers } });
}

describe("what reaches the backend", () => {
  it("is the method, path, query and body", async () => {
    const init = { method: "POST", body: '{"title":"Buy milk"}', headers: { "Content-Type": "application/json" } };
    await forward(browser("u1/tasks?limit=5", init));
    expect(seen[0]).toMatchObject({ method: "POST", url: "/api/u1/tasks?limit=5", body: '{"title":"Buy milk"}' });
    expect(seen[0]?.headers["content-type"]).toBe("application/json");
  });

  it("is the session cookie, and no other header that could mislead", async () => {
    const headers = {
      cookie: `theme=dark; ${SESSION}; tracker=1`,
      authorization: "Bearer forged",
      "x-user-id": "someone-else",
      "x-forwarded-host": "elsewhere.test",
    };
    await forward(browser("u1/tasks", { headers }));
    expect(seen[0]?.headers.cookie).toBe(SESSION);
    for (const name of ["authorization", "x-user-id", "x-forwarded-host"]) expect(seen[0]?.headers[name]).toBeUndefined();
  });

  it("is the key that keeps a message from being carried out twice", async () => {
    answer = (response) => response.writeHead(200, { "Idempotency-Replayed": "true" }).end("{}");
    const response = await forward(browser("u1/chat", { method: "POST", body: "{}", headers: { "Idempotency-Key": "k-1" } }));
    expect(seen[0]?.headers["idempotency-key"]).toBe("k-1");
    expect(response.headers.get("Idempotency-Replayed")).toBe("true");
  });

  it("is the caller's request id, or a new one", async () => {
    await forward(browser("u1/tasks", { headers: { "X-Request-ID": "trace-me-0001" } }));
    await forward(browser("u1/tasks"));
    expect(seen[0]?.headers["x-request-id"]).toBe("trace-me-0001");
    expect(seen[1]?.headers["x-request-id"]).toMatch(UUID);
  });
});

describe("what comes back", () => {
  it("is status, body, and the request's id, never to be stored", async () => {
    answer = (response) => response.writeHead(429, { "Retry-After": "30", "Content-Type": "application/json" }).end('{"detail":"wait"}');
    const response = await forward(browser("u1/chat", { method: "POST", body: "{}" }));
    expect(response.status).toBe(429);
    expect(response.headers.get("Retry-After")).toBe("30");
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(response.headers.get("X-Request-ID")).toBe(seen[0]?.headers["x-request-id"]);
    expect(await response.json()).toEqual({ detail: "wait" });
  });

  it("is a stream, each piece as it comes, which nothing on the way may collect", async () => {
    let end: () => void = () => undefined;
    answer = (response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" }).write("data: one\n\n");
      end = () => response.end("data: two\n\n");
    };
    const response = await forward(browser("u1/chat", { method: "POST", body: "{}" }));
    expect(response.headers.get("X-Accel-Buffering")).toBe("no");
    expect(response.headers.get("Cache-Control")).toContain("no-transform");
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toBe("data: one\n\n");
    end();
    expect((await reader.read()).value).toBe("data: two\n\n");
  });

  it("ends at the backend when the browser leaves", async () => {
    let left: Promise<void> = Promise.resolve();
    answer = (response) => {
      left = new Promise((resolve) => response.on("close", () => resolve()));
      response.writeHead(200, { "Content-Type": "text/event-stream" }).write("data: one\n\n");
    };
    const leaving = new AbortController();
    await forward(browser("u1/chat", { method: "POST", body: "{}", signal: leaving.signal }));
    leaving.abort();
    await left;
  });

  it("is a 204 without a body", async () => {
    answer = (response) => response.writeHead(204).end();
    const response = await forward(browser("u1/conversations/c1", { method: "DELETE" }));
    expect([response.status, response.body]).toEqual([204, null]);
  });

  it("is none of the backend's cookies and no redirect followed", async () => {
    answer = (response) => response.writeHead(302, { Location: "http://elsewhere.test/", "Set-Cookie": "a=b" }).end();
    const response = await forward(browser("u1/tasks"));
    expect([response.status, response.headers.get("Set-Cookie"), response.headers.get("Location")]).toEqual([302, null, null]);
  });
});

describe("what the proxy answers itself", () => {
  it.each([
    ["an unknown path", browser("u1/secrets"), 404],
    ["a wrong method", browser("u1/tasks", { method: "PATCH" }), 405],
    ["a foreign page", browser("u1/tasks", { method: "POST", body: "{}", headers: { origin: "http://evil.test" } }), 403],
    ["a page without a known origin", browser("u1/tasks", { method: "POST", body: "{}", headers: { origin: "null" } }), 403],
    ["a body too large", browser("u1/tasks", { method: "POST", body: "x".repeat(70_000) }), 413],
  ])("%s: %s", async (_name, request, status) => {
    const response = await forward(request);
    expect(response.status).toBe(status);
    expect(response.headers.get("X-Request-ID")).toMatch(UUID);
    expect(seen).toEqual([]);
  });

  it("our own page may write, and OPTIONS tells the methods", async () => {
    const own = await forward(browser("u1/tasks", { method: "POST", body: "{}", headers: { origin: "http://todo.local" } }));
    expect(own.status).toBe(200);
    const options = await forward(browser("u1/tasks", { method: "OPTIONS" }));
    expect([options.status, options.headers.get("Allow")]).toEqual([204, "GET, POST, OPTIONS"]);
  });

  it("502 when a sidecar answers that it does not reach the backend, without its words", async () => {
    const own = '{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: todo-backend, dial tcp 10.0.0.9:50002"}';
    answer = (response) => response.writeHead(500, { "Content-Type": "application/json" }).end(own);
    const response = await forward(browser("u1/tasks"));
    expect(response.status).toBe(502);
    expect(await response.json()).toEqual({ detail: "The service cannot be reached right now" });
  });

  it("the backend's own words when they are the backend's", async () => {
    for (const body of ['{"detail":"Please wait"}', "null", "no JSON"]) {
      answer = (response) => response.writeHead(503, { "Retry-After": "5" }).end(body);
      const response = await forward(browser("u1/tasks"));
      expect([response.status, response.headers.get("Retry-After"), await response.text()]).toEqual([503, "5", body]);
    }
  });

  it("502 when the backend is not there, without saying where it would be", async () => {
    vi.stubEnv("BACKEND_URL", "http://127.0.0.1:1");
    const response = await forward(browser("u1/tasks"));
    expect(response.status).toBe(502);
    expect(await response.text()).not.toContain("127.0.0.1");
  });
});

describe("a connection that broke before an answer", () => {
  const breakFirst = () => {
    const whole = answer;
    answer = (response) => {
      if (seen.length === 1) response.destroy();
      else whole(response);
    };
  };

  it("is tried again for what only reads", async () => {
    breakFirst();
    const response = await forward(browser("u1/tasks"));
    expect([response.status, seen.length]).toEqual([200, 2]);
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(["backend_retry", "proxy"]);
  });

  it("is not tried again for what may have been done", async () => {
    breakFirst();
    const response = await forward(browser("u1/tasks", { method: "POST", body: "{}" }));
    expect([response.status, seen.length]).toEqual([502, 1]);
  });

  it("is tried again for anything that was never sent", async () => {
    const port = (server.address() as AddressInfo).port;
    await new Promise((closed) => server.close(closed));
    setTimeout(() => server.listen(port, "127.0.0.1"), 50);
    const response = await forward(browser("u1/tasks", { method: "POST", body: "{}" }));
    expect([response.status, seen.length]).toEqual([200, 1]);
  });
});

it("logs one line for each request, without the user, the cookie or the body", async () => {
  await forward(browser("user-secret/chat", { method: "POST", body: '{"message":"private"}', headers: { cookie: SESSION } }));
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ event: "proxy", route: "{user_id}/chat", method: "POST", status: 200 });
  for (const word of ["user-secret", "private", "signature"]) expect(lines[0]).not.toContain(word);
});

describe("the session cookie", () => {
  it("is recognised with the prefixes of HTTPS", () => {
    expect(sessionCookie("a=1; __Secure-better-auth.session_token=x.y")).toBe("__Secure-better-auth.session_token=x.y");
  });

  it("is null when there is none", () => {
    expect(sessionCookie(null)).toBeNull();
    expect(sessionCookie("xbetter-auth.session_token=1; better-auth.session_token_old=2")).toBeNull();
  });
});

it.each(["POST", "PUT", "PATCH", "DELETE"])("gives each %s a key of its own, by which the backend knows a repetition", async (method) => {
  const path = { POST: "u1/tasks", PUT: "u1/tasks/t1", PATCH: "u1/tasks/t1/complete", DELETE: "u1/tasks/t1" }[method] ?? "";
  const keys: string[] = [];
  vi.stubGlobal("fetch", (_: string, init: RequestInit) => {
    keys.push(new Headers(init.headers).get("idempotency-key") ?? "");
    return Promise.resolve(Response.json({}));
  });
  const send = (headers: Record<string, string> = {}) =>
    forward(new Request(`http://todo.local/api/proxy/${path}`, { method, headers }));
  await send();
  await send();
  await send({ "Idempotency-Key": "of-the-page" });
  expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(keys[1]).not.toBe(keys[0]);
  expect(keys[2]).toBe("of-the-page");
});
