import { readBody } from "./body";
import { backendUrl } from "./configuration";
import { log } from "./log";
import { fromOwnPages } from "./origin";
import { match } from "./proxy-routes";
import { REQUEST_ID_HEADER, requestId } from "./request-id";
import { logRefusal } from "./security-log";

const PREFIX = "/api/proxy/";
const LARGEST_BODY_BYTES = 64 * 1024;
const ANSWER_TIMEOUT_MS = 15_000;
// The assistant may ask the model several times, with pauses between the attempts.
const CHAT_TIMEOUT_MS = 90_000;

/** While the backend rolls, a connection may lead to a pod that has just gone; the next one leads to another. */
const PAUSES_MS = [100, 300, 900];
const NOT_SENT = ["ECONNREFUSED", "EHOSTUNREACH", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"];

const SESSION_COOKIE = /^(?:__Secure-|__Host-)?better-auth\.session_token=/;
const REQUEST_HEADERS = ["accept", "content-type", "idempotency-key", "traceparent", "tracestate", "x-time-zone"];
const ANSWER_HEADERS = ["content-type", "retry-after", "allow", "idempotency-replayed"];
const WITHOUT_BODY = [204, 205, 304];

/** The session cookie alone: what else the browser keeps is not the backend's business. */
export function sessionCookie(header: string | null): string | null {
  const kept = (header ?? "").split(";").map((cookie) => cookie.trim()).filter((cookie) => SESSION_COOKIE.test(cookie));
  return kept.length > 0 ? kept.join("; ") : null;
}

/**
 * Pass a browser's request on to the backend and its answer back.
 *
 * Answers of its own: 403 foreign page, 404 unknown path, 405 wrong method, 413 body too large, 502 backend not
 * reached, 504 backend too slow. Every answer carries the request's id.
 */
export async function forward(request: Request): Promise<Response> {
  const id = requestId(request.headers.get(REQUEST_ID_HEADER));
  const began = performance.now();
  const path = new URL(request.url).pathname.slice(PREFIX.length);
  const found = match(request.method, path);
  const response = await answer(request, path, found, id);
  log(response.status >= 500 ? "error" : "info", "proxy", {
    request_id: id,
    method: request.method,
    route: found.kind === "known" ? found.name : found.kind,
    status: response.status,
    duration_ms: Math.round(performance.now() - began),
  });
  logRefusal(response.status, id, "proxy");
  return response;
}

async function answer(request: Request, path: string, found: ReturnType<typeof match>, id: string): Promise<Response> {
  if (found.kind === "unknown") return refusal(404, "Not found", id);
  if (found.kind === "method") {
    const allow = { Allow: found.allow };
    if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: ownHeaders(id, allow) });
    return refusal(405, "Method not allowed", id, allow);
  }
  if (!fromOwnPages(request)) return refusal(403, "This request came from another site", id);
  const body = await readBody(request, LARGEST_BODY_BYTES);
  if (body === "too large") return refusal(413, "The request is too large", id);
  return ask(request, `${backendUrl()}/api/${path}${new URL(request.url).search}`, body, id);
}

async function ask(request: Request, url: string, body: ArrayBuffer | null, id: string): Promise<Response> {
  const slow = new AbortController();
  // Bounds the wait for the answer's head; a streamed answer may then take its time.
  const timer = setTimeout(() => slow.abort(), url.includes("/chat") ? CHAT_TIMEOUT_MS : ANSWER_TIMEOUT_MS);
  try {
    const upstream = await reach(id, url, {
      method: request.method,
      headers: forwardedHeaders(request, id),
      body,
      redirect: "manual",
      cache: "no-store",
      signal: AbortSignal.any([slow.signal, request.signal]),
    });
    const headers = ownHeaders(id);
    for (const name of ANSWER_HEADERS) {
      const value = upstream.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    if (headers.get("content-type")?.startsWith("text/event-stream")) {
      // Each event is to arrive when it is sent: no compression here, no collecting in the ingress.
      headers.set("Cache-Control", "no-store, no-transform");
      headers.set("X-Accel-Buffering", "no");
    }
    if (upstream.status >= 400) {
      const text = await upstream.text();
      return saidBySidecar(text) ? unreachable(id) : new Response(text, { status: upstream.status, headers });
    }
    const empty = WITHOUT_BODY.includes(upstream.status);
    return new Response(empty ? null : upstream.body, { status: upstream.status, headers });
  } catch {
    if (slow.signal.aborted) return refusal(504, "The service took too long to answer", id);
    return unreachable(id);
  } finally {
    clearTimeout(timer);
  }
}

/** Dapr answers in the backend's place where it cannot reach it; its words are for operators. */
function saidBySidecar(text: string): boolean {
  try {
    const code: unknown = (JSON.parse(text) as { errorCode?: unknown } | null)?.errorCode;
    return typeof code === "string" && code.startsWith("ERR_");
  } catch {
    return false;
  }
}

/** Fetch, and again after a pause where that cannot do anything twice: nothing was sent, or it only reads. */
async function reach(id: string, url: string, asked: RequestInit): Promise<Response> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await fetch(url, asked);
    } catch (problem) {
      const pause = PAUSES_MS[attempt];
      const reason = causeOf(problem);
      const harmless = asked.method === "GET" || NOT_SENT.includes(reason);
      if (pause === undefined || !harmless || asked.signal?.aborted) throw problem;
      log("warning", "backend_retry", { request_id: id, reason, pause_ms: pause });
      await new Promise((resume) => setTimeout(resume, pause));
    }
  }
}

/** The code of what went wrong below `fetch`, which itself only says that it failed. */
function causeOf(problem: unknown): string {
  const cause = problem instanceof Error ? problem.cause : undefined;
  return cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
}

function forwardedHeaders({ method, headers: given }: Request, id: string): Headers {
  const headers = new Headers({ [REQUEST_ID_HEADER]: id });
  // A sidecar may repeat a call that was carried out: by the key the backend knows it again.
  if (method !== "GET") headers.set("idempotency-key", crypto.randomUUID());
  for (const name of REQUEST_HEADERS) {
    const value = given.get(name);
    if (value !== null) headers.set(name, value);
  }
  const cookie = sessionCookie(given.get("cookie"));
  if (cookie !== null) headers.set("cookie", cookie);
  return headers;
}

function ownHeaders(id: string, more: Record<string, string> = {}): Headers {
  return new Headers({ [REQUEST_ID_HEADER]: id, "Cache-Control": "no-store", ...more });
}

function unreachable(id: string): Response {
  return refusal(502, "The service cannot be reached right now", id);
}

function refusal(status: number, detail: string, id: string, more: Record<string, string> = {}): Response {
  return Response.json({ detail }, { status, headers: ownHeaders(id, more) });
}
