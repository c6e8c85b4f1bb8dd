"use client";

import { useCallback, useMemo, useRef, useState } from "react";

import { Confirm } from "@/ui/confirm";

import { Figures } from "./figures";
import { ListEmpty, ListError, ListSkeleton } from "./list-states";
import { QuickAdd } from "./quick-add";
import { ShortcutsDialog } from "./shortcuts-dialog";
import type { Task, TaskDraft } from "./task";
import { TaskDialog } from "./task-dialog";
import { TaskFilters } from "./task-filters";
import { TaskItem } from "./task-item";
import { figuresOf, tasksOf } from "./task-pages";
import { EVERYTHING, narrows, parametersOf, type TaskQuery } from "./task-query";
import { useShortcuts } from "./use-shortcuts";
import { useTaskChanges, useTasks } from "./use-tasks";

type Open =
  | { kind: "add"; title: string }
  | { kind: "edit"; task: Task }
  | { kind: "delete"; task: Task }
  | { kind: "shortcuts" }
  | null;

type Properties = { userId: string; initial?: TaskQuery };

/** The task list with all that can be done to it. What is shown of it stands in the address, and outlives a reload. */
export function Dashboard({ userId, initial = EVERYTHING }: Properties) {
  const [query, setQuery] = useState(initial);
  // A new number begins the filters anew: what is typed there may be ahead of the query.
  const [resets, setResets] = useState(0);
  const [open, setOpen] = useState<Open>(null);
  const newTask = useRef<HTMLInputElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const list = useTasks(userId, query);
  const changes = useTaskChanges(userId);

  useShortcuts(
    useMemo(
      () => ({
        n: () => newTask.current?.focus(),
        "/": () => search.current?.focus(),
        "?": () => setOpen({ kind: "shortcuts" }),
      }),
      [],
    ),
  );

  const ask = useCallback((wanted: TaskQuery) => {
    setQuery(wanted);
    const parameters = parametersOf(wanted).toString();
    window.history.replaceState(null, "", parameters === "" ? "/dashboard" : `/dashboard?${parameters}`);
  }, []);

  const close = () => setOpen(null);

  function showAll(): void {
    setResets((before) => before + 1);
    ask(EVERYTHING);
  }

  /** The dialog closes once the server has it: what was typed is not lost with a request. */
  async function save(draft: TaskDraft): Promise<void> {
    await (open?.kind === "edit" ? changes.edit.mutateAsync({ task: open.task, draft }) : changes.add.mutateAsync(draft));
    close();
  }

  const tasks = list.data ? tasksOf(list.data) : [];
  const figures = list.data ? figuresOf(list.data) : null;

  return (
    <div className="space-y-5">
      <Figures figures={figures} />
      <QuickAdd userId={userId} field={newTask} onAdd={(draft) => changes.add.mutateAsync(draft)} onDetails={(title) => setOpen({ kind: "add", title })} />
      <TaskFilters key={resets} query={query} onChange={ask} searchField={search} />
      <section aria-label="Tasks" aria-busy={list.isPending || list.isPlaceholderData} className="card overflow-hidden">
        {list.isPending && <ListSkeleton />}
        {list.error && !list.data && <ListError text={list.error.message} onRetry={() => void list.refetch()} />}
        {tasks.length > 0 && (
          <ul className={`divide-y divide-line transition-opacity ${list.isPlaceholderData ? "opacity-60" : ""}`}>
            {tasks.map((task) => (
              <TaskItem
                key={task.id}
                task={task}
                onToggle={(toggled) => changes.toggle.mutateAsync(toggled)}
                onEdit={(edited) => setOpen({ kind: "edit", task: edited })}
                onDelete={(doomed) => setOpen({ kind: "delete", task: doomed })}
              />
            ))}
          </ul>
        )}
        {list.data && tasks.length === 0 && <Nothing query={query} total={figures?.total ?? 0} onShowAll={showAll} />}
      </section>
      <footer className="flex flex-wrap items-center justify-between gap-3 text-sm text-muted">
        <p role="status">{list.data && figures && narrows(query) && (tasks.length > 0 ? `${figures.matching} of ${figures.total} tasks` : "No matching tasks")}</p>
        {list.hasNextPage && (
          <button type="button" className="button-quiet" onClick={() => void list.fetchNextPage()} disabled={list.isFetchingNextPage}>
            {list.isFetchingNextPage ? "Loading…" : `Show more (${(figures?.matching ?? 0) - tasks.length} left)`}
          </button>
        )}
        <button type="button" className="link max-sm:hidden" onClick={() => setOpen({ kind: "shortcuts" })}>
          Keyboard <kbd className="kbd">?</kbd>
        </button>
      </footer>
      {(open?.kind === "add" || open?.kind === "edit") && (
        <TaskDialog
          task={open.kind === "edit" ? open.task : null}
          title={open.kind === "add" ? open.title : ""}
          onSave={save}
          onClose={close}
        />
      )}
      {open?.kind === "delete" && (
        <Confirm
          title="Delete this task?"
          text={`“${open.task.title}” will be permanently deleted.`}
          action="Delete"
          onClose={close}
          onConfirm={() => {
            changes.remove.mutate(open.task);
            close();
          }}
        />
      )}
      {open?.kind === "shortcuts" && <ShortcutsDialog onClose={close} />}
    </div>
  );
}

function Nothing({ query, total, onShowAll }: { query: TaskQuery; total: number; onShowAll: () => void }) {
  if (total === 0) return <ListEmpty title="No tasks yet" text="Write one above, or tell the assistant about it." />;
  const { status } = query;
  if (status !== "all" && query.search === "" && query.priority === "any") return <ListEmpty {...NOTHING[status]} />;
  return (
    <ListEmpty title="No matching tasks" text="Try other words or clear the filters.">
      <button type="button" className="button-quiet mt-2" onClick={onShowAll}>
        Show all tasks
      </button>
    </ListEmpty>
  );
}

const NOTHING = {
  pending: { title: "All done", text: "Nothing is left to do." },
  completed: { title: "Nothing completed yet", text: "Completed tasks will appear here." },
  overdue: { title: "Nothing is overdue", text: "You're all caught up." },
};
