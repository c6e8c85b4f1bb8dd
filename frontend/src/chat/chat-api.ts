import { ask } from "@/client/request";

import type { Conversation, StoredMessage } from "./message";

const MOST_CONVERSATIONS = 100;

const userPath = (userId: string) => `/api/proxy/${encodeURIComponent(userId)}`;
const conversationPath = (userId: string, id: string) => `${userPath(userId)}/conversations/${encodeURIComponent(id)}`;

export type MessagePage = { messages: StoredMessage[]; total: number };

/** The newest messages of a conversation but for the `skipped` newest ones, oldest first. */
export async function readConversation(
  userId: string,
  id: string,
  skipped: number,
  signal: AbortSignal,
): Promise<MessagePage> {
  return (await ask<MessagePage>(`${conversationPath(userId, id)}?offset=${skipped}`, { signal })).body;
}

export async function listConversations(userId: string, signal: AbortSignal): Promise<Conversation[]> {
  const path = `${userPath(userId)}/conversations?limit=${MOST_CONVERSATIONS}`;
  return (await ask<{ conversations: Conversation[] }>(path, { signal })).body.conversations;
}

export async function renameConversation(userId: string, id: string, title: string): Promise<void> {
  await ask(conversationPath(userId, id), { method: "PATCH", body: { title } });
}

export async function deleteConversation(userId: string, id: string): Promise<void> {
  await ask(conversationPath(userId, id), { method: "DELETE" });
}
