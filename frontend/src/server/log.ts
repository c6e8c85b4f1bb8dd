/** One JSON line per event on standard output. Callers pass no bodies, cookies, addresses or secrets. */

export type LogLevel = "info" | "warning" | "error";

export function log(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>> = {}): void {
  const line = { time: new Date().toISOString(), level, service: "frontend", event, ...fields };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
