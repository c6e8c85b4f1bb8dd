import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useRef, useState } from "react";

import { type Answer, ApiError } from "@/client/request";
import { tellTabs } from "@/client/tabs";
import { tasksKey } from "@/tasks/use-tasks";

import type { ChatAnswer, Draft } from "./message";
import { takeTurn, type TurnEvent } from "./turn";
import { conversationsKey } from "./use-conversations";

const NOTHING: Draft = { text: "", toolCalls: [] };
/** After these the message may have been carried out although no answer came. */
const FATE_UNKNOWN = [0, 409, 502, 504];

export type Outcome =
  | { kind: "answered"; answer: Answer<ChatAnswer> }
  | { kind: "stopped"; draft: Draft; conversationId: string | null }
  /** `conversationId` is where the message was stored before the answer failed, if it was. */
  | { kind: "failed"; problem: unknown; conversationId: string | null };

/** The turn that is shown: what has come of its answer so far, a way to stop it, and a way to leave it to itself. */
export function useTurn(userId: string) {
  const client = useQueryClient();
  const [draft, setDraft] = useState<Draft>(NOTHING);
  const shown = useRef<AbortController | null>(null);
  const unsure = useRef<{ text: string; key: string } | null>(null);

  async function take(text: string, conversationId: string | null, onModel: (model: string | null) => void): Promise<Outcome> {
    const turn = (shown.current = new AbortController());
    const key = unsure.current?.text === text ? unsure.current.key : newKey();
    unsure.current = { text, key };
    const heard = { draft: NOTHING, conversationId };

    function listen(event: TurnEvent): void {
      if (event.kind === "started") {
        heard.conversationId = event.conversationId;
        if (turn === shown.current) onModel(event.model);
        void client.invalidateQueries({ queryKey: conversationsKey(userId) });
        return;
      }
      if (event.kind === "tool") {
        tellTabs();
        void client.invalidateQueries({ queryKey: tasksKey(userId) });
      }
      heard.draft = grown(heard.draft, event);
      if (turn === shown.current) setDraft(heard.draft);
    }

    setDraft(NOTHING);
    try {
      const answer = await takeTurn({ userId, text, conversationId, key }, listen, turn.signal);
      unsure.current = null;
      return { kind: "answered", answer };
    } catch (problem) {
      if (turn.signal.aborted) return { kind: "stopped", ...heard };
      if (!(problem instanceof ApiError && FATE_UNKNOWN.includes(problem.status))) unsure.current = null;
      return { kind: "failed", problem, conversationId: heard.conversationId };
    } finally {
      if (turn === shown.current) setDraft(NOTHING);
      // Whatever became of the answer, a tool may have changed the list.
      void client.invalidateQueries({ queryKey: tasksKey(userId) });
      void client.invalidateQueries({ queryKey: conversationsKey(userId) });
      tellTabs();
    }
  }

  function stop(): void {
    shown.current?.abort();
  }

  /** The page turns to something else; the turn goes on, and its answer is stored where it belongs. */
  const leave = useCallback((): void => {
    shown.current = null;
    setDraft(NOTHING);
  }, []);

  return { draft, take, stop, leave };
}

function grown(draft: Draft, event: Exclude<TurnEvent, { kind: "started" }>): Draft {
  if (event.kind === "again") return NOTHING;
  if (event.kind === "tool") return { ...draft, toolCalls: [...draft.toolCalls, event.call] };
  return { ...draft, text: draft.text + event.text };
}

/** A UUID; made by hand, since a page under plain HTTP has no crypto.randomUUID. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
