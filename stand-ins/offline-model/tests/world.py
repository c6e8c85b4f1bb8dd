"""What the model talks to: a todo list behind the five tools, and the loop by which an agent serves calls."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from offline_model.conversation import answer
from offline_model.wire import Reply, Request

TODAY = date(2026, 11, 23)


def tool(name: str, **properties: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {key: {"type": kind} for key, kind in properties.items()}}
    return {"type": "function", "function": {"name": name, "description": name, "parameters": schema}}


TOOLS = [
    tool("add_task", title="string", description="string", priority="string", due_date="string"),
    tool("list_tasks", status="string"),
    tool(
        "update_task",
        task_id="string",
        title="string",
        description="string",
        priority="string",
        due_date="string",
        clear_due_date="boolean",
    ),
    tool("complete_task", task_id="string", completed="boolean"),
    tool("delete_task", task_id="string"),
]


class TodoList:
    """Newest first, as the real tools answer."""

    def __init__(self, *titles: str) -> None:
        self.tasks: list[dict[str, Any]] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.broken = ""
        for title in titles:
            self.add_task(title=title)

    def run(self, name: str, arguments: dict[str, Any]) -> str:
        self.calls.append((name, arguments))
        if self.broken == name:
            return json.dumps(
                {"success": False, "error": {"operation": name, "reason": "the database is away"}}
            )
        data: Any = getattr(self, name)(**arguments)
        return json.dumps({"success": True, "data": data})

    def add_task(
        self, title: str, description: str = "", priority: str = "medium", due_date: str | None = None
    ) -> Any:
        task = {
            "id": f"00000000-0000-0000-0000-{len(self.tasks) + 1:012d}",
            "title": title,
            "description": description,
            "priority": priority,
            "is_completed": False,
            "target_completion_date": due_date,
        }
        self.tasks.insert(0, task)
        return dict(task)

    def list_tasks(self, status: str = "all") -> Any:
        wanted = {"all": (True, False), "pending": (False,), "completed": (True,)}[status]
        return {"tasks": [dict(task) for task in self.tasks if task["is_completed"] in wanted]}

    def update_task(self, task_id: str, clear_due_date: bool = False, **changes: Any) -> Any:
        task = self._task(task_id)
        if clear_due_date:
            changes["due_date"] = None
        task.update(
            {"target_completion_date" if key == "due_date" else key: value for key, value in changes.items()}
        )
        return dict(task)

    def complete_task(self, task_id: str, completed: bool = True) -> Any:
        task = self._task(task_id)
        task["is_completed"] = completed
        return dict(task)

    def delete_task(self, task_id: str) -> Any:
        task = self._task(task_id)
        self.tasks.remove(task)
        return {"id": task["id"], "title": task["title"]}

    def _task(self, task_id: str) -> dict[str, Any]:
        return next(task for task in self.tasks if task["id"] == task_id)


class Chat:
    """Serves tool calls until the model answers in words; only texts survive between turns."""

    def __init__(
        self,
        todo: TodoList,
        tools: list[dict[str, Any]] | None = None,
        system: str = "You help.",
        parallel: bool = True,
    ) -> None:
        self.parallel = parallel
        self.todo = todo
        self.tools = TOOLS if tools is None else tools
        self.history: list[dict[str, Any]] = [{"role": "system", "content": system}]

    def say(self, text: str) -> str:
        self.todo.calls.clear()
        self.rounds: list[list[str]] = []
        self.history.append({"role": "user", "content": text})
        turn = list(self.history)
        for index in range(30):
            reply = self.model(turn)
            if not reply.calls:
                self.history.append({"role": "assistant", "content": reply.text})
                return reply.text
            self.rounds.append([call.name for call in reply.calls])
            calls = [
                {
                    "id": f"call_{index}_{place}",
                    "type": "function",
                    "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
                }
                for place, call in enumerate(reply.calls)
            ]
            turn.append({"role": "assistant", "content": None, "tool_calls": calls})
            for made, call in zip(calls, reply.calls, strict=True):
                result = self.todo.run(call.name, call.arguments)
                turn.append({"role": "tool", "tool_call_id": made["id"], "content": result})
        raise AssertionError(f"no answer in words after {self.todo.calls}")

    def model(self, messages: list[dict[str, Any]]) -> Reply:
        request: dict[str, Any] = {"model": "offline-model", "messages": messages, "tools": self.tools}
        request["parallel_tool_calls"] = self.parallel
        return answer(Request.model_validate(request), TODAY)

    @property
    def called(self) -> list[str]:
        return [name for name, _ in self.todo.calls]
