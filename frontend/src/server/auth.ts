import { betterAuth, type BetterAuthOptions } from "better-auth";

import { authSecret, publicUrl, trustedOrigins } from "./configuration";
import { database } from "./database";
import { log } from "./log";

const HOUR_S = 3_600;

/** How people sign in; the tables are made by the backend's migrations. */
export function authOptions(tables: BetterAuthOptions["database"]) {
  const address = publicUrl();
  return {
    appName: "Todo AI",
    baseURL: address.origin,
    basePath: "/api/auth",
    secret: authSecret(),
    trustedOrigins: trustedOrigins(),
    database: tables,
    emailAndPassword: { enabled: true, minPasswordLength: 8, maxPasswordLength: 128 },
    // No cookie cache: a session that was ended is refused at once, here as in the backend.
    session: { expiresIn: 24 * HOUR_S, updateAge: HOUR_S, cookieCache: { enabled: false } },
    advanced: {
      useSecureCookies: address.protocol === "https:",
      // Said aloud, because the library drops the check of its own accord where it takes itself to be under test.
      disableOriginCheck: false,
      disableCSRFCheck: false,
      // The migrations may run after this process has started; a comparison then would be kept until it ends.
      database: { validateSchema: false },
      defaultCookieAttributes: { httpOnly: true, sameSite: "lax", path: "/" },
    },
    rateLimit: {
      enabled: true,
      window: 60,
      max: 300,
      customRules: {
        "/sign-in/email": { window: 60, max: 30 },
        "/sign-up/email": { window: 60, max: 60 },
      },
    },
    telemetry: { enabled: false },
    // What is no answer to the visitor is thrown: the route logs it in one line and answers 503.
    onAPIError: { throw: true },
    logger: {
      level: "warn",
      // Its further arguments can hold e-mail addresses and statements; the message alone is enough.
      log: (level, message) => log(level === "error" ? "error" : "warning", "auth", { message }),
    },
  } satisfies BetterAuthOptions;
}

function build() {
  return betterAuth(authOptions(database()));
}

let instance: ReturnType<typeof build> | undefined;

/** Better Auth, made at the first request: the build and the liveness probe need neither secret nor database. */
export function auth(): ReturnType<typeof build> {
  instance ??= build();
  return instance;
}
