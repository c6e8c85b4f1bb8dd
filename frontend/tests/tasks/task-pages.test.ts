import { describe, expect, it } from "vitest";

import { type Change, changed, figuresOf, type TaskPages, tasksOf } from "@/tasks/task-pages";
import { EVERYTHING, type TaskQuery } from "@/tasks/task-query";

import { task } from "../fake-server";

const figures = { total: 3, completed: 1, pending: 2, matching: 3 };
const open = task({ id: "a" });
const done = task({ id: "b", is_completed: true, completed_at: "2026-11-23T08:00:00Z" });
const pages: TaskPages = {
  pageParams: [0, 2],
  pages: [
    { tasks: [open, done], ...figures },
    { tasks: [task({ id: "c" })], ...figures },
  ],
};

const after = (change: Change, query: Partial<TaskQuery> = {}) => changed(pages, { ...EVERYTHING, ...query }, change);
const ids = (result: TaskPages) => tasksOf(result).map(({ id }) => id);

describe("a new task", () => {
  const add: Change = { kind: "add", task: task({ id: "new", priority: "high" }) };

  it("stands first, and is counted", () => {
    expect(ids(after(add))).toEqual(["new", "a", "b", "c"]);
    expect(figuresOf(after(add))).toEqual({ total: 4, completed: 1, pending: 3, matching: 4 });
  });

  it.each([{ status: "completed" }, { search: "x" }, { priority: "low" }] as const)("is only counted where %j is asked", (query) => {
    expect(ids(after(add, query))).toEqual(["a", "b", "c"]);
    expect(figuresOf(after(add, query))).toEqual({ ...figures, total: 4, pending: 3 });
  });
});

it("an edited task keeps its place", () => {
  const draft = { title: "Tea", description: "", priority: "low", target_completion_date: null } as const;
  const result = after({ kind: "edit", id: "c", draft });
  expect(tasksOf(result).map(({ title }) => title)).toEqual(["Buy milk", "Buy milk", "Tea"]);
});

it("a completed task is counted as such, keeps its place, and can be opened again", () => {
  const ticked = after({ kind: "toggle", task: open }, { status: "pending" });
  expect(tasksOf(ticked)[0]?.is_completed).toBe(true);
  expect(figuresOf(ticked)).toMatchObject({ completed: 2, pending: 1, matching: 3 });
  const opened = after({ kind: "toggle", task: done });
  expect(tasksOf(opened)[1]).toMatchObject({ is_completed: false, completed_at: null });
  expect(figuresOf(opened)).toMatchObject({ completed: 0, pending: 3 });
});

it("a deleted task is gone, and no longer counted", () => {
  const result = after({ kind: "remove", task: done });
  expect(ids(result)).toEqual(["a", "c"]);
  expect(figuresOf(result)).toEqual({ total: 2, completed: 0, pending: 2, matching: 2 });
});
