import { ask } from "@/client/request";

import type { Task, TaskDraft, TaskPage } from "./task";
import { parametersOf, type TaskQuery } from "./task-query";

const tasksPath = (userId: string) => `/api/proxy/${encodeURIComponent(userId)}/tasks`;
const taskPath = (userId: string, id: string) => `${tasksPath(userId)}/${encodeURIComponent(id)}`;

/** Tasks at a time. */
export const PAGE = 50;

/** One page of the tasks that the query asks for, after the first `skipped` of them. */
export async function listTasks(userId: string, query: TaskQuery, skipped: number, signal: AbortSignal): Promise<TaskPage> {
  const parameters = parametersOf(query);
  parameters.set("limit", String(PAGE));
  parameters.set("offset", String(skipped));
  const { body } = await ask<Omit<TaskPage, "matching"> & { matching?: number }>(`${tasksPath(userId)}?${parameters}`, { signal });
  return { ...body, matching: body.matching ?? body.tasks.length };
}

export async function addTask(userId: string, draft: TaskDraft): Promise<Task> {
  return (await ask<Task>(tasksPath(userId), { method: "POST", body: draft })).body;
}

export async function updateTask(userId: string, id: string, draft: TaskDraft): Promise<Task> {
  return (await ask<Task>(taskPath(userId, id), { method: "PUT", body: draft })).body;
}

/** Completes an open task, reopens a completed one. */
export async function toggleTask(userId: string, id: string): Promise<Task> {
  return (await ask<Task>(`${taskPath(userId, id)}/complete`, { method: "PATCH" })).body;
}

export async function deleteTask(userId: string, id: string): Promise<void> {
  await ask(taskPath(userId, id), { method: "DELETE" });
}
