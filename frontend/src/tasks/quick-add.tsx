"use client";

import { type FormEvent, type RefObject, useState } from "react";

import { keepDraft, useDraft } from "@/client/draft";

import { useHydrated } from "@/ui/use-hydrated";

import { LONGEST_TITLE, type TaskDraft } from "./task";

type Properties = {
  userId: string;
  field: RefObject<HTMLInputElement | null>;
  onAdd: (draft: TaskDraft) => Promise<unknown>;
  onDetails: (title: string) => void;
};

/** A title and Enter is enough for a task; the dialog takes the rest. */
export function QuickAdd({ userId, field, onAdd, onDetails }: Properties) {
  const draft = `new task of ${userId}`;
  const [title, setTitle] = useState("");
  const kept = useDraft(draft, setTitle);
  const ready = useHydrated();

  function add(event: FormEvent): void {
    event.preventDefault();
    const trimmed = title.trim();
    if (trimmed === "") return;
    setTitle("");
    // Given back when it was not stored: what was typed meanwhile is kept behind it.
    onAdd({ title: trimmed, description: "", priority: "medium", target_completion_date: null }).then(
      () => keepDraft(draft, ""),
      () => setTitle((typed) => [trimmed, typed].join(" ").trim().slice(0, LONGEST_TITLE)),
    );
  }

  return (
    <form onSubmit={add} className="flex flex-wrap gap-2">
      <input
        ref={field}
        className="field min-w-0 flex-1 py-2.5 text-lg max-sm:basis-full"
        aria-label="New task"
        placeholder="What needs doing?"
        value={title}
        maxLength={LONGEST_TITLE}
        onChange={(event) => kept(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
        disabled={!ready}
      />
      <button type="submit" className="button-primary max-sm:flex-1" disabled={title.trim() === ""}>
        Add
      </button>
      <button
        type="button"
        className="button-quiet max-sm:flex-1"
        onClick={() => {
          onDetails(title.trim());
          kept("");
        }}
        disabled={!ready}
      >
        Details<span className="sr-only"> of a new task</span>
      </button>
    </form>
  );
}
