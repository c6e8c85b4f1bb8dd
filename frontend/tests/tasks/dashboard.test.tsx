// @vitest-environment jsdom
import { cleanup, render, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";

import * as navigation from "@/client/navigation";
import { Providers } from "@/client/providers";
import { Dashboard } from "@/tasks/dashboard";

import { FakeServer, task } from "../fake-server";
import { person } from "../person";

let server: FakeServer;

beforeEach(() => {
  server = new FakeServer();
  window.history.replaceState(null, "", "/dashboard");
  sessionStorage.clear();
});

function show(): void {
  render(
    <Providers>
      <Dashboard userId="u1" />
    </Providers>,
  );
}

const rows = () => screen.queryAllByTestId("task-item").map((row) => row.querySelector("p")?.textContent);

describe("the task list", () => {
  it("shows tasks and figures", async () => {
    server.tasks = [task(), task({ id: "t2", title: "Call Ann", is_completed: true })];
    show();
    await waitFor(() => expect(rows()).toEqual(["Buy milk", "Call Ann"]));
    expect(screen.getByText("50% done")).toBeDefined();
    expect(server.calls.some(({ path }) => path === "/api/proxy/u1/tasks?limit=50&offset=0")).toBe(true);
  });

  it("says that there is nothing yet", async () => {
    show();
    expect(await screen.findByText("No tasks yet")).toBeDefined();
  });

  it("says what failed, and tries again when asked", async () => {
    server.override = ({ path }) => (path.includes("/tasks?") ? { status: 500, body: { detail: "The list is not available" } } : undefined);
    show();
    expect((await screen.findByRole("alert")).textContent).toContain("The list is not available");
    server.override = () => undefined;
    await person.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByText("No tasks yet")).toBeDefined();
  });

  it("sends a person whose session has ended to sign in", async () => {
    const signInAgain = vi.spyOn(navigation, "signInAgain").mockImplementation(() => undefined);
    server.override = ({ path }) => (path.includes("/tasks?") ? { status: 401, body: { detail: "no" } } : undefined);
    show();
    await waitFor(() => expect(signInAgain).toHaveBeenCalled());
  });

  it("shows only what the filter asks for", async () => {
    server.tasks = [task(), task({ id: "t2", title: "Call Ann", is_completed: true })];
    show();
    await screen.findByText("Buy milk");
    await person.click(screen.getByRole("button", { name: "completed" }));
    await waitFor(() => expect(rows()).toEqual(["Call Ann"]));
    expect(window.location.search).toBe("?status=completed");
    await person.click(screen.getByRole("button", { name: "pending" }));
    await waitFor(() => expect(rows()).toEqual(["Buy milk"]));
    await person.selectOptions(screen.getByLabelText("Priority"), "high");
    expect(await screen.findAllByText("No matching tasks")).toBeDefined();
    await person.click(screen.getByRole("button", { name: "Show all tasks" }));
    await waitFor(() => expect(rows()).toEqual(["Buy milk", "Call Ann"]));
    expect(window.location.search).toBe("");
  });

  it("asks for the order that is chosen", async () => {
    show();
    await person.selectOptions(await screen.findByLabelText("Order"), "due");
    await waitFor(() => expect(server.calls.at(-1)?.path).toBe("/api/proxy/u1/tasks?sort=due&limit=50&offset=0"));
  });

  it("is searched by words, which Escape takes away", async () => {
    server.tasks = [task(), task({ id: "t2", title: "Call Ann" })];
    show();
    await screen.findByText("Buy milk");
    await person.keyboard("/ann");
    expect(screen.getByLabelText("Search tasks")).toHaveProperty("value", "ann");
    await waitFor(() => expect(rows()).toEqual(["Call Ann"]));
    expect(screen.getByText("1 of 2 tasks")).toBeDefined();
    await person.keyboard("{Escape}");
    await waitFor(() => expect(rows()).toEqual(["Buy milk", "Call Ann"]));
  });

  it("shows more when asked", async () => {
    server.tasks = Array.from({ length: 51 }, (_, place) => task({ id: `t${place}`, title: `Task ${place}` }));
    show();
    await person.click(await screen.findByRole("button", { name: "Show more (1 left)" }));
    await waitFor(() => expect(rows()).toHaveLength(51));
    expect(screen.queryByRole("button", { name: /Show more/ })).toBeNull();
  });
});

