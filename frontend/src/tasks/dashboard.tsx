"use client";

import { useState } from "react";

import { Confirm } from "@/ui/confirm";

import { Figures } from "./figures";
import { ListEmpty, ListError, ListSkeleton } from "./list-states";
import { QuickAdd } from "./quick-add";
import { counted, type Task, type TaskDraft } from "./task";
import { TaskDialog } from "./task-dialog";
import { TaskItem } from "./task-item";
import { useTaskChanges, useTasks } from "./use-tasks";

const FILTERS = ["all", "pending", "completed"] as const;
type Filter = (typeof FILTERS)[number];
type Open = { kind: "add" } | { kind: "edit"; task: Task } | { kind: "delete"; task: Task } | null;

const shown = (filter: Filter) => (task: Task) => filter === "all" || task.is_completed === (filter === "completed");

/** The task list with all that can be done to it. */
export function Dashboard({ userId }: { userId: string }) {
  const { data, error, isPending, refetch } = useTasks(userId);
  const changes = useTaskChanges(userId);
  const [filter, setFilter] = useState<Filter>("all");
  const [open, setOpen] = useState<Open>(null);

  const list = data ?? counted([]);
  const visible = list.tasks.filter(shown(filter));
  const close = () => setOpen(null);

  function save(draft: TaskDraft): void {
    if (open?.kind === "edit") changes.edit.mutate({ task: open.task, draft });
    else changes.add.mutate(draft);
    close();
  }

  return (
    <div className="space-y-4">
      <Figures list={list} />
      <QuickAdd onAdd={(draft) => changes.add.mutate(draft)} onDetails={() => setOpen({ kind: "add" })} />
      <section aria-label="Tasks" aria-busy={isPending} className="card overflow-hidden">
        <div role="group" aria-label="Filter" className="flex gap-1 border-b border-line p-2">
          {FILTERS.map((choice) => (
            <button
              key={choice}
              type="button"
              aria-pressed={filter === choice}
              onClick={() => setFilter(choice)}
              className="rounded-lg px-3 py-1.5 text-sm capitalize text-muted hover:bg-raised aria-pressed:bg-accent-soft aria-pressed:font-semibold aria-pressed:text-accent"
            >
              {choice}
            </button>
          ))}
        </div>
        {isPending && <ListSkeleton />}
        {error && !data && <ListError text={error.message} onRetry={() => void refetch()} />}
        {data && visible.length > 0 && (
          <ul className="divide-y divide-line">
            {visible.map((task) => (
              <TaskItem
                key={task.id}
                task={task}
                onToggle={(toggled) => changes.toggle.mutate(toggled)}
                onEdit={(edited) => setOpen({ kind: "edit", task: edited })}
                onDelete={(doomed) => setOpen({ kind: "delete", task: doomed })}
              />
            ))}
          </ul>
        )}
        {data && visible.length === 0 && <Nothing filter={filter} total={list.total} />}
      </section>
      {(open?.kind === "add" || open?.kind === "edit") && (
        <TaskDialog task={open.kind === "edit" ? open.task : null} onSave={save} onClose={close} />
      )}
      {open?.kind === "delete" && (
        <Confirm
          title="Delete this task?"
          text={`“${open.task.title}” will be gone for good.`}
          action="Delete"
          onClose={close}
          onConfirm={() => {
            changes.remove.mutate(open.task);
            close();
          }}
        />
      )}
    </div>
  );
}

function Nothing({ filter, total }: { filter: Filter; total: number }) {
  if (total === 0) return <ListEmpty title="No tasks yet" text="Write one above, or tell the assistant about it." />;
  if (filter === "pending") return <ListEmpty title="All done" text="Nothing is left to do." />;
  return <ListEmpty title="Nothing completed yet" text="Tick a task, and it shows here." />;
}
