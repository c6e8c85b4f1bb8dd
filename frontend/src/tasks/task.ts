export const PRIORITIES = ["high", "medium", "low"] as const;

export type Priority = (typeof PRIORITIES)[number];

export type Task = {
  id: string;
  title: string;
  description: string;
  priority: Priority;
  is_completed: boolean;
  target_completion_date: string | null;
  created_at: string;
  updated_at: string;
  completed_at: string | null;
};

/** A part of the list. `matching` are the tasks that the query lets through; the other numbers are of all tasks. */
export type TaskPage = { tasks: Task[]; total: number; completed: number; pending: number; matching: number };

/** What a person can state about a task. */
export type TaskDraft = Pick<Task, "title" | "description" | "priority" | "target_completion_date">;

export const LONGEST_TITLE = 200;
export const LONGEST_DESCRIPTION = 1_000;

export type DraftErrors = { title?: string; description?: string; day?: string };

/** The same limits as the database's, told before anything is sent. */
export function draftErrors({ title, description, day = "" }: Pick<TaskDraft, "title" | "description"> & { day?: string }): DraftErrors {
  const errors: DraftErrors = {};
  if (title.trim() === "") errors.title = "A task needs a title.";
  else if (title.trim().length > LONGEST_TITLE) errors.title = `At most ${LONGEST_TITLE} characters.`;
  if (description.trim().length > LONGEST_DESCRIPTION) errors.description = `At most ${LONGEST_DESCRIPTION} characters.`;
  if (day !== "" && (day < "1900" || day.length > 10)) errors.day = "Please choose a year from 1900 on.";
  return errors;
}

const UNSAVED = "unsaved-";

/** A task as it is shown until the server has stored it. */
export function unsaved(draft: TaskDraft, now = new Date()): Task {
  const at = now.toISOString();
  const id = `${UNSAVED}${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
  return { ...draft, id, is_completed: false, created_at: at, updated_at: at, completed_at: null };
}

export const isUnsaved = ({ id }: Pick<Task, "id">): boolean => id.startsWith(UNSAVED);
