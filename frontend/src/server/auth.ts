import { betterAuth, type BetterAuthOptions } from "better-auth";

import { LONGEST_PASSWORD, SHORTEST_PASSWORD } from "@/account/validation";

import { ADDRESS_HEADER } from "./client-address";
import { authSecret, publicUrl, trustedOrigins } from "./configuration";
import { database } from "./database";
import { count } from "./limits";
import { log, reason } from "./log";
import { canSendMail, type Mail, sendMail } from "./mail";

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
      // A new account is signed in by its password, as any other; so that signing up says nothing about who is known.
      autoSignIn: false,
      ...(canSendMail() ? { sendResetPassword, onExistingUserSignUp: sendNotice } : {}),
    },
    // No cookie cache: a session that was ended is refused at once, here as in the backend.
    session: { expiresIn: 24 * HOUR_S, updateAge: HOUR_S, cookieCache: { enabled: false } },
    advanced: {
      ipAddress: { ipAddressHeaders: [ADDRESS_HEADER] },
      useSecureCookies: address.protocol === "https:",
      // Said aloud, because the library drops the check of its own accord where it takes itself to be under test.
      disableOriginCheck: false,
      disableCSRFCheck: false,
      // The migrations may run after this process has started; a comparison then would be kept until it ends.
      database: { validateSchema: false },
      defaultCookieAttributes: { httpOnly: true, sameSite: "lax", path: "/" },
    },
    // Counted in sign-in.ts: by account as well as by address, for all replicas.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    // What is no answer to the visitor is thrown: the route logs it in one line and answers 503.
    onAPIError: { throw: true },
    logger: {
      // What it warns of are refusals, which the route logs with the request's id.
      level: "error",
      // Its further arguments can hold e-mail addresses and statements; the message alone is enough.
      log: (_, message) => log("error", "auth", { message }),
    },
  } satisfies BetterAuthOptions;
}

/**
 * Mail the link that sets a new password. It is sent on its own time: how long that takes must not tell whether there
 * is such an account, and a mail that fails is only logged. Nothing in it was chosen by whoever asked for it.
 */
async function sendResetPassword({ user, token }: { user: { email: string }; token: string }): Promise<void> {
  const link = new URL("/auth/reset-password", publicUrl());
  link.searchParams.set("token", token);
  const text = `Hello,\n\nthis link sets a new password for Todo AI. It works once, for one hour:\n\n${link}\n\nIf you did not ask for it, nothing has to be done.\n`;
  send({ to: user.email, subject: "A new password for Todo AI", text });
}

/** Tell the owner of an address that somebody tried to sign up with it; the visitor is told what everybody is told. */
async function sendNotice({ user }: { user: { email: string } }): Promise<void> {
  const wait = await count({ name: "notice", most: 1, seconds: HOUR_S, key: user.email });
  if (wait > 0) return;
  const [signIn, renew] = ["/auth/signin", "/auth/forgot-password"].map((path) => new URL(path, publicUrl()));
  const text = `Hello,\n\nsomebody tried to sign up for Todo AI with this address, which has an account already. If it was you, sign in:\n\n${signIn}\n\nor set a new password:\n\n${renew}\n\nIf it was not, nothing has to be done.\n`;
  send({ to: user.email, subject: "You have an account at Todo AI", text });
}

function send(mail: Mail): void {
  void sendMail(mail).catch((problem: unknown) => log("error", "mail_failed", { reason: reason(problem) }));
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
