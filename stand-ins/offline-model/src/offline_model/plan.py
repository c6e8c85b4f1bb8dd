"""From intents to tool calls: which tasks are meant, what to do with them, and what has to be asked first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from offline_model import results, sentences
from offline_model.intents import Add, Complete, Delete, Intent, Look, Show, Target, Targeted, Update
from offline_model.results import Task
from offline_model.targets import MOST, alike, belongs, matching

_PARTS = re.compile(r"\s*,\s*and\s+|\s+and\s+|\s*,\s*|\s+&\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Step:
    """One tool call that changes a task, and the words for it."""

    tool: str
    arguments: dict[str, Any]
    operation: str
    past: str
    title: str
    """What to call the task where the tool's answer does not."""


@dataclass(slots=True)
class Plan:
    """The steps of one message, and what has to be said besides: a question, or that nothing fits."""

    steps: list[Step] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def needs_list(intent: Intent) -> bool:
    """Whether the tasks have to be read before anything can be done."""
    if isinstance(intent, Update) and intent.later is not None:
        return True
    return isinstance(intent, Look) or (isinstance(intent, Targeted) and not intent.target.id)


def make(intents: Sequence[Intent], tasks: Sequence[Task], today: date) -> Plan:
    """The plan for the intents, given the list as it was before any of them."""
    plan = Plan()
    for intent in intents:
        if isinstance(intent, Add):
            plan.steps.append(_adding(intent))
        elif isinstance(intent, Complete | Delete | Update | Look):
            _aim(plan, intent, tasks, today)
    if len(plan.steps) > MOST:
        plan.remarks.append(f"I change at most {MOST} tasks at a time; please say it again for the rest.")
        del plan.steps[MOST:]
    return plan


def _aim(plan: Plan, intent: Targeted, tasks: Sequence[Task], today: date) -> None:
    target = intent.target
    if target.id:
        known = next((task for task in tasks if str(task["id"]) == target.id), None)
        if known is None and not needs_list(intent):
            known = {"id": target.id, "title": target.words or target.id}
        _act(plan, intent, [known] if known else [], tasks, today)
        return
    found = _candidates(intent, tasks)
    if target.words and not found and len(parts := _PARTS.split(target.words)) > 1:
        # "complete milk and eggs", where no title holds both.
        for part in parts:
            narrowed = replace(intent, target=Target(words=part))
            _act(plan, narrowed, _candidates(narrowed, tasks), tasks, today)
        return
    _act(plan, intent, found, tasks, today)


def _act(plan: Plan, intent: Targeted, found: list[Task], tasks: Sequence[Task], today: date) -> None:
    target = intent.target
    if target.every is not None:
        _act_on_all(plan, intent, found, today)
    elif not found:
        slip = alike(target.words, tasks) if target.words and target.position is None else None
        plan.remarks.append(sentences.no_match(target, slip))
    elif len(found) > 1:
        plan.remarks.append(sentences.which(target, _operation(intent), found, today))
    elif isinstance(intent, Look):
        plan.remarks.append(sentences.details(found[0], today))
    elif isinstance(intent, Complete) and found[0].get("is_completed") is intent.completed:
        state = "completed already" if intent.completed else "open already"
        plan.remarks.append(f"{sentences.named({'title': found[0]['title']}, today)} is {state}.")
    else:
        plan.steps.append(_step(intent, found[0], today))


def _act_on_all(plan: Plan, intent: Targeted, found: list[Task], today: date) -> None:
    if isinstance(intent, Complete):
        found = [task for task in found if results.is_completed(task) is not intent.completed]
    if not found:
        plan.remarks.append(f"There is no task to {_operation(intent)}.")
    elif isinstance(intent, Delete) and not intent.confirmed and not intent.target.words:
        plan.remarks.append(sentences.doubt(found, today, MOST))
    else:
        plan.steps += [_step(intent, task, today) for task in found]


def _candidates(intent: Targeted, tasks: Sequence[Task]) -> list[Task]:
    """The tasks that are meant: all best matches of the words, then the one at the position among them."""
    target = intent.target
    found = matching(target.words, tasks) if target.words else list(tasks)
    if target.every is not None:
        return [task for task in found if belongs(target.every or Show(), task)]
    if isinstance(intent, Complete) and target.words:
        # Who completes "milk" means the one that is still open; who reopens it, the one that is not.
        found = [task for task in found if results.is_completed(task) is not intent.completed] or found
    if target.position is None:
        return found
    index = target.position - 1 if target.position > 0 else target.position
    return [found[index]] if -len(found) <= index < len(found) else []


def _adding(intent: Add) -> Step:
    arguments = {
        "title": intent.title,
        "description": intent.description,
        "priority": intent.priority,
        "due_date": intent.due.isoformat() if intent.due else None,
    }
    return Step("add_task", arguments, "create the task", "added", intent.title)


def _step(intent: Targeted, task: Task, today: date) -> Step:
    arguments: dict[str, Any] = {"task_id": str(task["id"])}
    title = str(task["title"])
    if isinstance(intent, Complete):
        if intent.completed:
            return Step("complete_task", arguments, "complete the task", "completed", title)
        return Step("complete_task", arguments | {"completed": False}, "reopen the task", "reopened", title)
    if isinstance(intent, Delete):
        return Step("delete_task", arguments, "delete the task", "deleted", title)
    assert isinstance(intent, Update)
    due = intent.due
    if intent.later is not None:
        due = (results.due_day(task) or today) + timedelta(days=intent.later)
    arguments |= {
        "title": intent.title,
        "priority": intent.priority,
        "due_date": due.isoformat() if due else None,
        "description": intent.description,
        "clear_due_date": True if intent.no_due else None,
    }
    return Step("update_task", arguments, "update the task", "updated", title)


def _operation(intent: Targeted) -> str:
    if isinstance(intent, Complete):
        return "complete" if intent.completed else "reopen"
    return {Delete: "delete", Update: "update", Look: "show"}[type(intent)]
