"""What the model says: short, friendly sentences, and lists of tasks that a page can turn into cards."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date

from offline_model import dates
from offline_model.intents import Show, Target
from offline_model.results import Task, due_day, is_completed

ASK_WHICH = "Which one do you mean?"
"""Ends a question about several matching tasks; the next message may then be just "the second one"."""
CONFIRM = "Shall I delete them?"
"""Ends a question before several tasks are lost; yes or no is an answer."""
OFFER_LIST = "Shall I show your tasks?"

EXAMPLES = (
    "I add, show, complete, reopen, change and delete your tasks. Say it in your own words, for example: "
    '"buy milk and call mum tomorrow", "what is overdue?", "complete buy milk", "mark task 2 as not done", '
    '"rename buy milk to buy oat milk", "move it to friday", "make it urgent" or "delete task 3".'
)
SMALL = {
    "greeting": f"Hello! I am the offline model, a small stand-in for a language model. {EXAMPLES}",
    "thanks": "You're welcome! Tell me when there is something to add, show, complete, change or delete.",
    "help": f"I am the offline model, a small stand-in for a language model. {EXAMPLES}",
    "wellbeing": "I am fine, thank you, and ready for your tasks. What shall we do first?",
    "identity": f"I am the offline model, a small program that stands in for a language model. {EXAMPLES}",
    "goodbye": "Goodbye! Your tasks are safe here until you come back.",
    "dropped": "All right, I changed nothing.",
}
UNCLEAR = f"Sorry, I did not understand that. {EXAMPLES}"
MOST_SHOWN = 20
"""Tasks in one answer at most; the rest is counted."""

_CARD = ("id", "title", "description", "priority", "is_completed", "target_completion_date")


def named(task: Task, today: date, *, state: bool = True) -> str:
    """A task in one line: title, priority, due day, state (where it has not just been told)."""
    details = []
    if task.get("priority"):
        details.append(f"{task['priority']} priority")
    if due := due_day(task):
        late = due < today and not is_completed(task)
        details.append(f"{'overdue since' if late else 'due'} {dates.said(due, today)}")
    if state and is_completed(task):
        details.append("completed")
    return f'"{task["title"]}"' + (f" ({', '.join(details)})" if details else "")


def numbered(tasks: Sequence[Task], today: date) -> str:
    return "\n".join(f"{index}. {named(task, today)}" for index, task in enumerate(tasks, 1))


def block(tasks: Sequence[Task]) -> str:
    """The fenced JSON block from which the page draws task cards."""
    cards = [{key: task[key] for key in _CARD if key in task} for task in tasks]
    text = json.dumps({"tasks": cards}, ensure_ascii=False)
    # No fence inside the block: a title may hold one.
    return "```json\n" + text.replace("`", "\\u0060") + "\n```"


def listed(asked: Show, tasks: Sequence[Task], total: int, today: date) -> str:
    """The answer to a question for tasks; `total` counts those that are not among `tasks` too."""
    if asked.next_up and tasks:
        which = "this one" if len(tasks) == 1 else "these"
        return f"I would start with {which}:{_shown(tasks, len(tasks), today)}"
    overdue = asked.due is not None and asked.due.words == "overdue"
    before = (asked.status if asked.status != "all" and not asked.due else "", "overdue" if overdue else "")
    words = (
        *before,
        f"{asked.priority}-priority" if asked.priority else "",
        "task" if total == 1 else "tasks",
    )
    kind = " ".join(word for word in words if word)
    if asked.due and not overdue:
        kind += f" {asked.due.words}"
    if asked.words:
        kind += f' about "{asked.words}"'
    if tasks:
        return f"You have {total} {kind}:{_shown(tasks, total, today)}"
    if asked == Show():
        return 'You have no tasks yet. Tell me what you have to do, such as "call mum tomorrow".'
    return f"You have no {kind}. {'Well done!' if overdue else 'Enjoy, or add one!'}"


def changed(what: str, tasks: Sequence[Task], total: int, today: date) -> str:
    """A confirmed change, with the new list."""
    if not tasks:
        return f"{what} Your list is empty now."
    return f"{what} Your list now:{_shown(tasks, total, today)}"


def _shown(tasks: Sequence[Task], total: int, today: date) -> str:
    shown = tasks[:MOST_SHOWN]
    more = f"\n\nThese are the first {len(shown)} of {total}." if total > len(shown) else ""
    return f"\n{numbered(shown, today)}\n\n{block(shown)}{more}"


def enumerated(parts: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)


def details(task: Task, today: date) -> str:
    """All about one task."""
    words = f"Here is {named(task, today)}."
    return f"{words}{' ' + str(task['description']) if task.get('description') else ''}\n\n{block([task])}"


def which(target: Target, operation: str, found: Sequence[Task], today: date) -> str:
    """The question about several matches; for too many a request for more words."""
    if len(found) > 5:
        return f"{len(found)} tasks match {target}. Please be more specific about which one to {operation}."
    return f"{len(found)} tasks match {target}:\n{numbered(found, today)}\n{ASK_WHICH}"


def no_match(target: Target, alike: Task | None) -> str:
    if alike is not None:
        return f'I found no task called {target}. Do you mean "{alike["title"]}"?'
    return f"I found no task that matches {target}, so I changed nothing. {OFFER_LIST}"


def doubt(tasks: Sequence[Task], today: date, most: int) -> str:
    """The question before several tasks are deleted; of more than `most` only the first are."""
    limit = f"I can delete {most} tasks at a time, so these first. " if len(tasks) > most else ""
    tasks = tasks[:most]
    shown = tasks[:MOST_SHOWN]
    many = "1 task" if len(tasks) == 1 else f"{len(tasks)} tasks"
    return f"{limit}This will permanently delete {many}:\n{numbered(shown, today)}\n{CONFIRM}"


def failed(operation: str, reason: str) -> str:
    """What could not be done and why, in the tool's own words where it names the operation itself."""
    own = re.search(r"\bcould not (.+)", reason, re.DOTALL)
    told = own[1] if own else f"{operation}: {reason}"
    return f"Sorry, I could not {told.strip().rstrip('.')}."
