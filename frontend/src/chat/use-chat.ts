import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";

import { signInAgain } from "@/client/navigation";
import { ApiError } from "@/client/request";
import { inUtc } from "@/tasks/day";
import { tasksKey } from "@/tasks/use-tasks";
import { useToast } from "@/ui/toasts";

import { readConversation } from "./chat-api";
import type { Message, StoredMessage } from "./message";
import { keepUnsent } from "./unsent";
import { useTurn } from "./use-turn";

const TOO_MANY = 429;
const DEFAULT_WAIT_S = 30;
/** How long an answer takes at most, from its question on; and how often it is looked for after a reload. */
const LONGEST_ANSWER_MS = 95_000;
const LOOK_AGAIN_MS = 1_000;

type Options = { userId: string; first: string | null; onRefused: (message: string) => void };

/** One conversation at a time: its messages, sending, opening another one. `first` is opened at once. */
export function useChat({ userId, first, onRefused }: Options) {
  const toast = useToast();
  const client = useQueryClient();
  const { draft, take, stop, leave } = useTurn(userId);
  const [conversationId, setConversationId] = useState<string | null>(null);
  const [messages, setMessages] = useState<Message[]>([]);
  const [total, setTotal] = useState(0);
  const [model, setModel] = useState<string | null>(null);
  const [busy, setBusy] = useState<"sending" | "opening" | "awaiting" | null>(null);
  /** Until when the server wants no message, in milliseconds since 1970. */
  const [waitUntil, setWaitUntil] = useState(0);
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
    leave();
    setBusy(null);
    setConversationId(null);
    setMessages([]);
    setTotal(0);
    showInAddress(null);
  }, [leave]);

  /** The page was opened in the middle of an answer: it comes all the same, and is shown when it is there. */
  const awaitAnswer = useCallback(
    async (id: string, shown: StoredMessage[], here: number): Promise<void> => {
      const last = shown.at(-1);
      const until = last?.role === "user" ? inUtc(last.created_at).getTime() + LONGEST_ANSWER_MS : 0;
      if (Date.now() >= until) return;
      const { signal } = (reading.current = new AbortController());
      setBusy("awaiting");
      while (Date.now() < until && here === chosen.current && !signal.aborted) {
        await new Promise((resume) => setTimeout(resume, LOOK_AGAIN_MS));
        const page = await readConversation(userId, id, 0, signal).catch(() => null);
        if (here !== chosen.current || signal.aborted) return;
        if (page?.messages.at(-1)?.role !== "assistant") continue;
        setMessages(page.messages.map(fromStored));
        setTotal(page.total);
        void client.invalidateQueries({ queryKey: tasksKey(userId) });
        break;
      }
      if (here === chosen.current) setBusy(null);
    },
    [userId, client],
  );

  const open = useCallback(
    async (id: string): Promise<void> => {
      chosen.current += 1;
      leave();
      const page = await read(id, 0);
      if (page === "left") return;
      if (page === "failed") return startNew();
      setConversationId(id);
      setMessages(page.messages.map(fromStored));
      setTotal(page.total);
      showInAddress(id);
      await awaitAnswer(id, page.messages, chosen.current);
    },
    [read, leave, startNew, awaitAnswer],
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
    const outcome = await take(text, conversationId, setModel);
    const shown = here === chosen.current;
    if (shown) setBusy(null);
    if (outcome.kind === "failed") {
      // A first message that was stored has made its conversation: sent again, it goes there and begins no second one.
      if (shown) setConversationId(outcome.conversationId);
      return refuse(sent, outcome.problem, shown);
    }
    if (!shown) return;
    if (outcome.kind === "answered") {
      const { body, requestId } = outcome.answer;
      keep(body.conversation_id, { ...message("assistant", body.response), toolCalls: body.tool_calls ?? [], requestId });
      setModel(body.model ?? null);
    } else if (outcome.conversationId === null) {
      takeBack(sent);
    } else {
      const { text: content, toolCalls } = outcome.draft;
      keep(outcome.conversationId, { ...message("assistant", content), toolCalls, stopped: true });
    }
  }

  function keep(id: string, reply: Message): void {
    setMessages((before) => [...before, reply]);
    setTotal((before) => before + 2);
    setConversationId(id);
    showInAddress(id);
  }

  function takeBack(sent: Message): void {
    setMessages((before) => before.filter(({ key }) => key !== sent.key));
    onRefused(sent.content);
  }

  /** The message goes back to where it was written, and a toast says why. */
  function refuse(sent: Message, problem: unknown, shown: boolean): void {
    if (problem instanceof ApiError && problem.status === 401) {
      keepUnsent(userId, sent.content);
      return signInAgain();
    }
    toast("failure", told(problem, "The message was not sent. Please try again."));
    if (problem instanceof ApiError && problem.status === TOO_MANY) {
      setWaitUntil(Date.now() + 1_000 * (problem.retryAfter ?? DEFAULT_WAIT_S));
    }
    if (!shown) return;
    takeBack(sent);
    if (problem instanceof ApiError && problem.status === 404) startNew();
  }

  const earlier = conversationId !== null && total > messages.length;
  return { conversationId, messages, draft, earlier, model, busy, waitUntil, send, stop, open, startNew, showEarlier };
}

function message(role: Message["role"], content: string): Message {
  const key = crypto.getRandomValues(new Uint32Array(2)).join("-");
  return { key, role, content, at: new Date(), toolCalls: [], requestId: null, stopped: false };
}

function fromStored({ id, role, content, created_at, tool_calls }: StoredMessage): Message {
  return { key: id, role, content, at: inUtc(created_at), toolCalls: tool_calls ?? [], requestId: null, stopped: false };
}

function told(problem: unknown, otherwise: string): string {
  return problem instanceof ApiError ? problem.message : otherwise;
}

/** Keep the conversation in the address, so that a reload finds it again. */
function showInAddress(id: string | null): void {
  window.history.replaceState(null, "", id === null ? "/chat" : `/chat?c=${encodeURIComponent(id)}`);
}
