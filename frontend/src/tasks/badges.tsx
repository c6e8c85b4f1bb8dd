import { due } from "./day";
import type { Priority } from "./task";

const PRIORITY_STYLES: Record<Priority, { text: string; dot: string }> = {
  high: { text: "text-danger", dot: "bg-danger" },
  medium: { text: "text-muted", dot: "bg-edge" },
  low: { text: "text-muted", dot: "border border-edge" },
};

/** How urgent a task is, in a word; the mark before it can be told at a glance. */
export function PriorityBadge({ priority }: { priority: Priority }) {
  const { text, dot } = PRIORITY_STYLES[priority];
  return (
    <span className={`inline-flex items-center gap-1.5 capitalize ${text}`}>
      <span aria-hidden="true" className={`size-2 rounded-full ${dot}`} />
      {priority}
    </span>
  );
}

const DUE_STYLES = {
  overdue: "bg-danger-soft font-medium text-danger",
  today: "bg-warn-soft font-medium text-warn",
  later: "bg-raised text-info",
};

export function DueBadge({ stored, now }: { stored: string; now: Date }) {
  const { state, text } = due(stored, now);
  return <span className={`rounded px-1.5 py-px ${DUE_STYLES[state]}`}>{text}</span>;
}
