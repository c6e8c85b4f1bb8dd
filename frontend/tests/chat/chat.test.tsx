// @vitest-environment jsdom
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { Chat } from "@/chat/chat";
import * as navigation from "@/client/navigation";
import { Providers } from "@/client/providers";

import { type Call, FakeServer, task } from "../fake-server";

const CONVERSATION = "5b0c6f0e-3c0a-4a53-9d29-0f5c9ad7a3c1";

let server: FakeServer;

beforeEach(() => {
  server = new FakeServer();
  window.history.replaceState(null, "", "/chat");
});

function show(conversation: string | null = null): void {
  render(
    <Providers>
      <Chat userId="u1" firstName="Ada" conversation={conversation} />
    </Providers>,
  );
}

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

async function say(text: string): Promise<void> {
  await userEvent.type(screen.getByLabelText("Message"), text);
  await userEvent.click(screen.getByRole("button", { name: "Send" }));
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
    await userEvent.type(screen.getByLabelText("Message"), "one{Shift>}{Enter}{/Shift}two{Enter}");
    await screen.findByTestId("message-assistant");
    expect(server.calls.find(isChat)?.body).toEqual({ message: "one\ntwo" });
  });

  it("cannot be sent empty", async () => {
    show();
    expect(screen.getByRole("button", { name: "Send" })).toHaveProperty("disabled", true);
    await userEvent.type(screen.getByLabelText("Message"), "   {Enter}");
    expect(server.calls.filter(isChat)).toEqual([]);
  });
});

describe("a refused message", () => {
  it.each([
    [403, "I can only help with tasks."],
    [429, "High demand. Please wait 30s"],
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

  it("leads to the sign-in page when the session has ended", async () => {
    const signInAgain = vi.spyOn(navigation, "signInAgain").mockImplementation(() => undefined);
    assistantFails(401, "no");
    show();
    await say("hello");
    await waitFor(() => expect(signInAgain).toHaveBeenCalled());
  });
});

describe("a stored conversation", () => {
  it("is shown again after a reload", async () => {
    const messages = [
      { id: "m1", role: "user", content: "add buy milk", created_at: "2026-11-23T08:00:00Z", tool_calls: null },
      { id: "m2", role: "assistant", content: "I added it.", created_at: "2026-11-23T08:00:01Z", tool_calls: [] },
    ];
    server.override = ({ path }) => (path.includes("/conversations/") ? { body: { messages } } : undefined);
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
  await userEvent.click(screen.getByRole("button", { name: "Show pending tasks" }));
  expect(screen.getByLabelText("Message")).toHaveProperty("value", "Show pending tasks");
  expect(screen.getByRole("button", { name: "Send" })).toHaveProperty("disabled", false);
});
