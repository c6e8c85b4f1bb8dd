"use client";

import { type FormEvent, useId, useRef, useState } from "react";

import { Dialog } from "@/ui/dialog";

import { dayOf, localDay, storedDay, timeOf } from "./day";
import {
  draftErrors,
  type DraftErrors,
  LONGEST_DESCRIPTION,
  LONGEST_TITLE,
  PRIORITIES,
  type Priority,
  type Task,
  type TaskDraft,
} from "./task";

const PRESETS = [
  { label: "Today", ahead: 0 },
  { label: "Tomorrow", ahead: 1 },
  { label: "In a week", ahead: 7 },
  { label: "In a month", ahead: 30 },
];

/** `task` is edited; without one, a new task begins with `title`. */
type Properties = { task: Task | null; title?: string; onSave: (draft: TaskDraft) => Promise<void>; onClose: () => void };

/** Adds a task, or edits the given one. */
export function TaskDialog({ task, title: begun = "", onSave, onClose }: Properties) {
  const id = useId();
  const titleField = useRef<HTMLInputElement>(null);
  const [title, setTitle] = useState(task?.title ?? begun);
  const [description, setDescription] = useState(task?.description ?? "");
  const [priority, setPriority] = useState<Priority>(task?.priority ?? "medium");
  const [day, setDay] = useState(task?.target_completion_date ? dayOf(task.target_completion_date) : "");
  const [time, setTime] = useState(task?.target_completion_date ? timeOf(task.target_completion_date) : "");
  const [errors, setErrors] = useState<DraftErrors>({});

  const [saving, setSaving] = useState(false);
  const now = JSON.stringify([title, description, priority, day, time]);
  const [before] = useState(now);

  /** Whoever typed something is asked before it goes. */
  function leave(): void {
    if (now === before || window.confirm("Discard what you typed?")) onClose();
  }

  function save(event: FormEvent): void {
    event.preventDefault();
    const found = draftErrors({ title, description, day });
    setErrors(found);
    if (found.title !== undefined) titleField.current?.focus();
    if (Object.keys(found).length > 0) return;
    setSaving(true);
    onSave({
      title: title.trim(),
      description: description.trim(),
      priority,
      target_completion_date: day === "" ? null : storedDay(day, time),
    }).catch(() => setSaving(false));
  }

  return (
    <Dialog title={task ? "Edit task" : "Add a task"} onClose={leave}>
      <form onSubmit={save} noValidate className="space-y-4">
        <div>
          <label htmlFor={`${id}-title`} className="mb-1.5 block font-medium">
            Title
          </label>
          <input
            id={`${id}-title`}
            ref={titleField}
            className="field"
            value={title}
            onChange={(event) => setTitle(event.target.value)}
            maxLength={LONGEST_TITLE}
            aria-invalid={errors.title !== undefined}
            aria-describedby={`${id}-title-error`}
          />
          <p id={`${id}-title-error`} className="mt-1 text-sm text-danger empty:hidden">
            {errors.title}
          </p>
        </div>
        <div>
          <label htmlFor={`${id}-description`} className="mb-1.5 flex justify-between font-medium">
            Description
            <span className="font-normal text-muted">
              {description.length}/{LONGEST_DESCRIPTION}
            </span>
          </label>
          <textarea
            id={`${id}-description`}
            className="field min-h-20 resize-y"
            value={description}
            onChange={(event) => setDescription(event.target.value)}
            maxLength={LONGEST_DESCRIPTION}
            aria-invalid={errors.description !== undefined}
            aria-describedby={`${id}-description-error`}
          />
          <p id={`${id}-description-error`} className="mt-1 text-sm text-danger empty:hidden">
            {errors.description}
          </p>
        </div>
        <fieldset>
          <legend className="mb-1.5 font-medium">Priority</legend>
          <div className="grid grid-cols-3 gap-1 rounded-lg bg-raised p-1">
            {PRIORITIES.map((choice) => (
              <label
                key={choice}
                className="cursor-pointer rounded-md py-1.5 text-center capitalize text-muted has-checked:bg-surface has-checked:font-semibold has-checked:text-ink has-checked:shadow-xs has-focus-visible:outline-2 has-focus-visible:outline-accent"
              >
                <input
                  type="radio"
                  name="priority"
                  className="sr-only"
                  checked={priority === choice}
                  onChange={() => setPriority(choice)}
                />
                {choice}
              </label>
            ))}
          </div>
        </fieldset>
        <div>
          <label htmlFor={`${id}-due`} className="mb-1.5 block font-medium">
            Due date
          </label>
          <div className="flex gap-2">
            <input
              id={`${id}-due`}
              type="date"
              min="1900-01-01"
              max="9998-12-31"
              className="field min-w-0 flex-1"
              value={day}
              aria-invalid={errors.day !== undefined}
              aria-describedby={`${id}-due-error`}
              onChange={(event) => setDay(event.target.value)}
            />
            <input
              type="time"
              aria-label="Time"
              className="field w-32"
              value={time}
              disabled={day === ""}
              onChange={(event) => setTime(event.target.value)}
            />
          </div>
          <p id={`${id}-due-error`} className="mt-1 text-sm text-danger empty:hidden">
            {errors.day}
          </p>
          <div className="mt-2 flex flex-wrap gap-2">
            {PRESETS.map(({ label, ahead }) => (
              <button
                key={label}
                type="button"
                className="chip"
                onClick={() => setDay(localDay(new Date(), ahead))}
              >
                {label}
              </button>
            ))}
            {day !== "" && (
              <button type="button" className="chip" onClick={() => setDay("")}>
                No date
              </button>
            )}
          </div>
        </div>
        <div className="flex justify-end gap-3 pt-2">
          <button type="button" className="button-quiet" onClick={leave}>
            Cancel
          </button>
          <button type="submit" className="button-primary" disabled={saving}>
            {task ? "Save" : "Add task"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
