"""From a chat history to the next thing to say: words, or tool calls.

Pure: the same history, tools and day get the same answer. A message takes up to three rounds: read the tasks,
change them (all at once where parallel calls are allowed), read the new list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from offline_model import memory, plan, results, sentences
from offline_model.intents import Intent, Period, Show, Small, Unclear
from offline_model.plan import Plan, Step
from offline_model.results import Result, Task
from offline_model.targets import belongs
from offline_model.wire import Call, Message, Reply, Request, Tool

READING = ("list_tasks", "search_tasks", "get_task")
_SEARCH_ARGUMENTS = ("query", "text", "search", "words", "term", "q")
_TODAY = re.compile(r"\b(?:today|current date)\D{0,40}?(\d{4}-\d{2}-\d{2})", re.IGNORECASE)
_PRESSING = 3
"""Tasks in an answer to "what next?"."""
_RANK = {"high": 0, "medium": 1, "low": 2}


@dataclass(frozen=True, slots=True)
class Made:
    """A tool call of this turn and what came back."""

    tool: str
    result: Result


@dataclass(frozen=True, slots=True)
class Turn:
    """What the user's latest message asks for, what was called since, and the tools on offer."""

    intents: tuple[Intent, ...]
    made: tuple[Made, ...]
    tools: dict[str, Tool]
    today: date
    parallel: bool = True

    @property
    def changes(self) -> list[Made]:
        """The calls of this turn that changed something, or tried to."""
        return [made for made in self.made if made.tool not in READING]

    def reading(self, *, after_changes: bool) -> Result | None:
        """The tasks as read in this turn, before any change or after the last one."""
        last = max((i for i, made in enumerate(self.made) if made.tool not in READING), default=-1)
        first = next((i for i, made in enumerate(self.made) if made.tool not in READING), len(self.made))
        span = self.made[last + 1 :] if after_changes else self.made[:first]
        return next((made.result for made in span if made.tool in READING), None)

    def call(self, tool: str, **arguments: object) -> Call | str:
        """A call with those arguments that are set and that the tool's schema knows, or why there is none."""
        offered = self.tools.get(tool)
        if offered is None:
            return sentences.failed("do that", f"I was given no tool {tool}")
        known = offered.function.parameters.get("properties") or arguments
        return Call(name=tool, arguments={k: v for k, v in arguments.items() if v is not None and k in known})


def answer(request: Request, clock: date) -> Reply:
    """What to say next. `clock` is today unless the system message states the day."""
    turn = _turn(request, clock)
    asked = [intent for intent in turn.intents if not isinstance(intent, Small | Unclear)]
    if not asked:
        return Reply(text=_talk(turn.intents[0], turn.today))
    tasks: Sequence[Task] = ()
    if any(plan.needs_list(intent) for intent in asked):
        before = turn.reading(after_changes=False)
        if before is None:
            return _calling(turn, [turn.call("list_tasks", status="all")])
        if not before.ok:
            return Reply(text=sentences.failed("read your tasks", before.reason))
        tasks = before.tasks
    planned = plan.make(asked, tasks, turn.today)
    for intent in turn.intents:
        if isinstance(intent, Unclear):
            planned.remarks.append(intent.reason or f'I did not understand "{intent.said}".')
    done = len(turn.changes)
    if done < len(planned.steps):
        rest = planned.steps[done:] if turn.parallel else planned.steps[done : done + 1]
        return _calling(turn, [turn.call(step.tool, **step.arguments) for step in rest])
    return _told(turn, planned, next((intent for intent in asked if isinstance(intent, Show)), None))


def _calling(turn: Turn, calls: Sequence[Call | str]) -> Reply:
    for call in calls:
        if isinstance(call, str):
            return Reply(text=call)
    return Reply(calls=[call for call in calls if isinstance(call, Call)])


