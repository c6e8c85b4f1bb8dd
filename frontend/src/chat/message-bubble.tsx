import type { Message } from "./message";
import { replyParts } from "./reply";
import { TaskCards } from "./task-cards";
import { ToolCallChip } from "./tool-call-chip";

const time = (at: Date) => at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

export function UserBubble({ message }: { message: Message }) {
  return (
    <li data-testid="message-user" className="flex flex-col items-end">
      <p className="max-w-[85%] rounded-2xl rounded-br-md bg-accent px-4 py-2.5 text-sm break-words whitespace-pre-wrap text-on-accent">
        {message.content}
      </p>
      <Stamp at={message.at} />
    </li>
  );
}

/** The assistant's answer: what it did, what it says, and the id under which the services logged it. */
export function AssistantBubble({ message }: { message: Message }) {
  return (
    <li data-testid="message-assistant" data-request-id={message.requestId ?? undefined} className="flex flex-col items-start">
      <div className="card w-fit max-w-[92%] space-y-2.5 rounded-bl-md px-4 py-3 text-sm">
        {message.toolCalls.length > 0 && (
          <ul aria-label="Tool calls" className="flex flex-wrap gap-1.5">
            {message.toolCalls.map((call, place) => (
              <ToolCallChip key={place} call={call} />
            ))}
          </ul>
        )}
        {replyParts(message.content).map((part, place) =>
          part.kind === "text" ? (
            <p key={place} className="break-words whitespace-pre-wrap">
              {part.text}
            </p>
          ) : (
            <TaskCards key={place} tasks={part.tasks} />
          ),
        )}
      </div>
      <Stamp at={message.at} requestId={message.requestId} />
    </li>
  );
}

function Stamp({ at, requestId = null }: { at: Date; requestId?: string | null }) {
  return (
    <p className="mt-1 px-1 text-xs text-muted">
      <time dateTime={at.toISOString()}>{time(at)}</time>
      {requestId !== null && (
        <span title={`Request ${requestId}`} className="ml-2 font-mono">
          #{requestId.slice(0, 8)}
        </span>
      )}
    </p>
  );
}

export function WaitingBubble() {
  return (
    <li className="flex">
      <div role="status" className="card flex gap-1.5 rounded-bl-md px-4 py-4">
        <span className="sr-only">The assistant is working</span>
        <span className="size-2 animate-bounce rounded-full bg-muted" />
        <span className="size-2 animate-bounce rounded-full bg-muted [animation-delay:120ms]" />
        <span className="size-2 animate-bounce rounded-full bg-muted [animation-delay:240ms]" />
      </div>
    </li>
  );
}
