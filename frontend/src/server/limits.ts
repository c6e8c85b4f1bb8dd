import { createHmac } from "node:crypto";

import { authSecret } from "./configuration";
import { database } from "./database";

/** At most `most` in `seconds`, for what `key` names. The counts lie in the database, so that they hold for all replicas. */
export type Limit = { readonly name: string; readonly most: number; readonly seconds: number; readonly key: string };

/** Count one for each limit in turn; the seconds to wait at the first that is exceeded, else 0. */
export async function count(...limits: Limit[]): Promise<number> {
  for (const limit of limits) {
    const { rows } = await database().query<{ wait: number }>("SELECT rate_limit_count($1, $2, $3) AS wait", [
      digest(limit),
      limit.most,
      limit.seconds,
    ]);
    const wait = Number(rows[0]?.wait ?? 0);
    if (wait > 0) return wait;
  }
  return 0;
}

/** Take back what `count` counted: it was not what the limits are against. */
export async function giveBack(...limits: Limit[]): Promise<void> {
  for (const limit of limits) await database().query("SELECT rate_limit_give_back($1)", [digest(limit)]);
}

/** Addresses and accounts are nothing to keep: a keyed digest counts as well. */
function digest({ name, key }: Limit): string {
  return `${name}:${createHmac("sha256", authSecret()).update(`${name}:${key}`).digest("base64url")}`;
}
