import { betterAuth, type BetterAuthOptions } from "better-auth";

import { LONGEST_PASSWORD, SHORTEST_PASSWORD } from "@/account/validation";

import { authSecret, publicUrl, trustedOrigins } from "./configuration";
import { database } from "./database";
import { log, reason } from "./log";
import { canSendMail, sendMail } from "./mail";

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
    emailAndPassword: {
      enabled: true,
      minPasswordLength: SHORTEST_PASSWORD,
      maxPasswordLength: LONGEST_PASSWORD,
      resetPasswordTokenExpiresIn: HOUR_S,
      revokeSessionsOnPasswordReset: true,
      ...(canSendMail() ? { sendResetPassword } : {}),
    },
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
        "/request-password-reset": { window: 60, max: 5 },
        "/reset-password": { window: 60, max: 10 },
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

/**
 * Mail the link that sets a new password. It is sent on its own time: how long that takes must not tell whether there
 * is such an account, and a mail that fails is only logged.
 */
async function sendResetPassword({ user, token }: { user: { name: string; email: string }; token: string }): Promise<void> {
  const link = new URL("/auth/reset-password", publicUrl());
  link.searchParams.set("token", token);
  const text = `Hello ${user.name},\n\nthis link sets a new password. It works once, for one hour:\n\n${link}\n\nIf you did not ask for it, nothing has to be done.\n`;
  void sendMail({ to: user.email, subject: "A new password for Todo AI", text }).catch((problem: unknown) =>
    log("error", "mail_failed", { reason: reason(problem) }),
  );
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
