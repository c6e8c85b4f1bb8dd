"""The chat and the way of its answer: each end of the conversation, and what a missing end means."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from runbook.checks.cluster.pods import fingerprint
from runbook.checks.web import chat
from runbook.engine import state_file
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.probes import conversation
from runbook.probes.conversation import Proof
from runbook.world import World
from tests.fakes import running
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

REQUEST = "0f1e2d3c-request"
TASK = "11111111-2222-3333-4444-555555555555"
CALL = {"event": "tool_call", "tool": "add_task", "request_id": REQUEST, "outcome": "ok", "task_id": TASK}
ASKED = {"event": "mcp_tool_call", "tool": "add_task", "request_id": REQUEST}
NOISE = {"event": "tool_call", "tool": "add_task", "request_id": "another", "outcome": "ok", "task_id": "x"}


def make() -> tuple[World, FakeApi]:
    api = FakeApi(*running.everything())
    log(api, "mcp-server-1", NOISE, CALL)
    log(api, "backend-1", ASKED)
    return world_of(Settings(), api=api, cluster=FakeCluster()), api


def log(api: FakeApi, pod: str, *lines: dict[str, Any]) -> None:
    api.logged[pod] = "\n".join(["INFO: not json", *(json.dumps(line) for line in lines), "{broken"])


def held(world: World, **changes: Any) -> Proof:
    proof = Proof(
        identity=fingerprint(world),
        at=datetime.now(UTC).isoformat(),
        nonce="abcd1234",
        request_id=REQUEST,
        seconds=1.2,
        status=200,
        answer="I added it.",
        tools=("add_task",),
        listed=True,
        rows=({"id": TASK, "title": "buy pears abcd1234"},),
    )
    return replace(proof, **changes)


def conversed(world: World, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    monkeypatch.setattr(conversation, "hold", lambda *_: held(world, **changes))


def proved(world: World, **changes: Any) -> None:
    state_file.write_json(conversation.path_of(world.settings), asdict(held(world, **changes)))


def test_an_answer_in_time_with_its_task(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _ = make()
    conversed(world, monkeypatch)
    outcome = chat.answers(world)
    assert outcome.status is Status.PASSED
    assert "answered in 1.2 s" in outcome.observed


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seconds": 10.5}, "the answer took 10.5 s"),
        ({"status": 500, "answer": "Try again."}, "the message was answered 500: Try again."),
        ({"listed": False}, "the task of the message is not in the list"),
        (
            {
                "problem": "while signing up: Timeout 45000ms exceeded.",
                "page_problems": ("POST /api was answered 500",),
            },
            "while signing up: Timeout 45000ms exceeded.; POST /api was answered 500",
        ),
    ],
)
def test_what_a_person_would_complain_about(
    changes: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, _ = make()
    conversed(world, monkeypatch, **changes)
    outcome = chat.answers(world)
    assert (outcome.status, outcome.observed) == (Status.FAILED, words)


def test_what_is_left_behind_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _ = make()
    conversed(world, monkeypatch, left="1 people of drills are still there")
    assert "not cleaned up: 1 people of drills" in chat.answers(world).observed


def test_one_request_at_all_ends() -> None:
    world, _ = make()
    proved(world)
    outcome = chat.used_the_mcp_server(world)
    assert outcome.status is Status.PASSED, outcome.observed
    assert TASK in outcome.observed
    assert outcome.evidence["mcp_server"] == [CALL]


@pytest.mark.parametrize("name", ["backend-1", "mcp-server-1"])
def test_where_a_drill_replaced_the_pods_another_message_is_sent(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log of the conversation went with the pod that wrote it."""
    world, api = make()
    proved(world, request_id="a-request-of-pods-that-are-gone")
    monkeypatch.setattr(conversation, "by_http", lambda there: held(there))
    assert chat.used_the_mcp_server(world).status is Status.FAILED
    pod = api.get("Pod", name, "todo")
    assert pod
    pod["metadata"]["creationTimestamp"] = "2100-01-01T00:00:00Z"
    assert chat.used_the_mcp_server(world).status is Status.PASSED


