import { expect, it } from "vitest";

import { describe as inWords } from "@/chat/tool-call";

const TASK = { id: "1", title: "Buy milk" };

it.each([
  ["add_task", { title: "buy milk" }, { success: true, task: TASK }, "added “Buy milk”"],
  ["complete_task", { task_id: "1" }, { success: true, task: TASK }, "completed “Buy milk”"],
  ["complete_task", { task_id: "1", completed: false }, { success: true, task: TASK }, "reopened “Buy milk”"],
  ["delete_task", { task_id: "1" }, { success: true, id: "1", title: "Buy milk" }, "deleted “Buy milk”"],
  ["update_task", { task_id: "1" }, '{"success":true,"data":{"title":"Buy milk"}}', "changed “Buy milk”"],
  ["list_tasks", {}, { success: true, tasks: [TASK], total: 12 }, "read the list: 12 tasks"],
  ["list_tasks", {}, { tasks: [TASK] }, "read the list: 1 task"],
  ["sing_song", null, null, "sing_song"],
])("%s %j", (tool, given, result, text) => {
  expect(inWords({ tool, arguments: given, result })).toEqual({ text, failed: false });
});

it.each([
  ["complete_task", { success: false }, "could not complete"],
  ["delete_task", { error: "no task with this id" }, "could not delete"],
  ["sing_song", { isError: true }, "sing_song failed"],
])("%s that failed: %j", (tool, result, text) => {
  expect(inWords({ tool, arguments: {}, result })).toEqual({ text, failed: true });
});
