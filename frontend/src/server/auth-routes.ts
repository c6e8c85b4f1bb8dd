/** What of the authentication library can be reached, and what each way takes. All else is 404 before anything is read. */

import { LONGEST_EMAIL, LONGEST_NAME, LONGEST_PASSWORD, UNPRINTABLE } from "@/account/validation";

type Check = (value: unknown) => boolean;
export type AuthRoute = { readonly method: "GET" | "POST"; readonly fields: Readonly<Record<string, Check>> };

/** Longer than the library's own limit, which answers in its own words. */
const PASSWORD_BYTES = 4 * LONGEST_PASSWORD;
const LONGEST_TOKEN = 255;

const line = (most: number): Check => (value) => typeof value === "string" && value.length <= most && !UNPRINTABLE.test(value);
const secret: Check = (value) => typeof value === "string" && value.length <= PASSWORD_BYTES && !/\p{Cs}/u.test(value);
const flag: Check = (value) => typeof value === "boolean";

const email = line(LONGEST_EMAIL);
const ROUTES: Readonly<Record<string, AuthRoute>> = {
  "get-session": { method: "GET", fields: {} },
  "sign-up/email": { method: "POST", fields: { name: line(LONGEST_NAME), email, password: secret } },
  "sign-in/email": { method: "POST", fields: { email, password: secret, rememberMe: flag } },
  "sign-out": { method: "POST", fields: {} },
  "request-password-reset": { method: "POST", fields: { email } },
  "reset-password": { method: "POST", fields: { newPassword: secret, token: line(LONGEST_TOKEN) } },
};

/** The way behind a path below /api/auth/, as it was sent: escapes are not decoded, so none passes. */
export function authRoute(path: string): AuthRoute | null {
  return Object.hasOwn(ROUTES, path) ? (ROUTES[path] ?? null) : null;
}

/** The fields that a way takes, of all that was given; or the name of one that cannot be taken. */
export function accepted(route: AuthRoute, given: Readonly<Record<string, unknown>>): Record<string, unknown> | string {
  const kept: Record<string, unknown> = {};
  for (const [name, fits] of Object.entries(route.fields)) {
    const value = given[name];
    if (value === undefined) continue;
    if (!fits(value)) return name;
    kept[name] = typeof value === "string" && name !== "password" && name !== "newPassword" ? value.trim() : value;
  }
  return kept;
}
