// @vitest-environment jsdom
import { render, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { Chat } from "@/chat/chat";
import * as navigation from "@/client/navigation";
import { Providers } from "@/client/providers";

import { type Call, FakeServer, task } from "../fake-server";
import { person } from "../person";

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
  await person.type(screen.getByLabelText("Message"), text);
  await person.click(screen.getByRole("button", { name: "Send" }));
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

describe("the list of conversations", () => {
  const OTHER = "0d2c8a11-7a5e-4b9e-8a49-7f1f3f8f0c22";
  const stored = (id: string, title: string | null) => ({ id, title, created_at: "2026-11-23T08:00:00Z", updated_at: "2026-11-23T08:00:00Z" });
  const said = (id: string, content: string) => ({ id, role: "user", content, created_at: "2026-11-23T08:00:00Z", tool_calls: null });
  let conversations: ReturnType<typeof stored>[];

  beforeEach(() => {
    conversations = [stored(CONVERSATION, "Groceries"), stored(OTHER, null)];
    server.override = ({ method, path, body }) => {
      if (path.includes("/conversations?")) return { body: { conversations, total: conversations.length } };
      const id = /conversations\/([^?]+)/.exec(path)?.[1];
      if (id === undefined) return undefined;
      if (method === "DELETE") conversations = conversations.filter((kept) => kept.id !== id);
      if (method === "PATCH") conversations = conversations.map((kept) => (kept.id === id ? { ...kept, ...(body as object) } : kept));
      const later = path.endsWith("offset=0");
      return { body: { messages: [said(later ? "m2" : "m1", later ? `latest of ${id}` : "the very first")], total: 2 } };
    };
  });

  it("opens one, and shows what was said before when asked", async () => {
    show();
    await person.click(await screen.findByRole("button", { name: /^Conversation/ }));
    expect(await screen.findByText(`latest of ${OTHER}`)).toBeDefined();
    expect(window.location.search).toBe(`?c=${OTHER}`);
    await person.click(await screen.findByRole("button", { name: "Show what was said before" }));
    expect(await screen.findByText("the very first")).toBeDefined();
    expect(screen.getAllByTestId("message-user").map((row) => row.querySelector("p")?.textContent)).toEqual([
      "the very first",
      `latest of ${OTHER}`,
    ]);
    expect(screen.queryByRole("button", { name: "Show what was said before" })).toBeNull();
  });

  it("renames one", async () => {
    show();
    await person.click(await screen.findByRole("button", { name: "Rename Groceries" }));
    await person.clear(screen.getByLabelText("Title"));
    await person.type(screen.getByLabelText("Title"), "Shopping{Enter}");
    expect(await screen.findByRole("button", { name: /^Shopping/ })).toBeDefined();
  });

  it("deletes the open one and begins anew", async () => {
    show(CONVERSATION);
    await screen.findByText(`latest of ${CONVERSATION}`);
    await person.click(await screen.findByRole("button", { name: "Delete Groceries" }));
    await person.click(screen.getByRole("button", { name: "Delete" }));
    await waitFor(() => expect(screen.queryByText(`latest of ${CONVERSATION}`)).toBeNull());
    expect(window.location.search).toBe("");
    expect(screen.queryByRole("button", { name: "Rename Groceries" })).toBeNull();
  });

  it("an answer that comes after another one was opened stays out of it", async () => {
    let answerNow: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (answerNow = resolve));
    const answering = window.fetch;
    vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
      if (path.endsWith("/chat")) {
        await held;
        return Response.json({ conversation_id: CONVERSATION, response: "too late", tool_calls: [] });
      }
      return answering(path, init);
    });
    show();
    await say("add buy milk");
    await person.click(await screen.findByRole("button", { name: /^Conversation/ }));
    await screen.findByText(`latest of ${OTHER}`);
    answerNow();
    await waitFor(() => expect(screen.getByRole("button", { name: "Send" })).toBeDefined());
    expect(screen.queryByText("too late")).toBeNull();
    expect(window.location.search).toBe(`?c=${OTHER}`);
  });
});

it("a suggestion fills the field and can be sent", async () => {
  show();
  await person.click(screen.getByRole("button", { name: "Show pending tasks" }));
  expect(screen.getByLabelText("Message")).toHaveProperty("value", "Show pending tasks");
  expect(screen.getByRole("button", { name: "Send" })).toHaveProperty("disabled", false);
});
