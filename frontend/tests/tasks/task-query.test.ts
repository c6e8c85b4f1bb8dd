import { expect, it } from "vitest";

import { EVERYTHING, narrows, parametersOf, queryFrom } from "@/tasks/task-query";

it.each(["", "status=overdue", "priority=high&search=milk", "sort=title"])("the address %j says a query and back", (address) => {
  const query = queryFrom(Object.fromEntries(new URLSearchParams(address)));
  expect(parametersOf(query).toString()).toBe(address);
});

it.each([{ status: "done" }, { priority: ["high", "low"] }, { sort: "" }, { search: ["a"] }])("%j asks for everything", (given) => {
  expect(queryFrom(given)).toEqual(EVERYTHING);
});

it("the order hides nothing; status, priority and words do", () => {
  expect(narrows({ ...EVERYTHING, sort: "due" })).toBe(false);
  expect([narrows({ ...EVERYTHING, status: "overdue" }), narrows({ ...EVERYTHING, search: "a" })]).toEqual([true, true]);
});
