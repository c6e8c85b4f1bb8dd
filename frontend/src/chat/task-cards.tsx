import { DueBadge, PriorityBadge } from "@/tasks/badges";
import { Icon } from "@/ui/icon";

import type { ReplyTask } from "./reply";

/** The tasks that an answer lists, numbered: "complete the second one" is understood. */
export function TaskCards({ tasks }: { tasks: ReplyTask[] }) {
  const now = new Date();
  return (
    <ol className="divide-y divide-line border-y border-line">
      {tasks.map((task, place) => (
        <li key={place} className="flex items-start gap-2.5 py-2">
          <span
            className={`mt-1 flex size-4.5 shrink-0 items-center justify-center rounded-full border ${task.completed ? "border-accent bg-accent text-on-accent" : "border-edge"}`}
          >
            {task.completed && <Icon name="check" className="size-3" />}
            <span className="sr-only">{task.completed ? "Completed:" : "Pending:"}</span>
          </span>
          <span className="min-w-0 flex-1">
            <span className={`block break-words ${task.completed ? "text-muted line-through" : ""}`}>
              {place + 1}. {task.title}
            </span>
            <span className="mt-0.5 flex flex-wrap gap-x-3 gap-y-1 text-sm text-muted">
              <PriorityBadge priority={task.priority} />
              {task.due !== null && !task.completed && <DueBadge stored={task.due} now={now} />}
            </span>
          </span>
        </li>
      ))}
    </ol>
  );
}
