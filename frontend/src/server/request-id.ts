/** The id that ties one click to the log lines of every service it passes. */

export const REQUEST_ID_HEADER = "X-Request-ID";

const ACCEPTABLE = /^[A-Za-z0-9._-]{8,128}$/;

/** The caller's id when it is harmless to log and forward, else a new one. */
export function requestId(given: string | null): string {
  return given !== null && ACCEPTABLE.test(given) ? given : crypto.randomUUID();
}
