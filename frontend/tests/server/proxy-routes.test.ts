import { describe, expect, it } from "vitest";

import { match } from "@/server/proxy-routes";

const USER = "sFh3Kd9aQ2";
const ID = "5b0c6f0e-3c0a-4a53-9d29-0f5c9ad7a3c1";

describe("the proxy's known ways", () => {
  it.each([
    ["GET", `${USER}/tasks`, "{user_id}/tasks"],
    ["POST", `${USER}/tasks`, "{user_id}/tasks"],
    ["GET", `${USER}/tasks/${ID}`, "{user_id}/tasks/{task_id}"],
    ["PUT", `${USER}/tasks/${ID}`, "{user_id}/tasks/{task_id}"],
    ["DELETE", `${USER}/tasks/${ID}`, "{user_id}/tasks/{task_id}"],
    ["PATCH", `${USER}/tasks/${ID}/complete`, "{user_id}/tasks/{task_id}/complete"],
    ["POST", `${USER}/chat`, "{user_id}/chat"],
    ["GET", `${USER}/conversations`, "{user_id}/conversations"],
    ["GET", `${USER}/conversations/${ID}`, "{user_id}/conversations/{conversation_id}"],
    ["PATCH", `${USER}/conversations/${ID}`, "{user_id}/conversations/{conversation_id}"],
    ["DELETE", `${USER}/conversations/${ID}`, "{user_id}/conversations/{conversation_id}"],
  ])("%s %s passes", (method, path, name) => {
    expect(match(method, path)).toEqual({ kind: "known", name });
  });

  it.each([
    "",
    USER,
    "health",
    "docs",
    `${USER}/admin`,
    `${USER}/tasks/`,
    `${USER}//tasks`,
    `${USER}/tasks/${ID}/complete/more`,
    `../${USER}/tasks`,
    `${USER}/tasks/..`,
    `${USER}/tasks/%2e%2e`,
    `${USER}/tasks%2f..%2f..%2fhealth`,
    `${USER}%00/tasks`,
    `${USER}/tasks\n`,
    `${"x".repeat(65)}/tasks`,
  ])("%j is unknown", (path) => {
    expect(match("GET", path)).toEqual({ kind: "unknown" });
  });

  it("a wrong method on a known path is told with the right ones", () => {
    expect(match("DELETE", `${USER}/tasks`)).toEqual({ kind: "method", allow: "GET, POST, OPTIONS" });
    expect(match("GET", `${USER}/chat`)).toEqual({ kind: "method", allow: "POST, OPTIONS" });
  });
});
