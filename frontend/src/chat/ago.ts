import { localDay } from "@/tasks/day";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAYS_TOLD = 7;

/** How long ago something was, shortly: just now, 5 m, 3 h, yesterday, 4 d, 2 Nov. */
export function ago(then: Date, now: Date): string {
  const passed = now.getTime() - then.getTime();
  if (passed < MINUTE_MS) return "just now";
  if (passed < HOUR_MS) return `${Math.floor(passed / MINUTE_MS)} m`;
  const days = Math.round((Date.parse(localDay(now)) - Date.parse(localDay(then))) / (24 * HOUR_MS));
  if (days === 0) return `${Math.floor(passed / HOUR_MS)} h`;
  if (days === 1) return "yesterday";
  if (days < DAYS_TOLD) return `${days} d`;
  const year = then.getFullYear() === now.getFullYear() ? {} : { year: "numeric" as const };
  return then.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...year });
}