def test_a_task_that_the_mcp_server_did_not_make() -> None:
    world, api = make()
    proved(world)
    log(api, "mcp-server-1", NOISE)
    outcome = chat.used_the_mcp_server(world)
    assert outcome.status is Status.FAILED
    assert f"the MCP server's log has no successful add_task for request {REQUEST}" in outcome.observed


def test_a_tool_call_that_failed() -> None:
    world, api = make()
    proved(world)
    log(api, "mcp-server-1", CALL | {"outcome": "error"})
    assert "its calls: add_task: error" in chat.used_the_mcp_server(world).observed


def test_a_backend_that_does_not_know_of_the_call() -> None:
    world, api = make()
    proved(world)
    log(api, "backend-1", ASKED | {"request_id": "another"})
    outcome = chat.used_the_mcp_server(world)
    assert outcome.status is Status.FAILED
    assert "the backend's log has no call of add_task" in outcome.observed


def test_a_row_that_is_another_one() -> None:
    world, _ = make()
    proved(world, rows=({"id": "other", "title": "x"},))
    outcome = chat.used_the_mcp_server(world)
    assert outcome.status is Status.FAILED
    assert "PostgreSQL held rows ['other']" in outcome.observed


def test_an_answer_without_a_request_id() -> None:
    world, _ = make()
    proved(world, request_id="")
    assert chat.used_the_mcp_server(world).observed == "the answer carried no X-Request-ID"


def test_a_row_that_could_not_be_read_is_unproven() -> None:
    world, _ = make()
    proved(world, rows=(), rows_problem="no connection to PostgreSQL")
    assert chat.used_the_mcp_server(world).status is Status.UNPROVEN


def test_no_conversation_yet_cannot_be_measured() -> None:
    world, _ = make()
    with pytest.raises(Unmeasurable, match="no conversation has been run yet"):
        chat.used_the_mcp_server(world)


def test_a_conversation_with_another_release_proves_nothing_of_this_one() -> None:
    world, api = make()
    proved(world)
    status = api.objects["Pod", "todo", "mcp-server-1"]["status"]["containerStatuses"][0]
    status["imageID"] = "sha256:" + "d" * 64
    with pytest.raises(Unmeasurable, match="with another release or other pods"):
        chat.used_the_mcp_server(world)


def test_a_log_that_says_nothing_cannot_be_measured() -> None:
    world, api = make()
    proved(world)
    api.logged["mcp-server-1"] = ""
    with pytest.raises(Unmeasurable, match="the log of mcp-server has no line in JSON"):
        chat.used_the_mcp_server(world)


def test_a_damaged_proof_is_none() -> None:
    world, _ = make()
    proved(world)
    conversation.path_of(world.settings).write_text('{"identity": "x"}')
    assert conversation.last(world.settings) is None


def said_now(world: World, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    monkeypatch.setattr(conversation, "by_http", lambda _: held(world, **changes))


def test_a_canary_is_one_message_for_both_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _ = make()
    said: list[World] = []
    monkeypatch.setattr(conversation, "by_http", lambda asked: said.append(asked) or held(world))
    monkeypatch.setattr("time.monotonic", lambda: 1000.0)
    assert chat.answers_now(world).observed == "answered in 1.2 s now"
    assert chat.used_the_mcp_server_now(world).green
    assert len(said) == 1
    monkeypatch.setattr("time.monotonic", lambda: 1020.0)
    chat.answers_now(world)
    assert len(said) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"status": 502, "answer": "the model is away"},
            "now the message was answered 502: the model is away",
        ),
        ({"seconds": 10.1}, "now the answer took 10.1 s"),
        ({"listed": False, "rows": ()}, "now the task of the message is not in the list"),
    ],
)
def test_a_chat_that_does_not_work_now_is_red(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], words: str
) -> None:
    world, _ = make()
    said_now(world, monkeypatch, **changes)
    outcome = chat.answers_now(world)
    assert (outcome.status, outcome.observed) == (Status.FAILED, words)


def test_a_row_that_cannot_be_read_now_is_unproven(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _ = make()
    said_now(world, monkeypatch, rows_problem="no connection")
    assert chat.answers_now(world).status is Status.UNPROVEN


def test_a_tool_call_that_no_log_shows_now_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    world, api = make()
    said_now(world, monkeypatch)
    log(api, "backend-1", NOISE)
    assert chat.used_the_mcp_server_now(world).status is Status.FAILED
