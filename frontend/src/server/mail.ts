import { ConfigurationError } from "./configuration";

type Environment = Readonly<Record<string, string | undefined>>;

export type Mail = { to: string; subject: string; text: string; replyTo?: string };

const SUBMISSION_PORT = 587;
/** The port on which TLS begins at once; on all others the server is asked for it first. */
const TLS_PORT = 465;
const TIMEOUT_MS = 10_000;

/** What an operator sets so that mail can be sent. */
export const MAIL_SETTINGS = "SMTP_HOST and SMTP_FROM (and SMTP_PORT, SMTP_USER, SMTP_PASSWORD where the server wants them)";

export function canSendMail(environment: Environment = process.env): boolean {
  return given(environment.SMTP_HOST) && given(environment.SMTP_FROM);
}

/** To whom the contact form writes; null where it cannot. */
export function contactAddress(environment: Environment = process.env): string | null {
  const address = environment.CONTACT_EMAIL_TO?.trim() ?? "";
  return canSendMail(environment) && address !== "" ? address : null;
}

/** How the server is reached. A password is never sent over a connection in plain text. */
export function transportOptions(environment: Environment = process.env) {
  const port = Number(environment.SMTP_PORT ?? SUBMISSION_PORT);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new ConfigurationError("SMTP_PORT must be a port's number");
  const user = environment.SMTP_USER ?? "";
  const timeouts = { connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS };
  return {
    host: environment.SMTP_HOST ?? "",
    port,
    secure: port === TLS_PORT,
    requireTLS: user !== "" && port !== TLS_PORT,
    ...(user === "" ? {} : { auth: { user, pass: environment.SMTP_PASSWORD ?? "" } }),
    ...timeouts,
  };
}

/** Hand a mail to the server. Throws when it does not take it. */
export async function sendMail({ to, subject, text, replyTo }: Mail): Promise<void> {
  // Loaded when there is something to send: most installations never do.
  const { createTransport } = await import("nodemailer");
  const transport = createTransport(transportOptions());
  await transport.sendMail({ from: process.env.SMTP_FROM, to, subject, text, ...(replyTo === undefined ? {} : { replyTo }) });
}

function given(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== "";
}
