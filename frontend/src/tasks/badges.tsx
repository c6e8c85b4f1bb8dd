import { Icon } from "@/ui/icon";

import { due } from "./day";
import type { Priority } from "./task";

const PRIORITY_STYLES: Record<Priority, string> = {
  high: "bg-danger-soft text-danger",
  medium: "bg-warn-soft text-warn",
  low: "bg-raised text-muted",
};

export function PriorityBadge({ priority }: { priority: Priority }) {
  return <span className={`badge capitalize ${PRIORITY_STYLES[priority]}`}>{priority}</span>;
}

const DUE_STYLES = {
  overdue: "bg-danger-soft text-danger",
  today: "bg-warn-soft text-warn",
  later: "bg-info-soft text-info",
};

export function DueBadge({ stored, now }: { stored: string; now: Date }) {
  const { state, text } = due(stored, now);
  return (
    <span className={`badge ${DUE_STYLES[state]}`}>
      <Icon name="calendar" className="size-3.5" />
      {text}
    </span>
  );
}
