/**
 * A due date is a calendar day with an optional time of day, kept as it was written and marked as UTC: it must not
 * shift with the reader's time zone. Midnight is the day alone.
 */

const DAY_MS = 24 * 3_600 * 1_000;

/** Of a stored time, its day as YYYY-MM-DD. */
export function dayOf(stored: string): string {
  return stored.slice(0, 10);
}

/** Of a stored time, its time of day as HH:MM; empty for the day alone. */
export function timeOf(stored: string): string {
  const time = stored.slice(11, 16);
  return time === "00:00" ? "" : time;
}

/** A day (YYYY-MM-DD), and a time of day (HH:MM) or none, as the stored time. */
export function storedDay(day: string, time = ""): string {
  return `${day}T${time === "" ? "00:00" : time}:00Z`;
}

/** The reader's day, `ahead` days from now. */
export function localDay(now: Date, ahead = 0): string {
  const date = new Date(now.getFullYear(), now.getMonth(), now.getDate() + ahead);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

const NEAR = new Map([[-1, "yesterday"], [0, "today"], [1, "tomorrow"]]);

export type Due = { state: "overdue" | "today" | "later"; text: string };

/** How near a due date is, in words. */
export function due(stored: string, now: Date): Due {
  const day = dayOf(stored);
  const days = Math.round((Date.parse(day) - Date.parse(localDay(now))) / DAY_MS);
  const name = NEAR.get(days) ?? dayText(day, now);
  const time = timeOf(stored);
  const text = `Due ${name}${time === "" ? "" : `, ${time}`}`;
  return { state: days < 0 ? "overdue" : days === 0 ? "today" : "later", text };
}

/** A stored time as the reader's day, such as "23 Nov"; with the year when it is another one. */
export function shortDate(stored: string, now: Date): string {
  return dayText(localDay(inUtc(stored)), now);
}

/** A stored time; without a zone it is UTC. */
export function inUtc(stored: string): Date {
  return new Date(/(?:Z|[+-]\d\d:?\d\d)$/.test(stored) ? stored : `${stored}Z`);
}

function dayText(day: string, now: Date): string {
  const date = new Date(`${day}T00:00:00Z`);
  const year = date.getUTCFullYear() === now.getFullYear() ? {} : { year: "numeric" as const };
  return date.toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC", ...year });
}
