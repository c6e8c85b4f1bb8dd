import { expect, it } from "vitest";

import { draftErrors } from "@/tasks/task";

it.each([
  [{ title: "x", description: "" }, []],
  [{ title: "x".repeat(200), description: "y".repeat(1000) }, []],
  [{ title: "  ", description: "" }, ["title"]],
  [{ title: "x".repeat(201), description: "" }, ["title"]],
  [{ title: "x", description: "y".repeat(1001) }, ["description"]],
])("%j has errors at %j", (draft, fields) => {
  expect(Object.keys(draftErrors(draft))).toEqual(fields);
});
