"""A task made, changed and deleted by chat, with PostgreSQL read after each message."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runbook.drills import proof
from runbook.drills.person import Person, remove_people

if TYPE_CHECKING:
    import httpx

    from runbook.world import World

NAME = "changes"
DOMAIN = "changes.drill.invalid"
MESSAGES = (
    ("add_task", "Add a task to buy figs {nonce}"),
    ("update_task", "Change the priority of buy figs {nonce} to high"),
    ("delete_task", "Delete buy figs {nonce}"),
)
"""Each with the tool that it calls for; in one conversation."""

_TASKS = """SELECT id::text, title, priority::text, xmin::text AS written FROM task WHERE user_id = %s"""
_MESSAGES = """SELECT count(*)::int AS kept FROM message m JOIN conversation c ON c.id = m.conversation_id
WHERE c.user_id = %s"""


def hold(world: World, identity: str) -> Mapping[str, Any]:
    """Sign a person up, say it all, remove the person, and write down what was seen."""
    nonce = secrets.token_hex(4)
    seen: dict[str, Any] = {"identity": identity, "nonce": nonce, "turns": []}
    try:
        with Person(world, DOMAIN) as person:
            conversation = ""
            for tool, message in MESSAGES:
                world.progress(f"a chat message that calls for {tool}")
                turn, conversation = _say(person, message.format(nonce=nonce), conversation)
                turn |= {"wanted": tool, "rows": world.database.query(_TASKS, (person.id,))}
                seen["turns"].append(turn)
            seen["kept"] = world.database.query(_MESSAGES, (person.id,))[0]["kept"]
    finally:
        seen["left"] = remove_people(world, DOMAIN)
        proof.write(world.settings, NAME, seen)
    return seen


def _say(person: Person, message: str, conversation: str) -> tuple[dict[str, Any], str]:
    began = time.monotonic()
    answer = person.say(message, conversation=conversation)
    said = _content(answer)
    turn = {
        "message": message,
        "status": answer.status_code,
        "seconds": round(time.monotonic() - began, 2),
        "request_id": answer.headers.get("x-request-id", ""),
        "answer": str(said.get("response") or said.get("detail") or "")[:300],
        "tools": [
            {"tool": call.get("tool"), "task": _task(call.get("result"))}
            for call in said.get("tool_calls") or []
        ],
    }
    return turn, str(said.get("conversation_id") or conversation)


def _content(answer: httpx.Response) -> dict[str, Any]:
    try:
        return dict(answer.json())
    except (ValueError, TypeError):
        return {}


def _task(result: Any) -> str:
    """The id of the task that a tool says it worked on; empty where it failed, or worked on no single one."""
    said = result if isinstance(result, Mapping) else {}
    task = said.get("task", said)
    return str(task.get("id", "")) if isinstance(task, Mapping) and said.get("success") else ""
