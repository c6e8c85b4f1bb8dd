export const HOME = "/dashboard";

/** The pages that signing in may lead to: those that ask for it. */
const PAGES: readonly string[] = [HOME, "/chat"];

const BASE = "http://here.invalid";

/**
 * Where to go after signing in: a page of ours, with its query.
 *
 * What is returned is judged, not what was given: a path that only becomes another site's once its dot segments,
 * backslashes or tabs are gone is none of the pages.
 */
export function callbackPath(given: string | string[] | undefined): string {
  if (typeof given !== "string" || !given.startsWith("/") || !URL.canParse(given, BASE)) return HOME;
  const { origin, pathname, search, hash } = new URL(given, BASE);
  return origin === BASE && PAGES.includes(pathname) ? pathname + search + hash : HOME;
}
