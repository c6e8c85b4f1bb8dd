"use client";

import Link from "next/link";

import { ListEmpty, ListError, ListSkeleton } from "@/tasks/list-states";
import { TaskItem } from "@/tasks/task-item";
import { figuresOf, tasksOf } from "@/tasks/task-pages";
import { useTaskChanges, useTasks } from "@/tasks/use-tasks";

/** The task list beside the chat; it follows what the assistant does. */
export function TaskPanel({ userId }: { userId: string }) {
  const { data, error, isPending, refetch } = useTasks(userId);
  const { toggle } = useTaskChanges(userId);
  const tasks = data ? tasksOf(data) : [];

  return (
    <section aria-label="Tasks" className="card flex min-h-0 flex-col overflow-hidden">
      <header className="flex items-center justify-between border-b border-line px-4 py-3">
        <h2 className="font-semibold">
          Tasks
          {data && <span className="ml-2 text-sm font-normal text-muted">{figuresOf(data).pending} open</span>}
        </h2>
        <Link href="/dashboard" className="link text-sm">
          Manage
        </Link>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto">
        {isPending && <ListSkeleton rows={3} />}
        {error && !data && <ListError text={error.message} onRetry={() => void refetch()} />}
        {data && tasks.length === 0 && <ListEmpty title="No tasks yet" text="Ask the assistant to add one." />}
        {tasks.length > 0 && (
          <ul className="divide-y divide-line">
            {tasks.map((task) => (
              <TaskItem key={task.id} task={task} onToggle={(toggled) => toggle.mutateAsync(toggled)} />
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}
