export const LONGEST_MESSAGE = 2_000;

/** A tool that the assistant called, with what it was given and what came back. */
export type ToolCall = { tool: string; arguments: unknown; result: unknown };

export type StoredMessage = {
  id: string;
  role: "user" | "assistant";
  content: string;
  created_at: string;
  tool_calls: ToolCall[] | null;
};

export type Message = {
  key: string;
  role: "user" | "assistant";
  content: string;
  at: Date;
  toolCalls: ToolCall[];
  /** Ties the answer to the log lines of the services that it passed. */
  requestId: string | null;
  /** The person ended the answer before it was whole. */
  stopped: boolean;
};

/** An answer that is still coming. */
export type Draft = { text: string; toolCalls: ToolCall[] };

/** What the chat route answers. `model` is told where the backend tells it. */
export type ChatAnswer = {
  conversation_id: string;
  response: string;
  tool_calls: ToolCall[] | null;
  model?: string | null;
};

export type Conversation = {
  id: string;
  title: string | null;
  created_at: string;
  updated_at: string;
};

export const LONGEST_CONVERSATION_TITLE = 200;

export function conversationTitle({ title }: Pick<Conversation, "title">): string {
  return title === null || title.trim() === "" ? "Conversation" : title;
}
