import { type Answer, ask } from "@/client/request";

import type { ChatAnswer, StoredMessage } from "./message";

const userPath = (userId: string) => `/api/proxy/${encodeURIComponent(userId)}`;

export async function sendMessage(
  userId: string,
  message: string,
  conversationId: string | null,
): Promise<Answer<ChatAnswer>> {
  const body = { message, ...(conversationId === null ? {} : { conversation_id: conversationId }) };
  return ask<ChatAnswer>(`${userPath(userId)}/chat`, { method: "POST", body });
}

export async function readConversation(userId: string, id: string, signal: AbortSignal): Promise<StoredMessage[]> {
  const path = `${userPath(userId)}/conversations/${encodeURIComponent(id)}`;
  return (await ask<{ messages: StoredMessage[] }>(path, { signal })).body.messages;
}
