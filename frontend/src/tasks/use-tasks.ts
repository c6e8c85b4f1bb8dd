import { keepPreviousData, type QueryKey, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";

import { tellTabs } from "@/client/tabs";
import { useToast } from "@/ui/toasts";

import { type Task, type TaskDraft, unsaved } from "./task";
import { type Change, changed, type TaskPages } from "./task-pages";
import { EVERYTHING, type TaskQuery } from "./task-query";
import { addTask, deleteTask, listTasks, toggleTask, updateTask } from "./tasks-api";

/** Of all that is kept of a person's tasks, whichever were asked for. */
export const tasksKey = (userId: string) => ["tasks", userId] as const;

export function useTasks(userId: string, query: TaskQuery = EVERYTHING) {
  return useInfiniteQuery({
    queryKey: [...tasksKey(userId), query],
    queryFn: ({ signal, pageParam }) => listTasks(userId, query, pageParam, signal),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const loaded = pages.reduce((sum, { tasks }) => sum + tasks.length, 0);
      return last.tasks.length > 0 && loaded < last.matching ? loaded : undefined;
    },
    placeholderData: keepPreviousData,
  });
}

/**
 * Changes to the list. Each shows at once, is taken back with a word when the server refuses it, and ends with a
 * reload, so that the page shows what is stored. They reach the server one after another, in the order they were made.
 */
export function useTaskChanges(userId: string) {
  const client = useQueryClient();
  const toast = useToast();
  const queryKey = tasksKey(userId);
  const mutationKey = ["change", ...queryKey];
  const alone = () => client.isMutating({ mutationKey }) <= 1;

  function options<Input>(send: (input: Input) => Promise<unknown>, expected: (input: Input) => Change, done: (input: Input) => string | null) {
    return {
      mutationKey,
      scope: { id: mutationKey.join(" ") },
      mutationFn: send,
      onMutate: async (input: Input) => {
        await client.cancelQueries({ queryKey });
        const before = client.getQueriesData<TaskPages>({ queryKey });
        const change = expected(input);
        for (const [key, pages] of before) {
          if (pages) client.setQueryData(key, changed(pages, queryOf(key), change));
        }
        return { before };
      },
      onError: (problem: Error, _input: Input, context: { before: [QueryKey, TaskPages | undefined][] } | undefined) => {
        // With other changes under way the old state would take theirs back too; the reload after the last tells the truth.
        if (alone()) for (const [key, pages] of context?.before ?? []) client.setQueryData(key, pages);
        toast("failure", problem.message);
      },
      onSuccess: (_result: unknown, input: Input) => {
        tellTabs();
        const text = done(input);
        if (text !== null) toast("success", text);
      },
      onSettled: () => (alone() ? client.invalidateQueries({ queryKey }) : undefined),
    };
  }

  const add = useMutation(
    options(
      (draft: TaskDraft) => addTask(userId, draft),
      (draft) => ({ kind: "add", task: unsaved(draft) }),
      (draft) => `Added “${draft.title}”`,
    ),
  );
  const edit = useMutation(
    options(
      ({ task, draft }: { task: Task; draft: TaskDraft }) => updateTask(userId, task.id, draft),
      ({ task, draft }) => ({ kind: "edit", id: task.id, draft }),
      ({ draft }) => `Saved “${draft.title}”`,
    ),
  );
  const toggle = useMutation(
    options(
      (task: Task) => toggleTask(userId, task.id),
      (task) => ({ kind: "toggle", task }),
      () => null,
    ),
  );
  const remove = useMutation(
    options(
      (task: Task) => deleteTask(userId, task.id),
      (task) => ({ kind: "remove", task }),
      (task) => `Deleted “${task.title}”`,
    ),
  );
  return { add, edit, toggle, remove };
}

const queryOf = (key: QueryKey): TaskQuery => key[2] as TaskQuery;
