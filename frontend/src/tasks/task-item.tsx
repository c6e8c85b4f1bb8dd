"use client";

import { useRef, useState } from "react";

import { Icon } from "@/ui/icon";

import { DueBadge, PriorityBadge } from "./badges";
import { shortDate } from "./day";
import { isUnsaved, type Task } from "./task";

type Properties = {
  task: Task;
  /** Ends when the list shows what is stored. */
  onToggle: (task: Task) => Promise<unknown>;
  onEdit?: (task: Task) => void;
  onDelete?: (task: Task) => void;
};

/** One task; without `onEdit` and `onDelete` it is the short form beside the chat. */
export function TaskItem({ task, onToggle, onEdit, onDelete }: Properties) {
  const now = new Date();
  const [wanted, tick] = useTick(task, onToggle);
  const completed = wanted ?? task.is_completed;
  const waiting = isUnsaved(task);
  return (
    <li
      data-testid="task-item"
      data-task-id={task.id}
      aria-busy={waiting}
      className={`flex items-start gap-3 px-4 py-3 ${waiting ? "opacity-60" : ""}`}
    >
      <input
        type="checkbox"
        checked={completed}
        disabled={waiting}
        onChange={(event) => tick(event.target.checked)}
        aria-label={`Completed: ${task.title}`}
        className="tick mt-0.5"
      />
      <div className="min-w-0 flex-1">
        <p className={`break-words ${completed ? "text-muted line-through decoration-1" : "font-medium"}`}>{task.title}</p>
        {onEdit && task.description !== "" && (
          <p className="mt-0.5 line-clamp-3 break-words whitespace-pre-line text-muted">{task.description}</p>
        )}
        <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-muted">
          <PriorityBadge priority={task.priority} />
          {!completed && task.target_completion_date !== null && <DueBadge stored={task.target_completion_date} now={now} />}
          {onEdit && (
            <span>
              {completed && task.completed_at !== null
                ? `Completed ${shortDate(task.completed_at, now)}`
                : `Added ${shortDate(task.created_at, now)}`}
            </span>
          )}
        </p>
      </div>
      {onEdit && onDelete && !waiting && (
        <div className="-mr-1.5 flex shrink-0">
          <button type="button" className="icon-button text-edge" onClick={() => onEdit(task)} aria-label={`Edit ${task.title}`} title="Edit">
            <Icon name="pencil" />
          </button>
          <button
            type="button"
            className="icon-button text-edge hover:text-danger"
            onClick={() => onDelete(task)}
            aria-label={`Delete ${task.title}`}
            title="Delete"
          >
            <Icon name="trash" />
          </button>
        </div>
      )}
    </li>
  );
}

/**
 * What was clicked, from the click on until the list is loaded again: meanwhile the list may still be the old one, and
 * a tick that falls back reads as one that failed. Null while nothing is under way.
 */
function useTick(task: Task, onToggle: Properties["onToggle"]): [boolean | null, (checked: boolean) => void] {
  const [wanted, setWanted] = useState<boolean | null>(null);
  const clicks = useRef(0);

  function tick(checked: boolean): void {
    const click = ++clicks.current;
    setWanted(checked);
    const settled = () => click === clicks.current && setWanted(null);
    onToggle({ ...task, is_completed: !checked }).then(settled, settled);
  }

  return [wanted, tick];
}
