import { log } from "./log";

const REFUSALS: Readonly<Record<number, string>> = {
  401: "unauthenticated",
  403: "forbidden",
  413: "body_refused",
  429: "rate_limited",
};

/** One line for an answer that refuses, and none for others. No address, account or path: the request's id leads on. */
export function logRefusal(status: number, requestId: string, route: string, more: Readonly<Record<string, unknown>> = {}): void {
  const event = REFUSALS[status];
  if (event !== undefined) log("warning", event, { security: true, request_id: requestId, route, status, ...more });
}
