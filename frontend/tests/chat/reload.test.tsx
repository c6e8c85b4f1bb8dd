// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, it } from "vitest";

import { FakeServer, task } from "../fake-server";
import { CONVERSATION, show } from "./chat-page";

let server: FakeServer;

beforeEach(() => {
  server = new FakeServer();
});

const said = (role: string, content: string, at: Date) => ({ id: `${role}-${content}`, role, content, created_at: at.toISOString(), tool_calls: null });

function conversation(...messages: object[]): void {
  server.override = ({ path }) =>
    path.includes(`/conversations/${CONVERSATION}`) ? { body: { id: CONVERSATION, title: "x", messages, total: messages.length } } : undefined;
}

it("a page that is opened in the middle of an answer finds the answer, and what it changed", async () => {
  const asked = said("user", "add buy milk", new Date());
  conversation(asked);
  show(CONVERSATION);
  await screen.findByTestId("message-draft");
  server.tasks = [task()];
  conversation(asked, said("assistant", "I added it.", new Date()));
  expect((await screen.findByTestId("message-assistant", {}, { timeout: 4_000 })).textContent).toContain("I added it.");
  expect(screen.queryByTestId("message-draft")).toBeNull();
  await screen.findByTestId("task-item");
});

it("an old question without an answer is not waited for", async () => {
  conversation(said("user", "add buy milk", new Date(Date.now() - 600_000)));
  show(CONVERSATION);
  await screen.findByTestId("message-user");
  await waitFor(() => expect(screen.queryByTestId("message-draft")).toBeNull());
});
