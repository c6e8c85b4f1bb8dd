import { readFileSync } from "node:fs";

import { Client, Pool, type PoolConfig } from "pg";

import { ConfigurationError, databaseUrl } from "./configuration";
import { log } from "./log";

const CONNECTIONS = 5;
/** Many sign-ups at once keep this process busy with hashing: whoever waits for a connection then waits, and is served. */
const CONNECT_TIMEOUT_MS = 15_000;
const QUERY_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 30_000;

const MODES = ["disable", "require", "verify-ca", "verify-full"];
const BINDINGS = ["disable", "prefer", "require"];
const PARAMETERS = ["sslmode", "sslrootcert", "channel_binding", "connect_timeout", "options"];
/** As `sslrootcert`: the public authorities, which `verify-full` means by itself. */
const SYSTEM = "system";
const LONGEST_WAIT_S = 60;
const LOCAL_HOSTS = ["", "localhost", "127.0.0.1", "[::1]"];

/**
 * Read a libpq address with libpq's meaning of its parameters; those that the other services cannot carry out are refused,
 * as they refuse those of others (tests/database_urls.json of the project holds all to one table).
 *
 * `verify-full` checks the certificate chain and the host's name. A mode that may fall back to plain text
 * (`prefer`, `allow`, or none towards another host) is refused rather than guessed.
 */
export function poolOptions(url: string): PoolConfig {
  const address = parts(url);
  const parameters = parametersOf(address.search);
  const mode = parameters.get("sslmode");
  if (mode === undefined && !LOCAL_HOSTS.includes(address.hostname)) {
    throw refused(`needs sslmode= one of ${MODES.join(", ")}`);
  }
  const ssl = tls(mode, parameters.get("sslrootcert") ?? SYSTEM);
  const binding = parameters.get("channel_binding") ?? "disable";
  const options = parameters.get("options");
  const wait = parameters.get("connect_timeout");
  return {
    host: decodeURIComponent(address.hostname).replace(/^\[(.+)\]$/, "$1"),
    port: address.port ? Number(address.port) : undefined,
    user: decodeURIComponent(address.username),
    password: decodeURIComponent(address.password),
    database: decodeURIComponent(address.pathname.slice(1)),
    ...(ssl === undefined ? {} : { ssl }),
    ...(options === undefined ? {} : { options }),
    ...(binding === "disable" ? {} : { enableChannelBinding: true }),
    application_name: "todo-frontend",
    max: CONNECTIONS,
    connectionTimeoutMillis: wait === undefined ? CONNECT_TIMEOUT_MS : Number(wait) * 1000,
    query_timeout: QUERY_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
  };
}

/** Why the address is refused, without the address: it holds a password. */
function refused(reason: string): ConfigurationError {
  return new ConfigurationError(`DATABASE_URL ${reason}`);
}

function parts(url: string): URL {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(url) ?? [];
  if (rest === undefined || !/^postgres(ql)?$/i.test(scheme ?? "")) {
    throw refused(`must begin with postgresql://${scheme === "mysql" ? ", not mysql://" : " to be a URL"}`);
  }
  if (unclear(rest)) throw refused("has signs such as # @ / ? % that are not percent-encoded");
  if (/^[^/?]*,/.test(rest.slice(rest.indexOf("@") + 1))) throw refused("names several hosts");
  if (!URL.canParse(url)) throw refused("has a host or a port that cannot be read");
  return new URL(url);
}

/** Whether a sign behind the scheme may mean another thing than it was meant to. */
function unclear(rest: string): boolean {
  const place = rest.split(/[/?]/)[0] ?? "";
  const signs = (text: string) => text.split("@").length - 1;
  if (/[#\s]|%(?![0-9a-f]{2})/i.test(rest) || signs(rest) > Math.min(signs(place), 1)) return true;
  try {
    return /\p{Cc}/u.test(decodeURIComponent(rest));
  } catch {
    return true;
  }
}

function parametersOf(search: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const each of search.slice(1).split("&").filter((text) => text !== "")) {
    const [name = "", ...value] = each.split("=");
    if (!PARAMETERS.includes(name)) throw refused(`has ${name}, which is not one of ${PARAMETERS.join(", ")}`);
    if (found.has(name) || value.join("=") === "") throw refused(`has ${name} twice or empty`);
    found.set(name, decodeURIComponent(value.join("=")));
  }
  const mode = found.get("sslmode") ?? "disable";
  const authority = found.get("sslrootcert");
  const wait = found.get("connect_timeout") ?? "1";
  if (!MODES.includes(mode)) throw refused(`needs sslmode= one of ${MODES.join(", ")}`);
  if (!BINDINGS.includes(found.get("channel_binding") ?? "disable")) throw refused(`needs channel_binding= one of ${BINDINGS.join(", ")}`);
  if ((authority === SYSTEM && mode !== "verify-full") || (authority === undefined && mode === "verify-ca")) {
    throw refused("has sslrootcert and sslmode that do not go together");
  }
  if (!/^\d{1,3}$/.test(wait) || Number(wait) < 1 || Number(wait) > LONGEST_WAIT_S) {
    throw refused(`needs a connect_timeout from 1 to ${LONGEST_WAIT_S} seconds`);
  }
  return found;
}

/** What libpq does for a mode: with a file, `require` checks the chain as well. */
function tls(mode: string | undefined, authority: string): PoolConfig["ssl"] {
  if (mode === undefined) return undefined;
  if (mode === "disable") return false;
  if (mode === "require" && authority === SYSTEM) return { rejectUnauthorized: false };
  const ca = authority === SYSTEM ? {} : { ca: file(authority) };
  const name = mode === "verify-full" ? {} : { checkServerIdentity: () => undefined };
  return { ...ca, ...name, rejectUnauthorized: true };
}

function file(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (problem) {
    const code = problem instanceof Error && "code" in problem ? String(problem.code) : "unknown";
    throw refused(`cannot be used: ${path} (sslrootcert) could not be read: ${code}`);
  }
}

/** A connection as the address and its files say now: the authority may have been renewed since the last one. */
export class FreshClient extends Client {
  constructor(options: PoolConfig = {}) {
    super({ ...options, ...poolOptions(databaseUrl()) });
  }
}

let pool: Pool | undefined;

/** The one pool of this process, made when it is first needed; it connects when it is first asked. */
export function database(): Pool {
  if (!pool) {
    pool = new Pool({ ...poolOptions(databaseUrl()), Client: FreshClient });
    // A connection that dies while idle is replaced by the pool; unheard, this event would end the process.
    pool.on("error", (problem) => log("warning", "database_connection_lost", { reason: problem.message }));
  }
  return pool;
}
