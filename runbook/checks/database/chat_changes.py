"""What is changed by chat reaches PostgreSQL: said by a person, read by a connection that is not the application's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runbook.checks.cluster.pods import fingerprint
from runbook.engine import evidence
from runbook.engine.step import Outcome, failed, passed, unproven
from runbook.probes import changes

if TYPE_CHECKING:
    from runbook.world import World

ADDED = 0
"""The turn of the conversation that adds a task."""


def by_chat(world: World) -> Outcome:
    """Three messages of a new person are answered, each by a successful call of the tool that it calls for.

    A drill: the person is removed afterwards, with all that is theirs.

    Source: T114.
    """
    wanted = "three messages answered, by add_task, update_task and delete_task"
    seen = changes.hold(world, fingerprint(world))
    problems = [text for turn in seen["turns"] if (text := _unanswered(turn))]
    if problems or len(seen["turns"]) != len(changes.MESSAGES):
        return failed(
            "; ".join(problems) or "not all messages were sent",
            wanted=wanted,
            hint=f"kubectl --namespace {world.settings.namespace} logs deployment/backend --tail 30",
            **seen,
        )
    times = ", ".join(f"{turn['wanted']} in {turn['seconds']:.1f} s" for turn in seen["turns"])
    left = f"; not cleaned up: {seen['left']}" if seen["left"] else ""
    return passed(f"`buy figs {seen['nonce']}`: {times}{left}", wanted=wanted, **seen)


def _unanswered(turn: Mapping[str, Any]) -> str:
    if turn["status"] != 200:
        return f"{turn['message']!r} was answered {turn['status']}: {turn['answer']}"
    if not any(call["tool"] == turn["wanted"] and call["task"] for call in turn["tools"]):
        called = ", ".join(str(call["tool"]) for call in turn["tools"]) or "no tool"
        return f"{turn['message']!r} was answered by {called}, not by a successful {turn['wanted']}"
    return ""


def found(world: World) -> Outcome:
    """After each message PostgreSQL held what it says: the very task that the tool names, changed, and then none.

    Stands on the drill of the step before. That the row is gone counts, because the person's messages are there.

    Source: T115.
    """
    wanted = "one row after the first message, the same one changed after the second, none after the third"
    hint = "inv verify.step T114 --drills"
    seen = evidence.require(world.settings, changes.NAME, fingerprint(world), step="T114")
    if len(seen["turns"]) != len(changes.MESSAGES):
        return unproven("the drill of T114 did not come to its end", wanted=wanted, hint=hint)
    added, changed, deleted = (turn["rows"] for turn in seen["turns"])
    problems = []
    if [row["id"] for row in added] != [_worked_on(seen, ADDED)]:
        problems.append(f"after add_task there were {len(added)} rows, and not the one that the tool made")
    elif [row["id"] for row in changed] != [added[0]["id"]]:
        problems.append(f"after update_task there were {len(changed)} rows, and not the one that was made")
    elif changed[0]["priority"] != "high" or changed[0]["written"] == added[0]["written"]:
        problems.append(f"after update_task the row has priority {changed[0]['priority']}, not high")
    if deleted:
        problems.append("after delete_task the row was still there")
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=hint, **seen)
    if seen.get("kept") != 2 * len(changes.MESSAGES):
        return unproven(
            f"PostgreSQL held {seen.get('kept')} messages of the conversation: was it the right place to look?",
            wanted=wanted,
            hint=hint,
            **seen,
        )
    return passed(
        f"task {added[0]['id']}: made, then of priority high, then gone; {seen['kept']} messages kept beside it",
        wanted=wanted,
        requests=[turn["request_id"] for turn in seen["turns"]],
        **seen,
    )


def _worked_on(seen: Mapping[str, Any], number: int) -> str:
    turn = seen["turns"][number]
    return next((call["task"] for call in turn["tools"] if call["tool"] == turn["wanted"]), "")
