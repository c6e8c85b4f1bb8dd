import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";

import { signInAgain } from "@/client/navigation";
import { ApiError } from "@/client/request";
import { inUtc } from "@/tasks/day";
import { tasksKey } from "@/tasks/use-tasks";
import { useToast } from "@/ui/toasts";

import { readConversation, sendMessage } from "./chat-api";
import type { Message, StoredMessage } from "./message";
import { conversationsKey } from "./use-conversations";

type Options = { userId: string; first: string | null; onRefused: (message: string) => void };

/** One conversation at a time: its messages, sending, opening another one. `first` is opened at once. */
export function useChat({ userId, first, onRefused }: Options) {
  const client = useQueryClient();
  const toast = useToast();
  const [conversationId, setConversationId] = useState<string | null>(null);
  const [messages, setMessages] = useState<Message[]>([]);
  const [total, setTotal] = useState(0);
  const [model, setModel] = useState<string | null>(null);
  const [busy, setBusy] = useState<"sending" | "opening" | null>(null);
  const reading = useRef<AbortController | null>(null);
  // Counts how often another conversation was chosen: an answer that comes after that belongs to none on the screen.
  const chosen = useRef(0);

  const read = useCallback(
    async (id: string, skipped: number) => {
      reading.current?.abort();
      const { signal } = (reading.current = new AbortController());
      setBusy("opening");
      try {
        return await readConversation(userId, id, skipped, signal);
      } catch (problem) {
        if (!signal.aborted) toast("failure", told(problem, "The conversation could not be opened."));
        return signal.aborted ? "left" : "failed";
      } finally {
        if (!signal.aborted) setBusy(null);
      }
    },
    [userId, toast],
  );

  const startNew = useCallback((): void => {
    reading.current?.abort();
    chosen.current += 1;
    setBusy(null);
    setConversationId(null);
    setMessages([]);
    setTotal(0);
    showInAddress(null);
  }, []);

  const open = useCallback(
    async (id: string): Promise<void> => {
      chosen.current += 1;
      const page = await read(id, 0);
      if (page === "left") return;
      if (page === "failed") return startNew();
      setConversationId(id);
      setMessages(page.messages.map(fromStored));
      setTotal(page.total);
      showInAddress(id);
    },
    [read, startNew],
  );

  useEffect(() => {
    if (first !== null) void open(first);
    return () => reading.current?.abort();
  }, [first, open]);

  async function showEarlier(): Promise<void> {
    if (conversationId === null) return;
    const page = await read(conversationId, messages.length);
    if (typeof page === "string") return;
    setMessages((shown) => [...page.messages.map(fromStored), ...shown]);
    setTotal(page.total);
  }

  async function send(text: string): Promise<void> {
    const sent = message("user", text);
    const here = chosen.current;
    setMessages((shown) => [...shown, sent]);
    setBusy("sending");
    try {
      const { body, requestId } = await sendMessage(userId, text, conversationId);
      if (here !== chosen.current) return;
      const reply = { ...message("assistant", body.response), toolCalls: body.tool_calls ?? [], requestId };
      setMessages((shown) => [...shown, reply]);
      setTotal((before) => before + 2);
      setConversationId(body.conversation_id);
      setModel(body.model ?? null);
      showInAddress(body.conversation_id);
    } catch (problem) {
      if (here !== chosen.current) return;
      setMessages((shown) => shown.filter(({ key }) => key !== sent.key));
      onRefused(text);
      if (problem instanceof ApiError && problem.status === 401) return signInAgain();
      if (problem instanceof ApiError && problem.status === 404) setConversationId(null);
      toast("failure", told(problem, "The message was not sent. Please try again."));
    } finally {
      if (here === chosen.current) setBusy(null);
      // Whatever became of the answer, a tool may have changed the list.
      void client.invalidateQueries({ queryKey: tasksKey(userId) });
      void client.invalidateQueries({ queryKey: conversationsKey(userId) });
    }
  }

  const earlier = conversationId !== null && total > messages.length;
  return { conversationId, messages, earlier, model, busy, send, open, startNew, showEarlier };
}

function message(role: Message["role"], content: string): Message {
  const key = crypto.getRandomValues(new Uint32Array(2)).join("-");
  return { key, role, content, at: new Date(), toolCalls: [], requestId: null };
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
