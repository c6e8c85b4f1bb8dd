"""What the model says: short, friendly sentences, and lists of tasks that a page can turn into cards."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date

from offline_model.intents import Show
from offline_model.results import Task, due_day, is_completed

HELP = (
    "I am the offline model, a small stand-in. I understand sentences such as: "
    'add "buy milk" high priority, due tomorrow; show my pending tasks; what is overdue; '
    "complete buy milk; rename buy milk to buy oat milk; set the priority of task 2 to low; delete task 3."
)
GREETING = f"Hello! {HELP}"
THANKS = "You're welcome! Tell me when there is something to add, show, complete, change or delete."
UNCLEAR = f"Sorry, I did not understand that. {HELP}"


def named(task: Task) -> str:
    """A task in one line: title, priority, due day, state."""
    details = []
    if task.get("priority"):
        details.append(f"{task['priority']} priority")
    if due := due_day(task):
        details.append(f"due {due.isoformat()}")
    if is_completed(task):
        details.append("completed")
    return f'"{task["title"]}"' + (f" ({', '.join(details)})" if details else "")


def numbered(tasks: Sequence[Task], start: int = 1) -> str:
    return "\n".join(f"{index}. {named(task)}" for index, task in enumerate(tasks, start))


def block(tasks: Sequence[Task]) -> str:
    """The fenced JSON block from which the page draws task cards."""
    return f"```json\n{json.dumps({'tasks': list(tasks)}, ensure_ascii=False)}\n```"


def listed(asked: Show, tasks: Sequence[Task]) -> str:
    """The answer to a question for tasks."""
    kind = " ".join(
        word
        for word in (
            asked.status if asked.status != "all" and asked.due != "overdue" else "",
            "overdue" if asked.due == "overdue" else "",
            f"{asked.priority}-priority" if asked.priority else "",
            "task" if len(tasks) == 1 else "tasks",
        )
        if word
    )
    when = {"today": " due today", "tomorrow": " due tomorrow", "week": " due within a week"}.get(
        asked.due or "", ""
    )
    if not tasks:
        return f"You have no {kind}{when}. Enjoy, or add one!"
    return f"You have {len(tasks)} {kind}{when}:\n{numbered(tasks)}\n\n{block(tasks)}"


def changed(what: str, tasks: Sequence[Task] | None) -> str:
    """A confirmed change, with the new list where it could be read."""
    if tasks is None:
        return what
    if not tasks:
        return f"{what} Your list is empty now."
    return f"{what} Your list now:\n{numbered(tasks)}\n\n{block(tasks)}"


def failed(operation: str, reason: str) -> str:
    """What could not be done and why, in the tool's own words where it names the operation itself."""
    own = re.search(r"\bcould not (.+)", reason, re.DOTALL)
    told = own[1] if own else f"{operation}: {reason}"
    return f"Sorry, I could not {told.strip().rstrip('.')}."


def matches(asked: Show, task: Task, today: date) -> bool:
    """Whether a task belongs to the answer; the status, asked of the tool already, is checked again."""
    due = due_day(task)
    if asked.status != "all" and is_completed(task) != (asked.status == "completed"):
        return False
    if asked.priority and task.get("priority") != asked.priority:
        return False
    if asked.due is None:
        return True
    if due is None:
        return False
    distance = (due - today).days
    return {
        "overdue": distance < 0,
        "today": distance == 0,
        "tomorrow": distance == 1,
        "week": 0 <= distance <= 7,
    }[asked.due]
