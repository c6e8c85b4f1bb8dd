"use client";

import { type FormEvent, useState } from "react";

import { useHydrated } from "@/ui/use-hydrated";
import { Icon } from "@/ui/icon";

import { LONGEST_TITLE, type TaskDraft } from "./task";

type Properties = { onAdd: (draft: TaskDraft) => void; onDetails: () => void };

/** A title and Enter is enough for a task; the dialog takes the rest. */
export function QuickAdd({ onAdd, onDetails }: Properties) {
  const [title, setTitle] = useState("");
  const ready = useHydrated();

  function add(event: FormEvent): void {
    event.preventDefault();
    const trimmed = title.trim();
    if (trimmed === "") return;
    onAdd({ title: trimmed, description: "", priority: "medium", target_completion_date: null });
    setTitle("");
  }

  return (
    <form onSubmit={add} className="flex flex-wrap gap-2">
      <input
        className="field min-w-0 flex-1 max-sm:basis-full"
        aria-label="New task"
        placeholder="What needs doing?"
        value={title}
        maxLength={LONGEST_TITLE}
        onChange={(event) => setTitle(event.target.value)}
        disabled={!ready}
      />
      <button type="submit" className="button-primary max-sm:flex-1" disabled={title.trim() === ""}>
        <Icon name="plus" />
        Add
      </button>
      <button type="button" className="button-quiet px-3" onClick={onDetails} disabled={!ready}>
        Details<span className="sr-only"> of a new task</span>
      </button>
    </form>
  );
}