def _told(turn: Turn, planned: Plan, show: Show | None) -> Reply:
    """The answer in words; the list is read first where it belongs to the answer."""
    words, any_done = _outcome(turn, planned.steps)
    remarks = "\n\n".join(dict.fromkeys(planned.remarks))
    if not any_done and not (show and not planned.steps):
        return Reply(text="\n\n".join(part for part in (words, remarks) if part))
    asked = show or Show()
    listing = turn.reading(after_changes=True)
    if listing is None:
        call = _list_call(turn, asked)
        if isinstance(call, Call) or not any_done:
            return _calling(turn, [call])
    if listing is None or not listing.ok:
        if any_done:
            return Reply(text="\n\n".join(part for part in (words, remarks) if part))
        return Reply(text=sentences.failed("read your tasks", listing.reason if listing else "no list"))
    found = _found(asked, listing, turn.today)
    total = max(listing.total, len(found)) if len(found) == len(listing.tasks) else len(found)
    if show is None:
        text = sentences.changed(words, found, total, turn.today)
    else:
        text = " ".join(part for part in (words, sentences.listed(asked, found, total, turn.today)) if part)
    return Reply(text="\n\n".join(part for part in (text, remarks) if part))


def _list_call(turn: Turn, asked: Show) -> Call | str:
    """The call that reads the tasks asked for; what the tool cannot narrow is narrowed afterwards."""
    if asked.words and (search := turn.tools.get("search_tasks")):
        known = search.function.parameters.get("properties") or {}
        argument = next((name for name in _SEARCH_ARGUMENTS if name in known), None)
        if argument:
            return turn.call("search_tasks", **{argument: asked.words}, status=asked.status)
    due = asked.due or Period("")
    return turn.call(
        "list_tasks",
        status=asked.status,
        priority=asked.priority,
        due_from=due.first.isoformat() if due.first else None,
        due_before=(due.last + timedelta(days=1)).isoformat() if due.last else None,
    )


def _found(asked: Show, listing: Result, today: date) -> list[Task]:
    found = [task for task in listing.tasks if belongs(asked, task)]
    if not asked.next_up:
        return found
    found.sort(key=lambda task: (results.due_day(task) or date.max, _RANK.get(str(task.get("priority")), 1)))
    pressing = [task for task in found if (day := results.due_day(task)) and day <= today]
    others = sorted(
        (t for t in found if t not in pressing), key=lambda t: _RANK.get(str(t.get("priority")), 1)
    )
    return [*pressing, *others][:_PRESSING]


def _outcome(turn: Turn, steps: Sequence[Step]) -> tuple[str, bool]:
    """What was done and what failed, in the order of the steps, and whether anything was done."""
    done: list[tuple[str, list[str]]] = []
    failures: list[str] = []
    for step, made in zip(steps, turn.changes, strict=False):
        if not made.result.ok:
            failures.append(sentences.failed(step.operation, made.result.reason))
            continue
        task = made.result.tasks[0] if made.result.tasks else {"title": step.title}
        if not done or done[-1][0] != step.past:
            done.append((step.past, []))
        done[-1][1].append(sentences.named(task, turn.today, state=step.past != "completed"))
    words = " ".join(f"I {past} {sentences.enumerated(names)}." for past, names in done)
    return " ".join(part for part in (f"Done: {words}" if words else "", *failures) if part), bool(done)


def _talk(intent: Intent, today: date) -> str:
    if isinstance(intent, Small):
        if intent.kind == "day":
            return f"Today is {today:%A}, {today.day} {today:%B %Y}."
        return sentences.SMALL[intent.kind]
    reason = intent.reason if isinstance(intent, Unclear) else ""
    return reason or sentences.UNCLEAR


def _turn(request: Request, clock: date) -> Turn:
    messages = request.messages
    last = max((index for index, message in enumerate(messages) if message.role == "user"), default=-1)
    today = _stated_day(messages) or clock
    tools = {} if request.tool_choice == "none" else {tool.function.name: tool for tool in request.tools}
    intents = memory.meant(messages[: last + 1], today) if last >= 0 else (Unclear(),)
    return Turn(intents, _made(messages[last + 1 :]), tools, today, request.parallel_tool_calls)


def _stated_day(messages: Sequence[Message]) -> date | None:
    for message in messages:
        if message.role in ("system", "developer") and (found := _TODAY.search(message.text)):
            try:
                return date.fromisoformat(found[1])
            except ValueError:
                return None
    return None


def _made(messages: Sequence[Message]) -> tuple[Made, ...]:
    """The calls of the turn in the order in which they were asked for, as far as they were answered."""
    answers = {message.tool_call_id: message.text for message in messages if message.role == "tool"}
    calls = [call for message in messages for call in message.tool_calls or ()]
    return tuple(
        Made(call.function.name, results.read(answers[call.id])) for call in calls if call.id in answers
    )
