import { PRIORITIES, type Priority } from "@/tasks/task";

export type ReplyTask = {
  title: string;
  priority: Priority;
  completed: boolean;
  due: string | null;
};

export type ReplyPart = { kind: "text"; text: string } | { kind: "tasks"; tasks: ReplyTask[] };

const BLOCK = /```json\s*\n([\s\S]*?)```/g;

/** Cut a reply into its words and its task blocks (fenced JSON with `tasks`); a block that does not fit stays words. */
export function replyParts(reply: string): ReplyPart[] {
  const parts: ReplyPart[] = [];
  let end = 0;
  const words = (upTo: number, tasks: ReplyTask[] = []) => {
    const text = withoutListed(reply.slice(end, upTo), tasks).trim();
    if (text !== "") parts.push({ kind: "text", text });
  };
  for (const block of reply.matchAll(BLOCK)) {
    const tasks = tasksIn(block[1] ?? "");
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

function tasksIn(json: string): ReplyTask[] | null {
  try {
    const { tasks } = JSON.parse(json) as { tasks?: unknown };
    if (!Array.isArray(tasks)) return null;
    const read = tasks.map(replyTask);
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
