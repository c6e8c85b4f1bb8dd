/** One JSON line per event on standard output. Callers pass no bodies, cookies, addresses or secrets. */

import { ConfigurationError } from "./configuration";

export type LogLevel = "info" | "warning" | "error";

export function log(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>> = {}): void {
  const line = { time: new Date().toISOString(), level, service: "frontend", event, ...fields };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Why something failed, fit for the log: of a database's own errors the code alone, since their text can quote rows. */
export function reason(problem: unknown): string {
  if (problem instanceof ConfigurationError) return problem.message;
  if (!(problem instanceof Error)) return "unknown failure";
  const code = "code" in problem ? String(problem.code) : null;
  if ("severity" in problem) return `database error ${code}`;
  return code === null ? problem.name : `${problem.name} ${code}: ${problem.message}`;
}
