import { vi } from "vitest";

import type { Task } from "@/tasks/task";

export type Call = { method: string; path: string; body: unknown };
type Reply = { status?: number; body?: unknown; headers?: Record<string, string> };

/** Stands in for our own server in the browser's tests: keeps tasks, and records what is asked. */
export class FakeServer {
  readonly calls: Call[] = [];
  tasks: Task[] = [];
  /** Answers instead of the store, for as long as it gives something. */
  override: (call: Call) => Reply | undefined = () => undefined;

  constructor() {
    vi.stubGlobal("fetch", (path: string, init: RequestInit = {}) => this.answer(path, init));
  }

  private async answer(path: string, init: RequestInit): Promise<Response> {
    const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
    const call = { method: init.method ?? "GET", path, body };
    this.calls.push(call);
    const { status = 200, body: content, headers = {} } = this.override(call) ?? this.stored(call);
    return Response.json(content ?? null, { status, headers });
  }

  private stored({ method, path, body }: Call): Reply {
    if (path === "/api/auth/get-session") return { body: { session: {} } };
    if (path.includes("/conversations")) return { body: { conversations: [], messages: [], total: 0 } };
    const { pathname, searchParams: asked } = new URL(path, "http://here.invalid");
    const id = pathname.split("/")[5];
    if (method === "POST") this.tasks = [task({ id: `t${this.tasks.length + 1}`, ...(body as Partial<Task>) }), ...this.tasks];
    if (method === "PUT") this.tasks = this.tasks.map((kept) => (kept.id === id ? { ...kept, ...(body as Partial<Task>) } : kept));
    if (method === "PATCH") this.tasks = this.tasks.map((kept) => (kept.id === id ? { ...kept, is_completed: !kept.is_completed } : kept));
    if (method === "DELETE") this.tasks = this.tasks.filter((kept) => kept.id !== id);
    const completed = this.tasks.filter((kept) => kept.is_completed).length;
    const figures = { total: this.tasks.length, completed, pending: this.tasks.length - completed };
    const matching = this.tasks.filter((kept) => fits(kept, asked));
    const from = Number(asked.get("offset"));
    const tasks = matching.slice(from, from + Number(asked.get("limit") ?? matching.length));
    return { body: { tasks, ...figures, matching: matching.length } };
  }
}

function fits(kept: Task, asked: URLSearchParams): boolean {
  const { status, priority, search } = Object.fromEntries(asked);
  if (status === "completed" || status === "pending") if (kept.is_completed !== (status === "completed")) return false;
  if (priority !== undefined && kept.priority !== priority) return false;
  return kept.title.toLowerCase().includes((search ?? "").toLowerCase());
}

export function task(given: Partial<Task> = {}): Task {
  return {
    id: "t1",
    title: "Buy milk",
    description: "",
    priority: "medium",
    is_completed: false,
    target_completion_date: null,
    created_at: "2026-11-23T08:00:00Z",
    updated_at: "2026-11-23T08:00:00Z",
    completed_at: null,
    ...given,
  };
}
