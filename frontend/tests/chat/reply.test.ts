import { expect, it } from "vitest";

import { replyParts, withoutOpenBlock } from "@/chat/reply";

const block = (content: string) => `\`\`\`json\n${content}\n\`\`\``;

it("words alone stay words", () => {
  expect(replyParts("Done.\nAnything else?")).toEqual([{ kind: "text", text: "Done.\nAnything else?" }]);
});

it("a task block becomes cards, and the lines that repeat it go", () => {
  const tasks = [{ title: "Buy milk", priority: "high", is_completed: true, target_completion_date: "2026-11-24T00:00:00Z" }];
  const reply = `You have 1 task:\n1. "Buy milk" (high priority)\n\n${block(JSON.stringify({ tasks }))}\nWell done!`;
  expect(replyParts(reply)).toEqual([
    { kind: "text", text: "You have 1 task:" },
    { kind: "tasks", tasks: [{ title: "Buy milk", priority: "high", completed: true, due: "2026-11-24T00:00:00Z" }] },
    { kind: "text", text: "Well done!" },
  ]);
});

it("an empty list needs no cards", () => {
  expect(replyParts(`Nothing.\n${block('{"tasks": []}')}`)).toEqual([{ kind: "text", text: "Nothing." }]);
});

it.each(['{"tasks": [', '{"tasks": [{"name": 1}]}', '{"other": []}', "[]", "null"])("a block that does not fit shows as it is: %s", (content) => {
  expect(replyParts(block(content))).toEqual([{ kind: "text", text: block(content) }]);
});

it("unknown priorities and dates do not break a card", () => {
  expect(replyParts(block('{"tasks": [{"title": "x", "priority": "urgent", "due_date": "soon"}]}'))).toEqual([
    { kind: "tasks", tasks: [{ title: "x", priority: "medium", completed: false, due: null }] },
  ]);
});

it("a block that is still coming is not shown yet", () => {
  expect(withoutOpenBlock('Here:\n```json\n{"tasks": [')).toBe("Here:\n");
  expect(withoutOpenBlock("A ```b``` c")).toBe("A ```b``` c");
  expect(withoutOpenBlock("words")).toBe("words");
});
