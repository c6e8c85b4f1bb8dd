/** The backend's ways that a browser may use; everything else stays inside the cluster. */

type Route = { readonly name: string; readonly pattern: RegExp; readonly methods: readonly string[] };

const ID = "[A-Za-z0-9_-]{1,64}";

const route = (path: string, ...methods: string[]): Route => ({
  name: path,
  pattern: new RegExp(`^${path.replace(/\{[a-z_]+\}/g, ID)}$`),
  methods,
});

const ROUTES: readonly Route[] = [
  route("{user_id}/tasks", "GET", "POST"),
  route("{user_id}/tasks/{task_id}", "GET", "PUT", "DELETE"),
  route("{user_id}/tasks/{task_id}/complete", "PATCH"),
  route("{user_id}/chat", "POST"),
  route("{user_id}/conversations", "GET"),
  route("{user_id}/conversations/{conversation_id}", "GET", "PATCH", "DELETE"),
];

export type Match =
  | { readonly kind: "known"; readonly name: string }
  | { readonly kind: "method"; readonly allow: string }
  | { readonly kind: "unknown" };

/** Judge a path (as sent, below /api/proxy/) and a method. Escapes are not decoded, so none passes. */
export function match(method: string, path: string): Match {
  const found = ROUTES.find(({ pattern }) => pattern.test(path));
  if (!found) return { kind: "unknown" };
  if (found.methods.includes(method)) return { kind: "known", name: found.name };
  return { kind: "method", allow: [...found.methods, "OPTIONS"].join(", ") };
}
