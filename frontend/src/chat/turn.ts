import { connection } from "@/client/connection";
import { type ServerEvent, isEventStream, serverEvents } from "@/client/event-stream";
import { type Answer, ApiError, explanation, send, UNREACHED } from "@/client/request";

import type { ChatAnswer, ToolCall } from "./message";

/** A comment line comes every 15 s: three of them missing is a connection that is gone. */
const SILENCE_MS = 45_000;
/** Pauses before the same message is sent again, after the network failed. */
const PAUSES_MS = [500, 1_500, 4_000];
/** How long to wait for an answer that another attempt is still making. */
const PATIENCE_MS = 90_000;
const STILL_WORKING = 409;

/** `key` is one per message: with it the server never carries a message out twice. */
export type Turn = { userId: string; text: string; conversationId: string | null; key: string };

/** What becomes known before the answer is whole. `again`: what came so far is void, the answer begins anew. */
export type TurnEvent =
  | { kind: "started"; conversationId: string; model: string | null }
  | { kind: "tool"; call: ToolCall }
  | { kind: "text"; text: string }
  | { kind: "again" };

type Listen = (event: TurnEvent) => void;

/**
 * Send a message and wait for its whole answer; `listen` hears of it piece by piece where the server streams.
 *
 * A network failure is tried again with the same key. Throws ApiError, or the abort's error when `signal` ends it.
 */
export async function takeTurn(turn: Turn, listen: Listen, signal: AbortSignal): Promise<Answer<ChatAnswer>> {
  const began = performance.now();
  for (let attempt = 0; ; ) {
    try {
      return await attemptTurn(turn, listen, signal);
    } catch (problem) {
      signal.throwIfAborted();
      if (!(problem instanceof ApiError)) throw problem;
      let pause: number | undefined;
      // A device without a network need not be tried; its owner is told at once.
      if (problem.status === 0 && connection() !== "offline") pause = PAUSES_MS[attempt++];
      // Without a time to wait it was carried out in part before, and will not be again.
      else if (problem.status === STILL_WORKING && problem.retryAfter !== null && performance.now() - began < PATIENCE_MS) {
        pause = 1_000 * problem.retryAfter;
      }
      if (pause === undefined) throw problem;
      listen({ kind: "again" });
      await sleep(pause, signal);
    }
  }
}

async function attemptTurn(turn: Turn, listen: Listen, signal: AbortSignal): Promise<Answer<ChatAnswer>> {
  const { userId, text, conversationId, key } = turn;
  const response = await send(`/api/proxy/${encodeURIComponent(userId)}/chat`, {
    method: "POST",
    headers: { Accept: "text/event-stream, application/json", "Idempotency-Key": key },
    body: { message: text, ...(conversationId === null ? {} : { conversation_id: conversationId }) },
    signal,
  });
  const requestId = response.headers.get("X-Request-ID");
  try {
    const body =
      isEventStream(response) && response.body !== null
        ? await answerOf(response.body, listen)
        : ((await response.json()) as ChatAnswer);
    return { body, requestId };
  } catch (problem) {
    if (problem instanceof ApiError || signal.aborted) throw problem;
    throw new ApiError(0, UNREACHED);
  }
}

async function answerOf(stream: ReadableStream<Uint8Array>, listen: Listen): Promise<ChatAnswer> {
  for await (const event of serverEvents(stream, SILENCE_MS)) {
    const content = JSON.parse(event.data) as Record<string, unknown>;
    if (event.event === "done") return content as ChatAnswer;
    if (event.event === "error") throw failure(content);
    const heard = heardIn(event, content);
    if (heard) listen(heard);
  }
  throw new Error("the stream ended before the answer did");
}

function heardIn({ event }: ServerEvent, content: Record<string, unknown>): TurnEvent | null {
  switch (event) {
    case "conversation":
      return {
        kind: "started",
        conversationId: String(content.conversation_id),
        model: typeof content.model === "string" ? content.model : null,
      };
    case "tool_call":
      return { kind: "tool", call: content as ToolCall };
    case "delta":
      return typeof content.text === "string" ? { kind: "text", text: content.text } : null;
    default:
      return null;
  }
}

function failure(content: Record<string, unknown>): ApiError {
  const status = typeof content.status === "number" ? content.status : 500;
  const wait = typeof content.retry_after === "number" ? content.retry_after : null;
  return new ApiError(status, explanation(status, content), wait);
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("stopped", "AbortError"));
    });
  });
}
