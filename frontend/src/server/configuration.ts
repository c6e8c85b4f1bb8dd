/** What the deployment tells the server, read from the environment when it is asked for: nothing is fixed at build time. */

export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

type Environment = Readonly<Record<string, string | undefined>>;

const SHORTEST_SECRET = 32;

function required(name: string, environment: Environment): string {
  const value = environment[name]?.trim();
  if (!value) throw new ConfigurationError(`${name} is not set`);
  return value;
}

function webAddress(name: string, environment: Environment): URL {
  const value = required(name, environment);
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new ConfigurationError(`${name} must be an http or https address`);
  }
  return url;
}

export function databaseUrl(environment: Environment = process.env): string {
  return required("DATABASE_URL", environment);
}

/** Signs the session cookies; the backend checks them with the same value. */
export function authSecret(environment: Environment = process.env): string {
  const secret = required("BETTER_AUTH_SECRET", environment);
  if (secret.length < SHORTEST_SECRET) {
    throw new ConfigurationError(`BETTER_AUTH_SECRET must have at least ${SHORTEST_SECRET} characters`);
  }
  return secret;
}

/** The address under which people reach the application. */
export function publicUrl(environment: Environment = process.env): URL {
  return webAddress("BETTER_AUTH_URL", environment);
}

/** Every origin whose pages may change data: the public one and those listed besides, separated by commas. */
export function trustedOrigins(environment: Environment = process.env): string[] {
  const others = (environment.BETTER_AUTH_TRUSTED_ORIGINS ?? "").split(",").map((origin) => origin.trim());
  return [publicUrl(environment).origin, ...others.filter((origin) => origin !== "")];
}

/** Where the backend is, without a slash at the end; it may have a path of its own. */
export function backendUrl(environment: Environment = process.env): string {
  return webAddress("BACKEND_URL", environment).href.replace(/\/+$/, "");
}

/** How many proxies stand before this server, each of which adds the address it was asked from to X-Forwarded-For. */
export function trustedProxies(environment: Environment = process.env): number {
  const count = Number(environment.TRUSTED_PROXIES ?? 1);
  if (!Number.isInteger(count) || count < 0 || count > 10) {
    throw new ConfigurationError("TRUSTED_PROXIES must be a number of proxies, from 0 to 10");
  }
  return count;
}
