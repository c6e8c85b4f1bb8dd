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

export type TaskList = { tasks: Task[]; total: number; completed: number; pending: number };

/** What a person can state about a task. */
export type TaskDraft = Pick<Task, "title" | "description" | "priority" | "target_completion_date">;

export const LONGEST_TITLE = 200;
export const LONGEST_DESCRIPTION = 1_000;

export type DraftErrors = { title?: string; description?: string };

/** The same limits as the database's, told before anything is sent. */
export function draftErrors({ title, description }: Pick<TaskDraft, "title" | "description">): DraftErrors {
  const errors: DraftErrors = {};
  if (title.trim() === "") errors.title = "A task needs a title.";
  else if (title.trim().length > LONGEST_TITLE) errors.title = `At most ${LONGEST_TITLE} characters.`;
  if (description.trim().length > LONGEST_DESCRIPTION) errors.description = `At most ${LONGEST_DESCRIPTION} characters.`;
  return errors;
}

/** The list with its figures counted anew. */
export function counted(tasks: Task[]): TaskList {
  const completed = tasks.filter((task) => task.is_completed).length;
  return { tasks, total: tasks.length, completed, pending: tasks.length - completed };
}
