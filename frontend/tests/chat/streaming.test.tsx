// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { FakeServer, task } from "../fake-server";
import { person } from "../person";
import { CONVERSATION, say, show } from "./chat-page";

let server: FakeServer;

beforeEach(() => {
  server = new FakeServer();
  window.history.replaceState(null, "", "/chat");
});

describe("a streamed answer", () => {
  let tell: (event: string, data: object) => void;
  let signal: AbortSignal | null | undefined;
  let sent: unknown[];

  beforeEach(() => {
    sent = [];
    const answering = window.fetch;
    vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
      if (!path.endsWith("/chat")) return answering(path, init);
      signal = init.signal;
      sent.push(JSON.parse(String(init.body)));
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          tell = (event, data) => controller.enqueue(new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
          signal?.addEventListener("abort", () => controller.error(signal?.reason));
        },
      });
      return new Response(stream, { headers: { "Content-Type": "text/event-stream", "X-Request-ID": "id-12345678" } });
    });
  });

  async function begin(): Promise<void> {
    show();
    await say("add buy milk");
    await screen.findByTestId("message-draft");
    server.tasks = [task()];
    tell("conversation", { conversation_id: CONVERSATION, model: "offline-model" });
    tell("tool_call", { tool: "add_task", arguments: { title: "Buy milk" }, result: { success: true } });
    tell("delta", { text: "I added " });
    await screen.findByText("I added");
  }

  it("shows the tool and the words as they come, and then the whole", async () => {
    await begin();
    expect(screen.getByTestId("tool-call").textContent).toBe("added “Buy milk”");
    expect(screen.getByTestId("model").textContent).toBe("offline model");
    expect(await screen.findByTestId("task-item")).toBeDefined();
    expect(screen.queryByTestId("message-assistant")).toBeNull();
    tell("done", { conversation_id: CONVERSATION, response: "I added it.", tool_calls: [], model: "offline-model" });
    expect((await screen.findByTestId("message-assistant")).textContent).toContain("I added it.");
    expect(screen.queryByTestId("message-draft")).toBeNull();
    expect(window.location.search).toBe(`?c=${CONVERSATION}`);
  });

  it("can be stopped; what came of it stays", async () => {
    await begin();
    await person.click(screen.getByRole("button", { name: "Stop" }));
    const answer = await screen.findByTestId("message-assistant");
    expect(answer.textContent).toContain("I added");
    expect(answer.textContent).toContain("You stopped this answer.");
    expect(signal?.aborted).toBe(true);
    expect(window.location.search).toBe(`?c=${CONVERSATION}`);
  });

  it("can be stopped before it has begun; the message comes back", async () => {
    show();
    await say("add buy milk");
    await person.click(await screen.findByRole("button", { name: "Stop" }));
    await waitFor(() => expect(screen.getByLabelText("Message")).toHaveProperty("value", "add buy milk"));
    expect(screen.queryByTestId("message-user")).toBeNull();
  });

  it("may end in a failure: the message comes back, with the reason", async () => {
    await begin();
    tell("error", { status: 503, detail: "The assistant is not available.", retry_after: null });
    expect(await screen.findByText("The assistant is not available.")).toBeDefined();
    expect(screen.getByLabelText("Message")).toHaveProperty("value", "add buy milk");
    expect(screen.queryByTestId("message-draft")).toBeNull();
    await person.click(screen.getByRole("button", { name: "Send" }));
    await screen.findByTestId("message-draft");
    expect(sent.at(-1)).toEqual({ message: "add buy milk", conversation_id: CONVERSATION });
  });
});
