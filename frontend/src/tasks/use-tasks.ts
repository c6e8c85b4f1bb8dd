import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { useToast } from "@/ui/toasts";

import { counted, type Task, type TaskDraft, type TaskList } from "./task";
import { addTask, deleteTask, listTasks, toggleTask, updateTask } from "./tasks-api";

export const tasksKey = (userId: string) => ["tasks", userId] as const;

export function useTasks(userId: string) {
  return useQuery({ queryKey: tasksKey(userId), queryFn: ({ signal }) => listTasks(userId, signal) });
}

/**
 * Changes to the list. Each shows at once, is taken back with a word when the server refuses it, and ends with a
 * reload, so that the page shows what is stored.
 */
export function useTaskChanges(userId: string) {
  const client = useQueryClient();
  const toast = useToast();
  const queryKey = tasksKey(userId);

  function options<Input>(
    send: (input: Input) => Promise<unknown>,
    expected: (tasks: Task[], input: Input) => Task[],
    done: (input: Input) => string | null,
  ) {
    return {
      mutationFn: send,
      onMutate: async (input: Input) => {
        await client.cancelQueries({ queryKey });
        const before = client.getQueryData<TaskList>(queryKey);
        if (before) client.setQueryData(queryKey, counted(expected(before.tasks, input)));
        return { before };
      },
      onError: (problem: Error, _input: Input, context: { before: TaskList | undefined } | undefined) => {
        client.setQueryData(queryKey, context?.before);
        toast("failure", problem.message);
      },
      onSuccess: (_result: unknown, input: Input) => {
        const text = done(input);
        if (text !== null) toast("success", text);
      },
      onSettled: () => client.invalidateQueries({ queryKey }),
    };
  }

  const add = useMutation(
    options(
      (draft: TaskDraft) => addTask(userId, draft),
      (tasks) => tasks,
      (draft) => `Added “${draft.title}”`,
    ),
  );
  const edit = useMutation(
    options(
      ({ task, draft }: { task: Task; draft: TaskDraft }) => updateTask(userId, task.id, draft),
      (tasks, { task, draft }) => tasks.map((other) => (other.id === task.id ? { ...other, ...draft } : other)),
      ({ draft }) => `Saved “${draft.title}”`,
    ),
  );
  const toggle = useMutation(
    options(
      (task: Task) => toggleTask(userId, task.id),
      (tasks, task) => tasks.map((other) => (other.id === task.id ? toggled(other) : other)),
      () => null,
    ),
  );
  const remove = useMutation(
    options(
      (task: Task) => deleteTask(userId, task.id),
      (tasks, task) => tasks.filter((other) => other.id !== task.id),
      (task) => `Deleted “${task.title}”`,
    ),
  );
  return { add, edit, toggle, remove };
}

function toggled(task: Task): Task {
  const completed = !task.is_completed;
  return { ...task, is_completed: completed, completed_at: completed ? new Date().toISOString() : null };
}
