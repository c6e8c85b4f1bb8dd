import { PRIORITIES, type Priority } from "@/tasks/task";

import type { ToolCall } from "./message";

export type ReplyTask = {
  title: string;
  priority: Priority;
  completed: boolean;
  due: string | null;
};

export type ReplyPart = { kind: "text"; text: string } | { kind: "tasks"; tasks: ReplyTask[] };

/** Fences stand at a line's begin and at a line's end, where no JSON text can have one: it holds no line breaks. */
const BLOCK = /^```json[ \t]*\n([\s\S]*?)```[ \t]*$/gm;

/**
 * Cut a reply into its words and its lists of tasks (fenced JSON with `tasks`). What a list shows comes from the
 * results of the tools: a block only says which of those tasks, and one that names any other task stays words.
 */
export function replyParts(reply: string, toolCalls: ToolCall[]): ReplyPart[] {
  const known = knownTasks(toolCalls);
  const parts: ReplyPart[] = [];
  let end = 0;
  const words = (upTo: number, tasks: ReplyTask[] = []) => {
    const text = withoutListed(reply.slice(end, upTo), tasks).trim();
    if (text !== "") parts.push({ kind: "text", text });
  };
  for (const block of reply.matchAll(BLOCK)) {
    const tasks = tasksIn(block[1] ?? "", known);
    if (tasks === null) continue;
    words(block.index, tasks);
    if (tasks.length > 0) parts.push({ kind: "tasks", tasks });
    end = block.index + block[0].length;
  }
  words(reply.length);
  return parts;
}

/** What can be shown of a reply that is still coming: without a block that has begun and not ended. */
export function withoutOpenBlock(reply: string): string {
  const fences = [...reply.matchAll(/```/g)];
  const last = fences.at(-1);
  return last !== undefined && fences.length % 2 === 1 ? reply.slice(0, last.index) : reply;
}

/** The text without the numbered lines that only repeat the tasks of the block after it. */
function withoutListed(text: string, tasks: ReplyTask[]): string {
  const repeats = (line: string) => /^\s*\d+[.)]\s/.test(line) && tasks.some(({ title }) => line.includes(title));
  return text
    .split("\n")
    .filter((line) => !repeats(line))
    .join("\n");
}

type Known = Record<string, unknown>;

/** The tasks that the tools gave, newest first, by id and by title. */
function knownTasks(toolCalls: ToolCall[]): Known[] {
  const held = (value: unknown): Known[] => {
    if (typeof value === "string") return held(parsed(value));
    if (Array.isArray(value)) return value.flatMap(held);
    if (typeof value !== "object" || value === null) return [];
    const given = value as Known;
    return typeof given.title === "string" ? [given] : Object.values(given).flatMap(held);
  };
  return toolCalls.map(({ result }) => held(result)).reverse().flat();
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

/** The task that is meant, as a tool gave it: by its id, or by its title where the reply leaves ids out. */
function meant(listed: unknown, known: Known[]): Known | undefined {
  if (typeof listed !== "object" || listed === null) return undefined;
  const { id, title } = listed as Known;
  return known.find((task) => (id === undefined ? task.title === title : task.id === id));
}

function tasksIn(json: string, known: Known[]): ReplyTask[] | null {
  try {
    const { tasks } = JSON.parse(json) as { tasks?: unknown };
    if (!Array.isArray(tasks)) return null;
    const read = tasks.map((task) => replyTask(meant(task, known)));
    return read.every((task) => task !== null) ? read : null;
  } catch {
    return null;
  }
}

function replyTask(value: unknown): ReplyTask | null {
  if (typeof value !== "object" || value === null) return null;
  const given = value as Record<string, unknown>;
  if (typeof given.title !== "string" || given.title === "") return null;
  const due = given.target_completion_date ?? given.due_date;
  return {
    title: given.title,
    priority: PRIORITIES.find((priority) => priority === given.priority) ?? "medium",
    completed: given.is_completed === true || given.completed === true || given.status === "completed",
    due: typeof due === "string" && !Number.isNaN(Date.parse(due)) ? due : null,
  };
}
