"""From a chat history to the next thing to say: words, or one tool call.

Pure: the same history, tools and day get the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from offline_model import grammar, results, sentences
from offline_model.intents import (
    Add,
    Complete,
    Delete,
    Intent,
    Show,
    Small,
    Target,
    Targeted,
    Unclear,
    Update,
)
from offline_model.results import Result, Task
from offline_model.wire import Call, Message, Reply, Request, Tool

ASK_WHICH = "Which one do you mean?"
"""Ends a question about several matching tasks; the user's next message may then be just "the second one"."""

_TODAY = re.compile(r"\b(?:today|current date)\D{0,40}?(\d{4}-\d{2}-\d{2})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Made:
    """A tool call of this turn and what came back."""

    tool: str
    result: Result


@dataclass(frozen=True, slots=True)
class Turn:
    """The user's latest sentence, what was called since, and the tools on offer."""

    intent: Intent
    made: tuple[Made, ...]
    tools: dict[str, Tool]
    today: date

    def result(self, tool: str, after: str = "") -> Result | None:
        """The latest result of a tool in this turn; with `after`, only if called later than that tool."""
        names = [made.tool for made in self.made]
        start = names.index(after) if after else 0
        return next((made.result for made in reversed(self.made[start:]) if made.tool == tool), None)

    def call(self, tool: str, **arguments: str | None) -> Reply:
        """Call a tool with those of the arguments that its schema knows and that are set."""
        offered = self.tools.get(tool)
        if offered is None:
            return Reply(text=sentences.failed("do that", f"I was given no tool {tool}"))
        known = offered.function.parameters.get("properties") or arguments
        return Reply(
            call=Call(
                name=tool, arguments={k: v for k, v in arguments.items() if v is not None and k in known}
            )
        )


def answer(request: Request, clock: date) -> Reply:
    """What to say next. `clock` is today unless the system message states the day."""
    turn = _turn(request, clock)
    match turn.intent:
        case Add() as intent:
            return _add(turn, intent)
        case Show() as intent:
            return _show(turn, intent)
        case Complete() | Delete() | Update() as intent:
            return _change(turn, intent)
        case Small(kind="greeting"):
            return Reply(text=sentences.GREETING)
        case Small(kind="thanks"):
            return Reply(text=sentences.THANKS)
        case Small():
            return Reply(text=sentences.HELP)
        case Unclear(reason=reason):
            return Reply(text=f"Sorry, I cannot do that. {reason}" if reason else sentences.UNCLEAR)


def _turn(request: Request, clock: date) -> Turn:
    messages = request.messages
    last = max((index for index, message in enumerate(messages) if message.role == "user"), default=-1)
    today = _stated_day(messages) or clock
    tools = {} if request.tool_choice == "none" else {tool.function.name: tool for tool in request.tools}
    intent = _intent(messages[: last + 1], today) if last >= 0 else Unclear()
    return Turn(intent, _made(messages[last + 1 :]), tools, today)


def _stated_day(messages: Sequence[Message]) -> date | None:
    for message in messages:
        if message.role in ("system", "developer") and (found := _TODAY.search(message.text)):
            try:
                return date.fromisoformat(found[1])
            except ValueError:
                return None
    return None


def _made(messages: Sequence[Message]) -> tuple[Made, ...]:
    tools = {call.id: call.function.name for message in messages for call in message.tool_calls or ()}
    return tuple(
        Made(tools[message.tool_call_id], results.read(message.text))
        for message in messages
        if message.role == "tool" and message.tool_call_id in tools
    )


def _intent(messages: Sequence[Message], today: date) -> Intent:
    """The intent of the last message; an answer to our question "which one?" continues the earlier intent."""
    said = messages[-1].text
    intent = grammar.understand(said, today)
    if not isinstance(intent, Unclear) or intent.reason:
        return intent
    asked = next((m for m in reversed(messages[:-1]) if m.role == "assistant" and m.text), None)
    if asked is None or not asked.text.rstrip().endswith(ASK_WHICH):
        return intent
    earlier = next((m for m in reversed(messages[: messages.index(asked)]) if m.role == "user"), None)
    before = grammar.understand(earlier.text, today) if earlier else intent
    if not isinstance(before, Complete | Delete | Update):
        return intent
    chosen = grammar.target_of(said)
    if chosen.position is None:
        return replace(before, target=chosen)
    return replace(before, target=replace(before.target, position=chosen.position))


def _add(turn: Turn, intent: Add) -> Reply:
    result = turn.result("add_task")
    if result is None:
        return turn.call(
            "add_task",
            title=intent.title,
            description=intent.description,
            priority=intent.priority,
            due_date=intent.due.isoformat() if intent.due else None,
        )
    if not result.ok:
        return Reply(text=sentences.failed("create the task", result.reason))
    done = result.tasks[0] if result.tasks else {"title": intent.title}
    return _then_list(turn, "add_task", f"Done: I added {sentences.named(done)}.")


def _show(turn: Turn, intent: Show) -> Reply:
    result = turn.result("list_tasks")
    if result is None:
        return turn.call("list_tasks", status=intent.status, priority=intent.priority)
    if not result.ok:
        return Reply(text=sentences.failed("read your tasks", result.reason))
    found = [task for task in result.tasks if sentences.matches(intent, task, turn.today)]
    return Reply(text=sentences.listed(intent, found))


def _change(turn: Turn, intent: Targeted) -> Reply:
    tool, operation, past = _ACTIONS[type(intent)]
    result = turn.result(tool)
    if result is not None:
        if not result.ok:
            return Reply(text=sentences.failed(f"{operation} the task", result.reason))
        done = result.tasks[0] if result.tasks else {"title": str(intent.target).strip('"')}
        return _then_list(turn, tool, f"Done: I {past} {sentences.named(done)}.")
    if intent.target.id:
        return turn.call(tool, task_id=intent.target.id, **_fields(intent))
    listing = turn.result("list_tasks")
    if listing is None:
        return turn.call("list_tasks", status="all")
    if not listing.ok:
        return Reply(text=sentences.failed("read your tasks", listing.reason))
    found = _candidates(intent, listing.tasks)
    if len(found) == 1:
        return turn.call(tool, task_id=str(found[0]["id"]), **_fields(intent))
    return Reply(text=_which(intent.target, operation, found))


_ACTIONS: dict[type[Targeted], tuple[str, str, str]] = {
    Complete: ("complete_task", "complete", "completed"),
    Delete: ("delete_task", "delete", "deleted"),
    Update: ("update_task", "update", "updated"),
}


def _fields(intent: Targeted) -> dict[str, str | None]:
    if not isinstance(intent, Update):
        return {}
    return {
        "title": intent.title,
        "priority": intent.priority,
        "due_date": intent.due.isoformat() if intent.due else None,
        "description": intent.description,
    }


def _candidates(intent: Targeted, tasks: Sequence[Task]) -> list[Task]:
    """The tasks that are meant: all best matches of the words, then the one at the position among them."""
    target = intent.target
    found = _by_words(target, tasks) if target.words else list(tasks)
    if isinstance(intent, Complete) and target.words:
        # Who completes "milk" means the one that is still open.
        found = [task for task in found if not results.is_completed(task)] or found
    if target.position is None:
        return found
    index = target.position - 1 if target.position > 0 else target.position
    return [found[index]] if -len(found) <= index < len(found) else []


def _by_words(target: Target, tasks: Sequence[Task]) -> list[Task]:
    """Matches by title: equal, else containing the phrase, else containing all its words."""
    wanted = target.words.casefold()
    titles = [(task, str(task["title"]).casefold()) for task in tasks]
    for fits in (
        lambda title: title == wanted,
        lambda title: wanted in title,
        lambda title: all(word in title.split() for word in wanted.split()),
    ):
        if found := [task for task, title in titles if fits(title)]:
            return found
    return []


def _which(target: Target, operation: str, found: Sequence[Task]) -> str:
    if not found:
        return f"I found no task that matches {target}, so I changed nothing. Shall I show your tasks?"
    if len(found) > 5:
        return f"{len(found)} tasks match {target}. Please be more specific about which one to {operation}."
    return f"{len(found)} tasks match {target}:\n{sentences.numbered(found)}\n{ASK_WHICH}"


def _then_list(turn: Turn, tool: str, what: str) -> Reply:
    """Confirm a change and show the new list, read afterwards."""
    if "list_tasks" not in turn.tools:
        return Reply(text=sentences.changed(what, None))
    listing = turn.result("list_tasks", after=tool)
    if listing is None:
        return turn.call("list_tasks", status="all")
    return Reply(text=sentences.changed(what, listing.tasks if listing.ok else None))
