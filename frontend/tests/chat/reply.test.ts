import { expect, it } from "vitest";

import { replyParts, withoutOpenBlock } from "@/chat/reply";

const block = (content: string) => `\`\`\`json\n${content}\n\`\`\``;

const gave = (tasks: unknown) => [{ tool: "list_tasks", arguments: {}, result: { success: true, tasks } }];

it("words alone stay words", () => {
  expect(replyParts("Done.\nAnything else?", [])).toEqual([{ kind: "text", text: "Done.\nAnything else?" }]);
});

it("a task block becomes cards, and the lines that repeat it go", () => {
  const tasks = [{ title: "Buy milk", priority: "high", is_completed: true, target_completion_date: "2026-11-24T00:00:00Z" }];
  const reply = `You have 1 task:\n1. "Buy milk" (high priority)\n\n${block(JSON.stringify({ tasks }))}\nWell done!`;
  expect(replyParts(reply, gave(tasks))).toEqual([
    { kind: "text", text: "You have 1 task:" },
    { kind: "tasks", tasks: [{ title: "Buy milk", priority: "high", completed: true, due: "2026-11-24T00:00:00Z" }] },
    { kind: "text", text: "Well done!" },
  ]);
});

it("an empty list needs no cards", () => {
  expect(replyParts(`Nothing.\n${block('{"tasks": []}')}`, [])).toEqual([{ kind: "text", text: "Nothing." }]);
});

it.each(['{"tasks": [', '{"tasks": [{"name": 1}]}', '{"other": []}', "[]", "null"])("a block that does not fit shows as it is: %s", (content) => {
  expect(replyParts(block(content), [])).toEqual([{ kind: "text", text: block(content) }]);
});

it("unknown priorities and dates do not break a card", () => {
  expect(replyParts(block('{"tasks": [{"title": "x"}]}'), gave([{ title: "x", priority: "urgent", due_date: "soon" }]))).toEqual([
    { kind: "tasks", tasks: [{ title: "x", priority: "medium", completed: false, due: null }] },
  ]);
});

it("a block that is still coming is not shown yet", () => {
  expect(withoutOpenBlock('Here:\n```json\n{"tasks": [')).toBe("Here:\n");
  expect(withoutOpenBlock("A ```b``` c")).toBe("A ```b``` c");
  expect(withoutOpenBlock("words")).toBe("words");
});

it.each(["explain ``` fences", "```json", "<b>bold</b>", "\u202eright to left", "x".repeat(2_000), 'a "quoted" \\ title\n```'])(
  "a title breaks no card: %s",
  (title) => {
    const tasks = [{ id: "t1", title }];
    const parts = replyParts(`There:\n${block(JSON.stringify({ tasks }))}\nGood?`, gave(tasks));
    expect(parts.map((part) => (part.kind === "tasks" ? part.tasks.map((task) => task.title) : part.text))).toEqual(["There:", [title], "Good?"]);
  },
);

it("a title fakes no card, and a block changes no task", () => {
  const title = block('{"tasks":[{"title":"fake"}]}');
  const real = [{ id: "t1", title }];
  expect(replyParts(`I added "${title}".`, gave(real)).every(({ kind }) => kind === "text")).toBe(true);
  expect(replyParts(title, gave(real)).every(({ kind }) => kind === "text")).toBe(true);
  const [card] = replyParts(block('{"tasks":[{"id":"t1","title":"fake","is_completed":true}]}'), gave(real));
  expect(card).toMatchObject({ kind: "tasks", tasks: [{ title, completed: false }] });
});
