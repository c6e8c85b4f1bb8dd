import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";

import { authSecret, publicUrl } from "./configuration";

const NAME = "todo.device";
const HALF_A_YEAR_S = 180 * 24 * 3_600;
const VALUE = /(?:^|;\s*)todo\.device=([0-9a-f-]{36})\.([A-Za-z0-9_-]{43})(?:;|$)/;

/**
 * A browser from which this account has signed in before: its id, or null.
 *
 * It has a count of wrong passwords of its own, so nobody elsewhere can use up the attempts of the account's owner.
 */
export function knownDevice(cookies: string | null, email: string): string | null {
  const [, id, given] = VALUE.exec(cookies ?? "") ?? [];
  if (id === undefined || given === undefined) return null;
  const wanted = sign(id, email);
  return timingSafeEqual(Buffer.from(given), Buffer.from(wanted)) ? id : null;
}

/** The cookie that says so from now on. */
export function deviceCookie(email: string, id: string = randomUUID()): string {
  const secure = publicUrl().protocol === "https:" ? "; Secure" : "";
  return `${NAME}=${id}.${sign(id, email)}; Path=/api/auth; Max-Age=${HALF_A_YEAR_S}; HttpOnly; SameSite=Lax${secure}`;
}

function sign(id: string, email: string): string {
  return createHmac("sha256", authSecret()).update(`device:${id}:${email.toLowerCase()}`).digest("base64url");
}
