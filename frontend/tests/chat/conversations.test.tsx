// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { FakeServer } from "../fake-server";
import { person } from "../person";
import { CONVERSATION, say, show } from "./chat-page";

let server: FakeServer;

beforeEach(() => {
  server = new FakeServer();
  window.history.replaceState(null, "", "/chat");
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
