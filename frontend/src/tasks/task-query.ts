import { PRIORITIES, type Priority } from "./task";

export const STATUSES = ["all", "pending", "completed", "overdue"] as const;
export type Status = (typeof STATUSES)[number];

/** Each with the direction that people expect of it: newest, soonest, most urgent, from A on. */
export const SORTS = ["created", "due", "priority", "title"] as const;
export type Sort = (typeof SORTS)[number];

export const LONGEST_SEARCH = 200;

/** Which tasks are wanted, and in which order. */
export type TaskQuery = { status: Status; priority: Priority | "any"; search: string; sort: Sort };

export const EVERYTHING: TaskQuery = { status: "all", priority: "any", search: "", sort: "created" };

type Given = Record<string, string | string[] | undefined>;

/** The query that an address asks for; what it does not say, or says wrongly, is as in EVERYTHING. */
export function queryFrom(given: Given): TaskQuery {
  const search = given.search;
  return {
    status: STATUSES.find((status) => status === given.status) ?? EVERYTHING.status,
    priority: PRIORITIES.find((priority) => priority === given.priority) ?? EVERYTHING.priority,
    search: typeof search === "string" ? search.trim().slice(0, LONGEST_SEARCH) : EVERYTHING.search,
    sort: SORTS.find((sort) => sort === given.sort) ?? EVERYTHING.sort,
  };
}

/** Only what differs from EVERYTHING: for the page's address, and for the server. */
export function parametersOf(query: TaskQuery): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const name of ["status", "priority", "search", "sort"] as const) {
    if (query[name] !== EVERYTHING[name]) parameters.set(name, query[name]);
  }
  return parameters;
}

/** Whether the query hides anything at all. */
export function narrows({ status, priority, search }: TaskQuery): boolean {
  return status !== "all" || priority !== "any" || search !== "";
}
