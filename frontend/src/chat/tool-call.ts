import type { ToolCall } from "./message";

type Words = { done: string; failed: string };

const WORDS: Readonly<Record<string, Words>> = {
  add_task: { done: "added", failed: "could not add" },
  list_tasks: { done: "read the list", failed: "could not read the list" },
  search_tasks: { done: "searched the list", failed: "could not search the list" },
  get_task: { done: "read", failed: "could not read" },
  update_task: { done: "changed", failed: "could not change" },
  complete_task: { done: "completed", failed: "could not complete" },
  delete_task: { done: "deleted", failed: "could not delete" },
};

export type Described = { text: string; failed: boolean };

/** A tool call in words, such as: added “Buy milk”. Results of any form are taken; an unknown tool keeps its name. */
export function describe({ tool, arguments: given, result }: ToolCall): Described {
  const outcome = record(parsed(result));
  const failed = outcome.success === false || outcome.error !== undefined || outcome.isError === true;
  const words = wordsFor(tool, record(parsed(given)));
  const verb = words ? (failed ? words.failed : words.done) : failed ? `${tool} failed` : tool;
  const title = titleOf(outcome) ?? titleOf(record(parsed(given)));
  const count = tool === "list_tasks" && !failed ? total(outcome) : null;
  if (count !== null) return { text: `${verb}: ${count} ${count === 1 ? "task" : "tasks"}`, failed };
  return { text: title === null ? verb : `${verb} “${title}”`, failed };
}

function wordsFor(tool: string, given: Record<string, unknown>): Words | undefined {
  if (tool === "complete_task" && given.completed === false) return { done: "reopened", failed: "could not reopen" };
  return WORDS[tool];
}

/** Some servers give arguments and results as JSON text. */
function parsed(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** A title at the top, or inside the envelopes `task` and `data`. */
function titleOf(value: Record<string, unknown>): string | null {
  for (const holder of [value, record(value.task), record(value.data)]) {
    if (typeof holder.title === "string" && holder.title !== "") return holder.title;
  }
  return null;
}

function total(outcome: Record<string, unknown>): number | null {
  for (const holder of [outcome, record(outcome.data)]) {
    if (typeof holder.total === "number") return holder.total;
    if (Array.isArray(holder.tasks)) return holder.tasks.length;
  }
  return null;
}