describe("changes", () => {
  it("adds by a title and Enter", async () => {
    show();
    await person.type(screen.getByLabelText("New task"), "  Water plants {Enter}");
    await waitFor(() => expect(rows()).toEqual(["Water plants"]));
    expect(server.calls.find(({ method }) => method === "POST")?.body).toMatchObject({ title: "Water plants", priority: "medium" });
  });

  it("adds with details, and refuses an empty title", async () => {
    show();
    await person.click(screen.getByRole("button", { name: /Details/ }));
    const dialog = within(screen.getByRole("dialog"));
    expect(document.activeElement).toBe(dialog.getByLabelText("Title"));
    await person.click(dialog.getByRole("button", { name: "Add task" }));
    expect(dialog.getByText("A task needs a title.")).toBeDefined();
    await person.type(dialog.getByLabelText("Title"), "Report");
    await person.click(dialog.getByLabelText("high"));
    await person.type(dialog.getByLabelText("Due date"), "2026-12-01");
    await person.click(dialog.getByRole("button", { name: "Add task" }));
    await waitFor(() => expect(rows()).toEqual(["Report"]));
    expect(server.calls.find(({ method }) => method === "POST")?.body).toEqual({
      title: "Report",
      description: "",
      priority: "high",
      target_completion_date: "2026-12-01T00:00:00Z",
    });
  });

  it("edits, and takes a due date away", async () => {
    server.tasks = [task({ target_completion_date: "2026-12-01T00:00:00Z" })];
    show();
    await person.click(await screen.findByRole("button", { name: "Edit Buy milk" }));
    const dialog = within(screen.getByRole("dialog"));
    await person.click(dialog.getByRole("button", { name: "No date" }));
    await person.click(dialog.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(server.calls.find(({ method }) => method === "PUT")?.body).toMatchObject({ target_completion_date: null }));
  });

  it("completes at once, and takes it back when the server refuses", async () => {
    server.tasks = [task()];
    show();
    const box = await screen.findByRole("checkbox", { name: "Completed: Buy milk" });
    server.override = ({ method }) => (method === "PATCH" ? { status: 404, body: { detail: "There is no such task." } } : undefined);
    await person.click(box);
    expect(await screen.findByText("There is no such task.")).toBeDefined();
    await waitFor(() => expect(box).toHaveProperty("checked", false));
    server.override = () => undefined;
    await person.click(box);
    await waitFor(() => expect(server.tasks[0]?.is_completed).toBe(true));
    expect(box).toHaveProperty("checked", true);
  });

  it("are refused without a network, with the reason, and taken back", async () => {
    server.tasks = [task()];
    show();
    const box = await screen.findByRole("checkbox", { name: "Completed: Buy milk" });
    vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    window.dispatchEvent(new Event("offline"));
    expect(await screen.findByText(/What you see may be out of date/)).toBeDefined();
    await person.click(box);
    expect(await screen.findByText(/You're offline, so nothing was saved/)).toBeDefined();
    await waitFor(() => expect(box).toHaveProperty("checked", false));
    expect(server.calls.some(({ method }) => method === "PATCH")).toBe(false);
    vi.spyOn(navigator, "onLine", "get").mockReturnValue(true);
    window.dispatchEvent(new Event("online"));
    await waitFor(() => expect(screen.queryByText(/What you see may be out of date/)).toBeNull());
  });

  it("deletes only after a yes", async () => {
    server.tasks = [task()];
    show();
    await person.click(await screen.findByRole("button", { name: "Delete Buy milk" }));
    await person.click(screen.getByRole("button", { name: "Cancel" }));
    expect(server.tasks).toHaveLength(1);
    await person.click(screen.getByRole("button", { name: "Delete Buy milk" }));
    await person.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Delete" }));
    await waitFor(() => expect(rows()).toEqual([]));
    expect(server.tasks).toEqual([]);
  });
});

describe("what was typed", () => {
  const refuse = () => {
    server.override = ({ method }) => (method === "GET" ? undefined : { status: 503, body: { detail: "Not now." } });
  };

  it("comes back when a task could not be added, and outlives the page", async () => {
    refuse();
    show();
    await person.type(await screen.findByLabelText("New task"), "call mum{Enter}");
    expect(await screen.findByText("Not now.")).toBeDefined();
    await waitFor(() => expect(screen.getByLabelText("New task")).toHaveProperty("value", "call mum"));
    cleanup();
    server.override = () => undefined;
    show();
    await waitFor(() => expect(screen.getByLabelText("New task")).toHaveProperty("value", "call mum"));
    await person.type(screen.getByLabelText("New task"), "{Enter}");
    await waitFor(() => expect(rows()).toEqual(["call mum"]));
    expect(sessionStorage.length).toBe(0);
  });

  it("stays in the dialog when it could not be saved, and is not left without a question", async () => {
    server.tasks = [task()];
    show();
    await person.click(await screen.findByRole("button", { name: "Edit Buy milk" }));
    await person.type(screen.getByLabelText(/Description/), "two litres");
    refuse();
    await person.click(screen.getByRole("button", { name: "Save" }));
    expect(await screen.findByText("Not now.")).toBeDefined();
    const asked = vi.spyOn(window, "confirm").mockReturnValue(false);
    await person.click(screen.getByRole("button", { name: "Close" }));
    expect(asked).toHaveBeenCalledOnce();
    expect(screen.getByLabelText(/Description/)).toHaveProperty("value", "two litres");
    asked.mockReturnValue(true);
    await person.click(screen.getByRole("button", { name: "Close" }));
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("shows a tick from the click on, whatever is under way", async () => {
    server.tasks = [task()];
    show();
    const box = await screen.findByRole("checkbox", { name: "Completed: Buy milk" });
    const answering = window.fetch;
    let release: () => void = () => undefined;
    vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
      if (init.method === "PATCH") await new Promise<void>((resume) => (release = resume));
      return answering(path, init);
    });
    box.click();
    expect(box).toHaveProperty("checked", true);
    await waitFor(() => expect(release).not.toBe(undefined));
    expect(box).toHaveProperty("checked", true);
    await new Promise((resume) => setTimeout(resume, 20));
    release();
    await waitFor(() => expect(server.tasks[0]?.is_completed).toBe(true));
    expect(box).toHaveProperty("checked", true);
  });

  it("no figures are claimed before they are known", async () => {
    server.override = ({ path }) => (path.includes("/tasks?") ? { status: 500, body: { detail: "Broken" } } : undefined);
    show();
    await screen.findByRole("alert");
    expect(screen.getByText("–% done")).toBeDefined();
  });
});

describe("the keyboard", () => {
  it("n leads to a new task, ? to the list of keys, where single keys can be turned off", async () => {
    show();
    await person.keyboard("n");
    expect(document.activeElement).toBe(screen.getByLabelText("New task"));
    await person.keyboard("n{Escape}");
    expect(screen.getByLabelText("New task")).toHaveProperty("value", "n");
    await person.keyboard("?");
    await person.click(screen.getByLabelText("Use single keys"));
    await person.click(screen.getByRole("button", { name: "Close" }));
    await person.keyboard("?");
    expect(screen.queryByRole("dialog")).toBeNull();
    localStorage.clear();
  });
});
