/** A due date is a calendar day, kept as midnight UTC: it must not shift with the reader's time zone. */

const DAY_MS = 24 * 3_600 * 1_000;

/** Of a stored time, its day as YYYY-MM-DD. */
export function dayOf(stored: string): string {
  return stored.slice(0, 10);
}

/** A day (YYYY-MM-DD) as the stored time. */
export function storedDay(day: string): string {
  return `${day}T00:00:00Z`;
}

/** The reader's day, `ahead` days from now. */
export function localDay(now: Date, ahead = 0): string {
  const date = new Date(now.getFullYear(), now.getMonth(), now.getDate() + ahead);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

export type Due = { state: "overdue" | "today" | "later"; text: string };

/** How near a due date is, in words. */
export function due(stored: string, now: Date): Due {
  const day = dayOf(stored);
  const days = Math.round((Date.parse(day) - Date.parse(localDay(now))) / DAY_MS);
  if (days < 0) return { state: "overdue", text: days === -1 ? "Due yesterday" : `Due ${dayText(day, now)}` };
  if (days === 0) return { state: "today", text: "Due today" };
  return { state: "later", text: days === 1 ? "Due tomorrow" : `Due ${dayText(day, now)}` };
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
