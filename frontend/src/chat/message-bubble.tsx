import type { ReactNode } from "react";

import type { Draft, Message, ToolCall } from "./message";
import { replyParts, withoutOpenBlock } from "./reply";
import { TaskCards } from "./task-cards";
import { ToolCallChip } from "./tool-call-chip";

const time = (at: Date) => at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

export function UserBubble({ message }: { message: Message }) {
  return (
    <li data-testid="message-user" className="flex flex-col items-end">
      <p className="max-w-[85%] rounded-2xl rounded-br-sm bg-accent px-4 py-2 break-words whitespace-pre-wrap text-on-accent">
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
      <Answer text={message.content} toolCalls={message.toolCalls}>
        {message.stopped && <p className="text-muted italic">You stopped this answer.</p>}
      </Answer>
      <Stamp at={message.at} requestId={message.requestId} />
    </li>
  );
}

/**
 * An answer that is still coming. It stands outside the log that screen readers follow, since hearing every piece
 * would be noise; the whole answer takes its place there.
 */
export function DraftBubble({ draft }: { draft: Draft }) {
  const begun = draft.text !== "" || draft.toolCalls.length > 0;
  return (
    <div data-testid="message-draft" className="flex flex-col items-start">
      <p role="status" className="sr-only">
        The assistant is working
      </p>
      {begun ? (
        <Answer text={withoutOpenBlock(draft.text)} toolCalls={draft.toolCalls}>
          <Dots />
        </Answer>
      ) : (
        <div className="py-2">
          <Dots />
        </div>
      )}
    </div>
  );
}

function Answer({ text, toolCalls, children }: { text: string; toolCalls: ToolCall[]; children: ReactNode }) {
  return (
    <div className="w-fit max-w-[92%] space-y-2.5">
      {toolCalls.length > 0 && (
        <ul aria-label="Tool calls" className="flex flex-wrap gap-1.5">
          {toolCalls.map((call, place) => (
            <ToolCallChip key={place} call={call} />
          ))}
        </ul>
      )}
      {replyParts(text, toolCalls).map((part, place) =>
        part.kind === "text" ? (
          <p key={place} className="break-words whitespace-pre-wrap">
            {part.text}
          </p>
        ) : (
          <TaskCards key={place} tasks={part.tasks} />
        ),
      )}
      {children}
    </div>
  );
}

function Stamp({ at, requestId = null }: { at: Date; requestId?: string | null }) {
  return (
    <p className="mt-1 text-xs text-muted">
      <time dateTime={at.toISOString()}>{time(at)}</time>
      {requestId !== null && (
        <span title={`Request ${requestId}`} className="ml-2 font-mono">
          #{requestId.slice(0, 8)}
        </span>
      )}
    </p>
  );
}

function Dots() {
  return (
    <span aria-hidden="true" className="flex gap-1.5 py-0.5">
      <span className="size-1.5 animate-pulse rounded-full bg-muted" />
      <span className="size-1.5 animate-pulse rounded-full bg-muted [animation-delay:200ms]" />
      <span className="size-1.5 animate-pulse rounded-full bg-muted [animation-delay:400ms]" />
    </span>
  );
}
