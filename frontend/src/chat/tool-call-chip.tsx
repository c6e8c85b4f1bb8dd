import { Icon } from "@/ui/icon";

import type { ToolCall } from "./message";
import { describe } from "./tool-call";

export function ToolCallChip({ call }: { call: ToolCall }) {
  const { text, failed } = describe(call);
  const colours = failed ? "bg-danger-soft text-danger" : "bg-accent-soft text-accent";
  return (
    <li
      data-testid="tool-call"
      data-tool={call.tool}
      data-outcome={failed ? "failed" : "ok"}
      title={`Tool: ${call.tool}`}
      className={`badge max-w-full ${colours}`}
    >
      <Icon name={failed ? "alert" : "check"} className="size-3.5" />
      <span className="truncate">{text}</span>
    </li>
  );
}
