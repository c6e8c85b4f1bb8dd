/** The interfaces of the application, as /developers shows them. */

export type Endpoint = { method: string; path: string; does: string };

export const ENDPOINTS: readonly Endpoint[] = [
  { method: "GET", path: "/tasks", does: "Tasks: filtered, sorted, in pages" },
  { method: "POST", path: "/tasks", does: "Add a task; 201" },
  { method: "GET", path: "/tasks/{task_id}", does: "One task" },
  { method: "PUT", path: "/tasks/{task_id}", does: "Change what is given; the rest stays" },
  { method: "PATCH", path: "/tasks/{task_id}/complete", does: "Complete, or open again" },
  { method: "DELETE", path: "/tasks/{task_id}", does: "Delete for good" },
  { method: "POST", path: "/chat", does: "Say something to the assistant" },
  { method: "GET", path: "/conversations", does: "Conversations, latest first" },
  { method: "GET", path: "/conversations/{id}", does: "Messages of one" },
  { method: "PATCH", path: "/conversations/{id}", does: "Give it a title" },
  { method: "DELETE", path: "/conversations/{id}", does: "Delete it with its messages; 204" },
];

export const STATUSES = [
  { status: "401", means: "No session, or one that has ended." },
  { status: "403", means: "The path names somebody else; or the assistant only helps with tasks." },
  { status: "404", means: "There is no such thing, or it is not yours: both read the same." },
  { status: "409", means: "A message with this Idempotency-Key is still being answered; ask again after Retry-After." },
  { status: "422", means: "A field is missing, too long or of the wrong kind; detail says which." },
  { status: "429", means: "Too much at once; Retry-After says how many seconds to wait." },
  { status: "502, 503, 504", means: "A service behind could not be reached, is not ready, or took too long." },
];

export const EVENTS = [
  { name: "conversation", carries: "conversation_id and model, as soon as the message is stored" },
  { name: "tool_call", carries: "tool, arguments and result, as each tool has been used" },
  { name: "delta", carries: "text: the next words of the answer" },
  { name: "done", carries: "the whole answer, as without streaming" },
  { name: "error", carries: "status, detail and retry_after, in place of done" },
];

export const TOOLS = [
  { name: "add_task", takes: "title; description, priority, due_date" },
  { name: "list_tasks", takes: "status, priority, due_from, due_before, completed_from, completed_to, sort" },
  { name: "get_task", takes: "task_id" },
  { name: "search_tasks", takes: "words of the title or description" },
  { name: "update_task", takes: "task_id; what is to change" },
  { name: "complete_task", takes: "task_id; completed false opens it again" },
  { name: "delete_task", takes: "task_id" },
];
