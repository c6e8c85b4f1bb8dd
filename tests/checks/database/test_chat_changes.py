"""Changes by chat, and what PostgreSQL held after each: judged by what the drill wrote down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runbook.checks.cluster.pods import fingerprint
from runbook.checks.database import chat_changes, restart
from runbook.engine import evidence
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Status
from runbook.probes import changes, replaced
from runbook.world import World
from tests.fakes.stored import content, make, put

TASK = "11111111-2222-3333-4444-555555555555"


def turn(tool: str, rows: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "message": f"something for {tool}",
        "status": 200,
        "seconds": 0.4,
        "request_id": f"request-{tool}",
        "answer": "Done.",
        "tools": [{"tool": "list_tasks", "task": ""}, {"tool": tool, "task": TASK}],
        "wanted": tool,
        "rows": rows,
    }


def row(priority: str, written: str) -> dict[str, str]:
    return {"id": TASK, "title": "buy figs", "priority": priority, "written": written}


@pytest.fixture
def world() -> World:
    return make()[0]


@pytest.fixture
def seen(world: World) -> dict[str, Any]:
    return {
        "identity": fingerprint(world),
        "nonce": "ab12",
        "turns": [
            turn("add_task", [row("medium", "100")]),
            turn("update_task", [row("high", "101")]),
            turn("delete_task", []),
        ],
        "kept": 6,
        "left": "",
    }


def by_chat(world: World, seen: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(changes, "hold", lambda *_: seen)
    return chat_changes.by_chat(world)


def found(world: World, seen: dict[str, Any]) -> Any:
    evidence.write(world.settings, changes.NAME, seen)
    return chat_changes.found(world)


def test_three_messages_answered_by_their_tools_pass(
    world: World, seen: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = by_chat(world, seen, monkeypatch)
    assert outcome.status is Status.PASSED, outcome.observed
    assert "`buy figs ab12`: add_task in 0.4 s" in outcome.observed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": 503, "answer": "The database cannot be reached"}, "was answered 503: The database"),
        ({"tools": []}, "was answered by no tool, not by a successful add_task"),
        (
            {"tools": [{"tool": "add_task", "task": ""}]},
            "was answered by add_task, not by a successful add_task",
        ),
    ],
)
def test_an_answer_that_did_nothing_fails(
    change: dict[str, Any], words: str, world: World, seen: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen["turns"][0] |= change
    outcome = by_chat(world, seen, monkeypatch)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed


def test_what_the_chat_changed_is_found(world: World, seen: dict[str, Any]) -> None:
    outcome = found(world, seen)
    assert outcome.status is Status.PASSED, outcome.observed
    assert f"task {TASK}: made, then of priority high, then gone" in outcome.observed


@pytest.mark.parametrize(
    ("number", "rows", "words"),
    [
        (0, [], "after add_task there were 0 rows"),
        (0, [row("medium", "1") | {"id": "another"}], "not the one that the tool made"),
        (1, [], "after update_task there were 0 rows"),
        (1, [row("medium", "101")], "has priority medium, not high"),
        (2, [row("high", "101")], "after delete_task the row was still there"),
    ],
)
def test_rows_that_say_something_else_fail(
    number: int, rows: list[dict[str, str]], words: str, world: World, seen: dict[str, Any]
) -> None:
    seen["turns"][number]["rows"] = rows
    outcome = found(world, seen)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed


def test_without_the_messages_beside_it_a_missing_row_proves_nothing(
    world: World, seen: dict[str, Any]
) -> None:
    seen["kept"] = 0
    assert found(world, seen).status is Status.UNPROVEN
    del seen["turns"][2]
    assert found(world, seen).observed == "the drill of T114 did not come to its end"


def test_a_proof_is_of_one_application_and_one_database(seen: dict[str, Any]) -> None:
    world, api, _ = make()
    with pytest.raises(Unmeasurable, match="the drill of T114 has not been run yet") as caught:
        chat_changes.found(world)
    assert caught.value.hint == "inv verify.step T114 --drills"
    evidence.write(world.settings, changes.NAME, seen | {"identity": fingerprint(world)})
    assert chat_changes.found(world).green
    for pod in api.list("Pod", "todo"):  # other pods of the same image: the proof stands
        pod["metadata"]["uid"] += "-new"
    put(api, {"openai-api-key": "another-key-of-the-model"})
    assert chat_changes.found(world).green
    put(api, {"database-url": content(api)["database-url"].replace("postgres.todo-database", "elsewhere")})
    with pytest.raises(Unmeasurable, match="with another database"):
        chat_changes.found(world)


STORED = {"task 1": "700 abc", "task 2": "701 def", "conversation 3": "702 ghi"}
REPLACED: dict[str, Any] = {
    "nonce": "ab12",
    "before": STORED,
    "after": STORED,
    "old": ["backend-1"],
    "new": ["backend-2"],
    "ready_seconds": 6.2,
    "gone_seconds": 7.0,
    "answered_seconds": 0.1,
    "titles": ["buy quinces ab12", "keep ab12"],
    "conversations": 1,
    "request_id": "r1",
    "served_by": "backend-2",
    "left": "",
}


def test_a_pod_replaced_by_another_passes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaced, "hold", lambda *_: dict(REPLACED))
    outcome = restart.replaced_by_another(world)
    assert outcome.status is Status.PASSED
    assert (
        "backend-1 deleted; backend-2 Ready after 6.2 s; the old gone after 7.0 s, and an answer 0.1 s later"
        in outcome.observed
    )
    monkeypatch.setattr(replaced, "hold", lambda *_: REPLACED | {"new": ["backend-1"]})
    assert restart.replaced_by_another(world).status is Status.FAILED


def remembers(world: World, **change: Any) -> Any:
    evidence.write(world.settings, replaced.NAME, REPLACED | {"identity": fingerprint(world)} | change)
    return restart.remembers(world)


def test_rows_as_they_were_pass(world: World) -> None:
    outcome = remembers(world)
    assert outcome.status is Status.PASSED
    assert outcome.observed == "backend-2 answered with 2 tasks; 3 rows as they were, 0 lost"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"after": {}}, "task 1 is lost"),
        ({"after": STORED | {"task 2": "999 def"}}, "task 2 was written again"),
        ({"titles": []}, "the new pod lists 0 tasks"),
        ({"conversations": 0}, "the new pod lists 0 conversations"),
    ],
)
def test_what_is_lost_or_changed_is_named(change: dict[str, Any], words: str, world: World) -> None:
    outcome = remembers(world, **change)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed


def test_a_drill_that_stored_nothing_proves_nothing(world: World) -> None:
    assert remembers(world, before={}).status is Status.UNPROVEN
    path = world.settings.state / "evidence" / "replaced.json"
    content = json.loads(path.read_text())
    del content["after"]
    path.write_text(json.dumps(content | {"before": STORED}))
    assert restart.remembers(world).status is Status.UNPROVEN
