import { connection, noteReached } from "./connection";

/** How the browser asks our own server. */

export class ApiError extends Error {
  override readonly name = "ApiError";

  /** `status` 0: the server was not reached. `message` is fit for people. `retryAfter` in seconds, where told. */
  constructor(
    readonly status: number,
    message: string,
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

export type Answer<Body> = { body: Body; requestId: string | null };

type Options = { method?: string; body?: unknown; headers?: Record<string, string>; signal?: AbortSignal };

const OFFLINE = "You're offline, so nothing was saved. Please try again when you're back.";
export const UNREACHED = "The server cannot be reached. Check your connection and try again.";

/** Send JSON, get JSON; anything but success becomes an ApiError. */
export async function ask<Body>(path: string, options: Options = {}): Promise<Answer<Body>> {
  const response = await send(path, options);
  const content: unknown = await response.json().catch(() => null);
  return { body: content as Body, requestId: response.headers.get("X-Request-ID") };
}

/** Send a request and return the successful response, its body unread. What would change something waits for a network. */
export async function send(path: string, { method = "GET", body, headers = {}, signal }: Options = {}): Promise<Response> {
  if (method !== "GET" && connection() === "offline") throw new ApiError(0, OFFLINE);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        Accept: "application/json",
        // The day of the person, not of the server, decides what is overdue, and what "tomorrow" means.
        "X-Time-Zone": Intl.DateTimeFormat().resolvedOptions().timeZone,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    });
  } catch (problem) {
    if (signal?.aborted) throw problem;
    noteReached(false);
    throw new ApiError(0, UNREACHED);
  }
  noteReached(true);
  if (response.ok) return response;
  const content: unknown = await response.json().catch(() => null);
  throw new ApiError(response.status, explanation(response.status, content), waitTold(response.headers.get("Retry-After")));
}

const FALLBACKS: Readonly<Record<number, string>> = {
  401: "Your session has ended. Please sign in again.",
  403: "You don't have access to this.",
  404: "This no longer exists.",
  429: "Too many requests. Please wait a moment.",
  502: "The service cannot be reached right now. Please try again.",
  503: "The service is not available right now. Please try again.",
  504: "The service took too long to answer. Please try again.",
};

/** The server's own words where it gave some, else ours. FastAPI lists validation errors under `detail`. */
export function explanation(status: number, content: unknown): string {
  const fallback = FALLBACKS[status] ?? "Something went wrong. Please try again.";
  if (typeof content !== "object" || content === null) return fallback;
  const { detail, message } = content as { detail?: unknown; message?: unknown };
  if (typeof detail === "string" && detail !== "") return detail;
  if (typeof message === "string" && message !== "") return message;
  if (Array.isArray(detail)) {
    const [first] = detail as { msg?: unknown }[];
    if (typeof first?.msg === "string") return first.msg;
  }
  return fallback;
}

/** Retry-After in seconds; a date, which the header may be too, is not used by our services. */
function waitTold(header: string | null): number | null {
  const seconds = Number(header ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}
