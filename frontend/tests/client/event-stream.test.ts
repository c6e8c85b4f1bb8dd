import { describe, expect, it } from "vitest";

import { isEventStream, type ServerEvent, serverEvents } from "@/client/event-stream";

const SILENCE_MS = 30_000;

function streamOf(...pieces: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(typeof piece === "string" ? encoder.encode(piece) : piece);
      controller.close();
    },
  });
}

async function read(stream: ReadableStream<Uint8Array>): Promise<ServerEvent[]> {
  const events: ServerEvent[] = [];
  for await (const event of serverEvents(stream, SILENCE_MS)) events.push(event);
  return events;
}

describe("the events of a stream", () => {
  it("have a name and data; several data lines are one text", async () => {
    expect(await read(streamOf("event: delta\ndata: one\ndata: two\n\ndata:bare\n\n"))).toEqual([
      { event: "delta", data: "one\ntwo" },
      { event: "message", data: "bare" },
    ]);
  });

  it.each(["\n", "\r\n", "\r"])("may end their lines with %j, cut anywhere", async (end) => {
    const text = ["event: delta", "data: a", "", "event: done", "data: b", "", ""].join(end);
    expect(await read(streamOf(...text.split("")))).toEqual([
      { event: "delta", data: "a" },
      { event: "done", data: "b" },
    ]);
  });

  it("may be cut within a character", async () => {
    const bytes = new TextEncoder().encode("data: Käse\n\n");
    expect(await read(streamOf(bytes.slice(0, 8), bytes.slice(8)))).toEqual([{ event: "message", data: "Käse" }]);
  });

  it("are none for comments, for a name without data, and for one that broke off", async () => {
    expect(await read(streamOf(": keep-alive\n\nevent: delta\n\ndata: half"))).toEqual([]);
  });
});

it("a stream that falls silent is given up", async () => {
  const silent = new ReadableStream<Uint8Array>({});
  await expect(serverEvents(silent, 1).next()).rejects.toThrow("silent");
});

it("who stops reading ends the stream", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("data: x\n\n")),
    cancel: () => void (cancelled = true),
  });
  for await (const event of serverEvents(stream, SILENCE_MS)) {
    expect(event.data).toBe("x");
    break;
  }
  expect(cancelled).toBe(true);
});

it("is told by its content type", () => {
  expect(isEventStream(new Response("", { headers: { "Content-Type": "text/event-stream; charset=utf-8" } }))).toBe(true);
  expect(isEventStream(Response.json({}))).toBe(false);
});
