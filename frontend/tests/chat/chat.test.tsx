// @vitest-environment jsdom
import { cleanup, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";

import * as navigation from "@/client/navigation";

import { type Call, FakeServer, task } from "../fake-server";
import { person } from "../person";
import { CONVERSATION, say, show } from "./chat-page";

let server: FakeServer;

beforeEach(() => {
  server = new FakeServer();
  window.history.replaceState(null, "", "/chat");
});

const isChat = ({ path }: Call) => path === "/api/proxy/u1/chat";

/** Adds a task, as the assistant would, and says so. */
function assistantAdds(): void {
  server.override = (call) => {
    if (!isChat(call)) return undefined;
    server.tasks = [task()];
    const tool_calls = [{ tool: "add_task", arguments: { title: "Buy milk" }, result: { success: true, task: task() } }];
    const body = { conversation_id: CONVERSATION, response: "I added it.", tool_calls, model: "offline-model" };
    return { body, headers: { "X-Request-ID": "11111111-2222-4333-8444-555555555555" } };
  };
}

function assistantFails(status: number, detail: string): void {
  server.override = (call) => (isChat(call) ? { status, body: { detail } } : undefined);
}

describe("a message", () => {
  it("shows with the answer, the tool calls, the request's id and the model, and the list follows", async () => {
    assistantAdds();
    show();
    await screen.findByText("No tasks yet");
    await say("add buy milk");
    const answer = await screen.findByTestId("message-assistant");
    expect(screen.getByTestId("message-user").textContent).toContain("add buy milk");
    expect(answer.textContent).toContain("I added it.");
    expect(answer.dataset.requestId).toBe("11111111-2222-4333-8444-555555555555");
    expect(screen.getByTestId("tool-call").textContent).toBe("added “Buy milk”");
    expect(screen.getByTestId("model").textContent).toBe("offline model");
    expect((await screen.findByTestId("task-item")).textContent).toContain("Buy milk");
  });

  it("continues its conversation, which the address keeps", async () => {
    assistantAdds();
    show();
    await say("add buy milk");
    await screen.findByTestId("message-assistant");
    expect(window.location.search).toBe(`?c=${CONVERSATION}`);
    await say("and bread");
    await waitFor(() => expect(screen.getAllByTestId("message-assistant")).toHaveLength(2));
    const sent = server.calls.filter(isChat).map(({ body }) => body);
    expect(sent).toEqual([{ message: "add buy milk" }, { message: "and bread", conversation_id: CONVERSATION }]);
  });

  it("is sent by Enter; Shift and Enter begin a new line", async () => {
    assistantAdds();
    show();
    await person.type(screen.getByLabelText("Message"), "one{Shift>}{Enter}{/Shift}two{Enter}");
    await screen.findByTestId("message-assistant");
    expect(server.calls.find(isChat)?.body).toEqual({ message: "one\ntwo" });
  });

  it("cannot be sent empty", async () => {
    show();
    expect(screen.getByRole("button", { name: "Send" })).toHaveProperty("disabled", true);
    await person.type(screen.getByLabelText("Message"), "   {Enter}");
    expect(server.calls.filter(isChat)).toEqual([]);
  });
});

describe("a refused message", () => {
  it.each([
    [403, "I can only help with tasks."],
    [500, "The assistant could not answer."],
  ])("is taken back into the field, with the reason: %s", async (status, detail) => {
    assistantFails(status, detail);
    show();
    await say("hello");
    expect(await screen.findByText(detail)).toBeDefined();
    expect(screen.queryByTestId("message-user")).toBeNull();
    expect(screen.getByLabelText("Message")).toHaveProperty("value", "hello");
    expect(screen.getByRole("button", { name: "Send" })).toHaveProperty("disabled", false);
  });

  it("is taken back at a rate limit, and nothing is sent before its end", async () => {
    server.override = (call) =>
      isChat(call) ? { status: 429, body: { detail: "High demand. Please wait 30s" }, headers: { "Retry-After": "30" } } : undefined;
    show();
    await say("hello");
    expect(await screen.findByText("High demand. Please wait 30s")).toBeDefined();
    expect(screen.getByLabelText("Message")).toHaveProperty("value", "hello");
    expect(screen.getByText(/^wait (30|29) s$/)).toBeDefined();
    expect(screen.getByRole("button", { name: "Send" })).toHaveProperty("disabled", true);
  });

  it("to a conversation that is gone comes back into a new one", async () => {
    server.override = ({ path, method }) => {
      if (method === "POST") return { status: 404, body: { detail: "There is no such conversation." } };
      const stored = { id: "m1", role: "user", content: "before", created_at: "2026-11-23T08:00:00Z", tool_calls: null };
      return path.includes("/conversations/") ? { body: { messages: [stored], total: 1 } } : undefined;
    };
    show(CONVERSATION);
    await screen.findByText("before");
    await say("hello");
    await waitFor(() => expect(screen.queryByText("before")).toBeNull());
    expect(screen.getByLabelText("Message")).toHaveProperty("value", "hello");
  });

  it("stands above what was written meanwhile", async () => {
    let refuse: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (refuse = resolve));
    const answering = window.fetch;
    vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
      if (!path.endsWith("/chat")) return answering(path, init);
      await held;
      return Response.json({ detail: "no" }, { status: 500 });
    });
    show();
    await say("first");
    await person.type(screen.getByLabelText("Message"), "second");
    refuse();
    await waitFor(() => expect(screen.getByLabelText("Message")).toHaveProperty("value", "first\nsecond"));
  });

  it("leads to the sign-in page when the session has ended, and is there again afterwards", async () => {
    const signInAgain = vi.spyOn(navigation, "signInAgain").mockImplementation(() => undefined);
    assistantFails(401, "no");
    show();
    await say("hello");
    await waitFor(() => expect(signInAgain).toHaveBeenCalled());
    cleanup();
    show();
    expect(screen.getByLabelText("Message")).toHaveProperty("value", "hello");
  });
});

describe("a stored conversation", () => {
  it("is shown again after a reload", async () => {
    const messages = [
      { id: "m1", role: "user", content: "add buy milk", created_at: "2026-11-23T08:00:00Z", tool_calls: null },
      { id: "m2", role: "assistant", content: "I added it.", created_at: "2026-11-23T08:00:01Z", tool_calls: [] },
    ];
    server.override = ({ path }) => (path.includes("/conversations/") ? { body: { messages, total: 2 } } : undefined);
    show(CONVERSATION);
    expect((await screen.findByTestId("message-assistant")).textContent).toContain("I added it.");
    expect(screen.getByTestId("message-user").textContent).toContain("add buy milk");
  });

  it("that is gone leaves a new chat and a word", async () => {
    server.override = ({ path }) =>
      path.includes("/conversations/") ? { status: 404, body: { detail: "There is no such conversation." } } : undefined;
    show(CONVERSATION);
    expect(await screen.findByText("There is no such conversation.")).toBeDefined();
    expect(window.location.search).toBe("");
  });
});

it("a suggestion fills the field and can be sent", async () => {
  show();
  await person.click(screen.getByRole("button", { name: "Show pending tasks" }));
  expect(screen.getByLabelText("Message")).toHaveProperty("value", "Show pending tasks");
  expect(screen.getByRole("button", { name: "Send" })).toHaveProperty("disabled", false);
});
