import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";

import { signInAgain } from "@/client/navigation";
import { ApiError } from "@/client/request";
import { tasksKey } from "@/tasks/use-tasks";
import { inUtc } from "@/tasks/day";
import { useToast } from "@/ui/toasts";

import { readConversation, sendMessage } from "./chat-api";
import type { Message, StoredMessage } from "./message";

type Options = { userId: string; onRefused: (message: string) => void };

/** One conversation: its messages, sending, opening another one. */
export function useChat({ userId, onRefused }: Options) {
  const client = useQueryClient();
  const toast = useToast();
  const [conversationId, setConversationId] = useState<string | null>(null);
  const [messages, setMessages] = useState<Message[]>([]);
  const [model, setModel] = useState<string | null>(null);
  const [busy, setBusy] = useState<"sending" | "opening" | null>(null);

  const startNew = useCallback((): void => {
    setConversationId(null);
    setMessages([]);
    showInAddress(null);
  }, []);

  const open = useCallback(
    async (id: string, signal: AbortSignal): Promise<void> => {
      setBusy("opening");
      try {
        const stored = await readConversation(userId, id, signal);
        setConversationId(id);
        setMessages(stored.map(fromStored));
        showInAddress(id);
      } catch (problem) {
        if (signal.aborted) return;
        startNew();
        toast("failure", told(problem, "This conversation could not be opened."));
      } finally {
        if (!signal.aborted) setBusy(null);
      }
    },
    [userId, startNew, toast],
  );

  async function send(text: string): Promise<void> {
    const sent = message("user", text);
    setMessages((shown) => [...shown, sent]);
    setBusy("sending");
    try {
      const { body, requestId } = await sendMessage(userId, text, conversationId);
      const reply = { ...message("assistant", body.response), toolCalls: body.tool_calls ?? [], requestId };
      setMessages((shown) => [...shown, reply]);
      setConversationId(body.conversation_id);
      setModel(body.model ?? null);
      showInAddress(body.conversation_id);
    } catch (problem) {
      setMessages((shown) => shown.filter(({ key }) => key !== sent.key));
      onRefused(text);
      if (problem instanceof ApiError && problem.status === 401) return signInAgain();
      if (problem instanceof ApiError && problem.status === 404) startNew();
      toast("failure", told(problem, "The message was not sent. Please try again."));
    } finally {
      setBusy(null);
      // Whatever became of the answer, a tool may have changed the list.
      void client.invalidateQueries({ queryKey: tasksKey(userId) });
      void client.invalidateQueries({ queryKey: ["conversations", userId] });
    }
  }

  return { conversationId, messages, model, busy, send, open, startNew };
}

function message(role: Message["role"], content: string): Message {
  return { key: crypto.getRandomValues(new Uint32Array(2)).join("-"), role, content, at: new Date(), toolCalls: [], requestId: null };
}

function fromStored({ id, role, content, created_at, tool_calls }: StoredMessage): Message {
  return { key: id, role, content, at: inUtc(created_at), toolCalls: tool_calls ?? [], requestId: null };
}

function told(problem: unknown, otherwise: string): string {
  return problem instanceof ApiError ? problem.message : otherwise;
}

/** Keep the conversation in the address, so that a reload finds it again. */
function showInAddress(id: string | null): void {
  window.history.replaceState(null, "", id === null ? "/chat" : `/chat?c=${encodeURIComponent(id)}`);
}
