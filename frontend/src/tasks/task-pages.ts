import type { InfiniteData } from "@tanstack/react-query";

import type { Task, TaskDraft, TaskPage } from "./task";
import type { TaskQuery } from "./task-query";

/** The part of the list that was loaded, page by page. */
export type TaskPages = InfiniteData<TaskPage>;

export type Change =
  | { kind: "add"; task: Task }
  | { kind: "edit"; id: string; draft: TaskDraft }
  | { kind: "toggle"; task: Task }
  | { kind: "remove"; task: Task };

export const tasksOf = (pages: TaskPages): Task[] => pages.pages.flatMap(({ tasks }) => tasks);

/** The numbers of the list, as the newest page tells them. */
export function figuresOf({ pages }: TaskPages): Omit<TaskPage, "tasks"> {
  const { total, completed, pending, matching } = pages.at(-1) ?? NOTHING;
  return { total, completed, pending, matching };
}

const NOTHING: TaskPage = { tasks: [], total: 0, completed: 0, pending: 0, matching: 0 };

/**
 * What the list will look like once the server has made the change. A task that no longer fits the query stays in its
 * place until the list is loaded again: a row that vanishes under the pointer is worse than one that lingers.
 */
export function changed(pages: TaskPages, query: TaskQuery, change: Change): TaskPages {
  switch (change.kind) {
    case "add": {
      const seen = query.search === "" && query.status !== "completed" && query.status !== "overdue";
      const fits = seen && (query.priority === "any" || query.priority === change.task.priority);
      const added = withFigures(pages, { total: 1, pending: 1, matching: fits ? 1 : 0 });
      return fits ? withTasks(added, (tasks, page) => (page === 0 ? [change.task, ...tasks] : tasks)) : added;
    }
    case "edit":
      return withTasks(pages, (tasks) => tasks.map((task) => (task.id === change.id ? { ...task, ...change.draft } : task)));
    case "toggle": {
      const step = change.task.is_completed ? -1 : 1;
      const ticked = (task: Task): Task => (task.id === change.task.id ? toggled(change.task) : task);
      return withTasks(withFigures(pages, { completed: step, pending: -step }), (tasks) => tasks.map(ticked));
    }
    case "remove": {
      const was = change.task.is_completed ? { completed: -1 } : { pending: -1 };
      const fewer = withFigures(pages, { total: -1, matching: -1, ...was });
      return withTasks(fewer, (tasks) => tasks.filter(({ id }) => id !== change.task.id));
    }
  }
}

function withTasks(pages: TaskPages, edit: (tasks: Task[], page: number) => Task[]): TaskPages {
  return { ...pages, pages: pages.pages.map((page, place) => ({ ...page, tasks: edit(page.tasks, place) })) };
}

function withFigures(pages: TaskPages, more: Partial<Omit<TaskPage, "tasks">>): TaskPages {
  const { total = 0, completed = 0, pending = 0, matching = 0 } = more;
  return {
    ...pages,
    pages: pages.pages.map((page) => ({
      ...page,
      total: page.total + total,
      completed: page.completed + completed,
      pending: page.pending + pending,
      matching: page.matching + matching,
    })),
  };
}

function toggled(task: Task): Task {
  const completed = !task.is_completed;
  return { ...task, is_completed: completed, completed_at: completed ? new Date().toISOString() : null };
}
