import { Pool, type PoolConfig } from "pg";
import { parse, toClientConfig } from "pg-connection-string";

import { ConfigurationError, databaseUrl } from "./configuration";
import { log } from "./log";

const CONNECTIONS = 5;
/** Many sign-ups at once keep this process busy with hashing: whoever waits for a connection then waits, and is served. */
const CONNECT_TIMEOUT_MS = 15_000;
const QUERY_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 30_000;

const MODES = ["disable", "require", "verify-ca", "verify-full"];
const LOCAL_HOSTS = ["", "localhost", "127.0.0.1", "::1"];

/**
 * Read a libpq address with libpq's meaning of `sslmode` and `sslrootcert`.
 *
 * `verify-full` checks the certificate chain and the host's name. A mode that may fall back to plain text
 * (`prefer`, `allow`, or none towards another host) is refused rather than guessed.
 */
export function poolOptions(url: string): PoolConfig {
  const { sslmode, host } = libpqParameters(url);
  if (sslmode === null ? !LOCAL_HOSTS.includes(host) : !MODES.includes(sslmode)) {
    throw new ConfigurationError(`DATABASE_URL needs sslmode= one of ${MODES.join(", ")}`);
  }
  let options: PoolConfig;
  try {
    options = toClientConfig(parse(url, { useLibpqCompat: true }));
  } catch (problem) {
    throw new ConfigurationError(`DATABASE_URL cannot be used: ${reason(problem)}`);
  }
  if (sslmode?.startsWith("verify-")) {
    options.ssl = { ...(typeof options.ssl === "object" ? options.ssl : {}), rejectUnauthorized: true };
  }
  return {
    ...options,
    application_name: "todo-frontend",
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
  };
}

function libpqParameters(url: string): { sslmode: string | null; host: string } {
  if (!URL.canParse(url)) throw new ConfigurationError("DATABASE_URL is not an address");
  const { protocol, searchParams, hostname } = new URL(url);
  if (protocol !== "postgresql:" && protocol !== "postgres:") {
    throw new ConfigurationError("DATABASE_URL must begin with postgresql://");
  }
  return { sslmode: searchParams.get("sslmode"), host: hostname };
}

/** Why the address was refused, without the address: it holds a password. */
function reason(problem: unknown): string {
  if (problem instanceof Error && "code" in problem && "path" in problem) {
    return `${String(problem.path)} (sslrootcert) could not be read: ${String(problem.code)}`;
  }
  return "it does not parse";
}

let pool: Pool | undefined;

/** The one pool of this process, made when it is first needed; it connects when it is first asked. */
export function database(): Pool {
  if (!pool) {
    pool = new Pool(poolOptions(databaseUrl()));
    // A connection that dies while idle is replaced by the pool; unheard, this event would end the process.
    pool.on("error", (problem) => log("warning", "database_connection_lost", { reason: problem.message }));
  }
  return pool;
}
