import { beforeEach, describe, expect, it, vi } from "vitest";

import { takeTurn, type TurnEvent } from "@/chat/turn";

// Without a server it would be asked again and again whether it is back.
vi.mock("@/client/connection", () => ({ connection: () => "online", noteReached: () => undefined }));

const ANSWER = { conversation_id: "c1", response: "I added it.", tool_calls: [], model: "offline-model" };
const CALL = { tool: "add_task", arguments: { title: "Buy milk" }, result: { success: true } };
const TURN = { userId: "u1", text: "add buy milk", conversationId: null, key: "key-1" };

const fetchMock = vi.fn<typeof fetch>();
let heard: TurnEvent[];

beforeEach(() => {
  heard = [];
  fetchMock.mockReset();
  vi.stubGlobal("fetch", fetchMock);
  // Pauses are skipped; what is asserted is what is asked, not when.
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((run: () => void, ms: number) => {
    if (ms < 30_000) queueMicrotask(run);
    return 0;
  }) as unknown as typeof setTimeout);
});

const take = (signal = new AbortController().signal) => takeTurn(TURN, (event) => heard.push(event), signal);

function stream(...events: [string, object][]): Response {
  const text = events.map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join("");
  return new Response(text, { headers: { "Content-Type": "text/event-stream", "X-Request-ID": "id-1" } });
}

const keys = () => fetchMock.mock.calls.map(([, init]) => new Headers(init?.headers).get("Idempotency-Key"));

describe("a streamed answer", () => {
  it("is heard piece by piece, and ends whole", async () => {
    fetchMock.mockResolvedValue(
      stream(
        ["conversation", { conversation_id: "c1", model: "offline-model" }],
        ["tool_call", CALL],
        ["delta", { text: "I " }],
        ["something new", {}],
        ["delta", { text: "added it." }],
        ["done", ANSWER],
      ),
    );
    expect(await take()).toEqual({ body: ANSWER, requestId: "id-1" });
    expect(heard).toEqual([
      { kind: "started", conversationId: "c1", model: "offline-model" },
      { kind: "tool", call: CALL },
      { kind: "text", text: "I " },
      { kind: "text", text: "added it." },
    ]);
    expect(new Headers(fetchMock.mock.calls[0]?.[1]?.headers).get("Accept")).toContain("text/event-stream");
  });

  it("may end in a failure of its own, which is not tried again", async () => {
    fetchMock.mockResolvedValue(stream(["error", { status: 429, detail: "High demand.", retry_after: 30 }]));
    await expect(take()).rejects.toMatchObject({ status: 429, message: "High demand.", retryAfter: 30 });
    expect(fetchMock).toHaveBeenCalledTimes(1);
  });
});

it("an answer in one piece is taken as well", async () => {
  fetchMock.mockResolvedValue(Response.json(ANSWER));
  expect((await take()).body).toEqual(ANSWER);
  expect(heard).toEqual([]);
});

describe("after a network failure", () => {
  it("the same message is sent again with the same key, and what came before is void", async () => {
    fetchMock
      .mockRejectedValueOnce(new TypeError("Failed to fetch"))
      .mockResolvedValueOnce(stream(["delta", { text: "I a" }]))
      .mockResolvedValueOnce(Response.json(ANSWER));
    expect((await take()).body).toEqual(ANSWER);
    expect(heard).toEqual([{ kind: "again" }, { kind: "text", text: "I a" }, { kind: "again" }]);
    expect(keys()).toEqual(["key-1", "key-1", "key-1"]);
  });

  it("an attempt that is still at work is waited for", async () => {
    const busy = () => Response.json({ detail: "in progress" }, { status: 409, headers: { "Retry-After": "2" } });
    fetchMock.mockResolvedValueOnce(busy()).mockResolvedValueOnce(busy()).mockResolvedValueOnce(Response.json(ANSWER));
    expect((await take()).body).toEqual(ANSWER);
    expect(fetchMock).toHaveBeenCalledTimes(3);
  });

  it("it is given up in the end", async () => {
    fetchMock.mockRejectedValue(new TypeError("Failed to fetch"));
    await expect(take()).rejects.toMatchObject({ status: 0 });
    expect(fetchMock).toHaveBeenCalledTimes(4);
  });
});

it.each([403, 404, 409, 422, 500, 502])("a refusal with %s is not tried again", async (status) => {
  fetchMock.mockResolvedValue(Response.json({ detail: "no" }, { status }));
  await expect(take()).rejects.toMatchObject({ status, message: "no" });
  expect(fetchMock).toHaveBeenCalledTimes(1);
});

it("a stop ends it at once", async () => {
  const stop = new AbortController();
  fetchMock.mockImplementation(async () => {
    stop.abort();
    throw stop.signal.reason;
  });
  await expect(take(stop.signal)).rejects.toMatchObject({ name: "AbortError" });
  expect(fetchMock).toHaveBeenCalledTimes(1);
});
