import { auth } from "./auth";
import { accepted, authRoute, type AuthRoute } from "./auth-routes";
import { readObject } from "./body";
import { ADDRESS_HEADER, clientAddress, network } from "./client-address";
import { deviceCookie, knownDevice } from "./known-device";
import { count, giveBack, type Limit } from "./limits";
import { log, reason } from "./log";
import { fromOwnPages } from "./origin";
import { REQUEST_ID_HEADER, requestId } from "./request-id";
import { logRefusal } from "./security-log";

const PREFIX = "/api/auth/";
const LARGEST_BODY_BYTES = 16 * 1024;
const MINUTE_S = 60;
const QUARTER_S = 15 * MINUTE_S;
const HOUR_S = 60 * MINUTE_S;

type Handler = (request: Request) => Promise<Response>;

/**
 * Hand a request to Better Auth, bounded and counted.
 *
 * Answers of its own: 400 a field that cannot be taken, 403 foreign page, 404 and 405 unknown way, 413 body too large,
 * 429 too many, 503 the database fails. Every answer carries the request's id, and each refusal is one line of the log.
 */
export async function handleAuth(request: Request, library: Handler = (asked) => auth().handler(asked)): Promise<Response> {
  const id = requestId(request.headers.get(REQUEST_ID_HEADER));
  const path = new URL(request.url).pathname.slice(PREFIX.length);
  const route = authRoute(path);
  let response: Response;
  try {
    response = route === null ? refusal(404, "Not found") : await answer(request, path, route, library);
  } catch (problem) {
    log("error", "auth_unavailable", { request_id: id, reason: reason(problem) });
    response = refusal(503, "Signing in is not possible right now");
  }
  logRefusal(response.status, id, route === null ? "auth" : `auth/${path}`);
  const headers = new Headers(response.headers);
  headers.set(REQUEST_ID_HEADER, id);
  headers.set("Cache-Control", "no-store");
  return new Response(response.body, { status: response.status, headers });
}

async function answer(request: Request, path: string, route: AuthRoute, library: Handler): Promise<Response> {
  if (request.method !== route.method) return refusal(405, "Method not allowed", { Allow: route.method });
  if (!fromOwnPages(request)) return refusal(403, "This request came from another site");
  if (route.method === "GET") return library(passedOn(request, undefined));
  const given = await readObject(request, LARGEST_BODY_BYTES);
  if (given === "too large") return refusal(413, "The request is too large");
  const fields = accepted(route, given ?? {});
  if (typeof fields === "string") return refusal(400, `${fields} is too long, or has characters that cannot be used.`);
  const { all, failures } = limitsOf(request, path, fields);
  const wait = await count(...all);
  if (wait > 0) {
    return refusal(429, `Too many attempts. Please wait ${inWords(wait)}.`, { "Retry-After": String(wait) });
  }
  const response = await library(passedOn(request, fields));
  if (path === "sign-up/email") return signedUp(response);
  if (path !== "sign-in/email" || !response.ok) return response;
  await giveBack(...failures);
  const email = String(fields.email);
  const headers = new Headers(response.headers);
  headers.append("Set-Cookie", deviceCookie(email, knownDevice(request.headers.get("cookie"), email) ?? undefined));
  return new Response(response.body, { status: response.status, headers });
}

/** What is counted: `failures` of it are taken back when signing in succeeds. */
function limitsOf(request: Request, path: string, fields: Readonly<Record<string, unknown>>): { all: Limit[]; failures: Limit[] } {
  const from = network(clientAddress(request.headers));
  const account = String(fields.email ?? "").toLowerCase();
  const byAddress = (most: number, seconds: number): Limit => ({ name: path, most, seconds, key: from });
  switch (path) {
    case "sign-in/email": {
      const device = knownDevice(request.headers.get("cookie"), account);
      const ofAccount: Limit[] =
        device === null
          ? [
              { name: "account-address", most: 20, seconds: QUARTER_S, key: `${account} ${from}` },
              { name: "account", most: 100, seconds: QUARTER_S, key: account },
            ]
          : [{ name: "device", most: 20, seconds: QUARTER_S, key: device }];
      const failures = [byAddress(60, MINUTE_S), ...ofAccount];
      return { all: failures, failures };
    }
    case "sign-up/email":
      return { all: [byAddress(60, MINUTE_S)], failures: [] };
    case "request-password-reset":
      return { all: [byAddress(5, MINUTE_S), { name: "reset-account", most: 5, seconds: HOUR_S, key: account }], failures: [] };
    case "reset-password":
      return { all: [byAddress(10, MINUTE_S)], failures: [] };
    default:
      return { all: [], failures: [] };
  }
}

/** One answer for a new address and for a known one: who it belongs to is nobody else's business. */
function signedUp(response: Response): Response {
  const hidden = response.ok || response.status === 422;
  return hidden ? Response.json({ status: true }) : response;
}

/** The request as the library gets it: the fields that it needs, and an address that nobody made up. */
function passedOn(request: Request, fields: Record<string, unknown> | undefined): Request {
  const headers = new Headers(request.headers);
  headers.delete("content-length");
  headers.set(ADDRESS_HEADER, clientAddress(request.headers));
  if (fields === undefined) return new Request(request.url, { method: request.method, headers });
  headers.set("content-type", "application/json");
  return new Request(request.url, { method: request.method, headers, body: JSON.stringify(fields) });
}

function inWords(seconds: number): string {
  return seconds <= 90 ? `${seconds} seconds` : `${Math.ceil(seconds / MINUTE_S)} minutes`;
}

function refusal(status: number, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ message }, { status, headers });
}
