export const HOME = "/dashboard";

const BASE = "http://here.invalid";

/** Where to go after signing in: only a path of ours, never another site. */
export function callbackPath(given: string | string[] | undefined): string {
  if (typeof given !== "string" || !given.startsWith("/") || !URL.canParse(given, BASE)) return HOME;
  const url = new URL(given, BASE);
  if (url.origin !== BASE || url.pathname.startsWith("/auth/") || url.pathname.startsWith("/api/")) return HOME;
  return url.pathname + url.search + url.hash;
}
