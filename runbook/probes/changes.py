"""A task made, changed and deleted by chat, with PostgreSQL read after each message."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runbook.engine import evidence
from runbook.engine.errors import Unmeasurable
from runbook.probes.conversation import remove_people
from runbook.probes.person import Person

if TYPE_CHECKING:
    import httpx

    from runbook.world import World

NAME = "changes"
MESSAGES = (
    ("add_task", "Add a task to buy figs {nonce}"),
    ("update_task", "Change the priority of buy figs {nonce} to high"),
    ("delete_task", "Delete buy figs {nonce}"),
)
"""Each with the tool that it calls for; in one conversation."""

_TASKS = """SELECT id::text, title, priority::text, xmin::text AS written FROM task WHERE title LIKE %s"""
_MESSAGES = """SELECT count(*)::int AS kept FROM message WHERE conversation_id IN (
    SELECT conversation_id FROM message WHERE content LIKE %s)"""


def hold(world: World, identity: str) -> Mapping[str, Any]:
    """Sign a person up, say it all, remove the person, and write down what was seen."""
    nonce = secrets.token_hex(4)
    seen: dict[str, Any] = {"identity": identity, "nonce": nonce, "turns": []}
    try:
        with Person(world) as person:
            conversation = ""
            for tool, message in MESSAGES:
                world.progress(f"a chat message that calls for {tool}")
                turn, conversation = _say(person, message.format(nonce=nonce), conversation)
                turn |= {"wanted": tool, "rows": world.database.query(_TASKS, (f"%{nonce}%",))}
                seen["turns"].append(turn)
            seen["kept"] = world.database.query(_MESSAGES, (f"%{nonce}%",))[0]["kept"]
    finally:
        seen["left"] = remove_people(world)
        evidence.write(world.settings, NAME, seen)
    return seen


def _say(person: Person, message: str, conversation: str) -> tuple[dict[str, Any], str]:
    import httpx

    began = time.monotonic()
    said_in = {"conversation_id": conversation} if conversation else {}
    try:
        answer = person.ask("POST", "/chat", json={"message": message, **said_in})
    except httpx.HTTPError as problem:
        raise Unmeasurable(
            f"the chat does not answer: {problem!r}", wanted="an answer", hint="inv verify.step T053"
        ) from None
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
