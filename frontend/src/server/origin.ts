import { trustedOrigins } from "./configuration";

const READING = ["GET", "HEAD", "OPTIONS"];

/**
 * Whether a request that changes something comes from our own pages.
 *
 * Browsers name the origin on every such request. One without an origin is no browser's page, and the cookie's
 * SameSite=lax keeps other sites from sending it with the session.
 */
export function fromOwnPages(request: Request): boolean {
  if (READING.includes(request.method)) return true;
  const origin = request.headers.get("origin");
  if (origin === null) return true;
  if (!URL.canParse(origin)) return false;
  return new URL(origin).host === request.headers.get("host") || trustedOrigins().includes(origin);
}
