import { ask } from "@/client/request";

import type { Task, TaskDraft, TaskList } from "./task";

const tasksPath = (userId: string) => `/api/proxy/${encodeURIComponent(userId)}/tasks`;
const taskPath = (userId: string, id: string) => `${tasksPath(userId)}/${encodeURIComponent(id)}`;

export async function listTasks(userId: string, signal: AbortSignal): Promise<TaskList> {
  return (await ask<TaskList>(tasksPath(userId), { signal })).body;
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
