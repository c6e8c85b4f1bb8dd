/** How the browser asks our own server. */

export class ApiError extends Error {
  override readonly name = "ApiError";

  /** `status` 0: the server was not reached. `message` is fit for people. */
  constructor(
    readonly status: number,
    message: string,
    readonly requestId: string | null = null,
  ) {
    super(message);
  }
}

export type Answer<Body> = { body: Body; requestId: string | null };

type Options = { method?: string; body?: unknown; signal?: AbortSignal };

/** Send JSON, get JSON; anything but success becomes an ApiError. */
export async function ask<Body>(path: string, { method = "GET", body, signal }: Options = {}): Promise<Answer<Body>> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    });
  } catch (problem) {
    if (signal?.aborted) throw problem;
    throw new ApiError(0, "The server cannot be reached. Check your connection and try again.");
  }
  const requestId = response.headers.get("X-Request-ID");
  const content: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(response.status, explanation(response.status, content), requestId);
  return { body: content as Body, requestId };
}

const FALLBACKS: Readonly<Record<number, string>> = {
  401: "Your session has ended. Please sign in again.",
  403: "This is not yours to see.",
  404: "This no longer exists.",
  429: "Too many requests. Please wait a moment.",
  502: "The service cannot be reached right now. Please try again.",
  503: "The service is not available right now. Please try again.",
  504: "The service took too long to answer. Please try again.",
};

/** The server's own words where it gave some, else ours. FastAPI lists validation errors under `detail`. */
function explanation(status: number, content: unknown): string {
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
