"""Credentials rotated: judged by the server's sessions, by attempts, and by what a person met meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from runbook.actions.database import rotation
from runbook.actions.package import release
from runbook.checks.database import credentials
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Outcome, Status
from runbook.probes import rotating, rows
from runbook.probes.load import Failure, LoadResult
from tests.fakes import running
from tests.fakes.stored import GOOD, Server, made_anew, make, refused

NEW = {"role": "todo_backend_b"}


class Stage:
    """A person, the traffic, and the rows, as a test wants them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.load = LoadResult({"list": [0.1] * 79 + [0.4]})
        self.rows = [{"task 1": "700 abc"}, {"task 1": "700 abc", "task 2": "701 d"}]
        self.answered = 200
        self.people = 0
        monkeypatch.setattr(rotating, "Person", self._person)
        monkeypatch.setattr(rotating, "working", self._working)
        monkeypatch.setattr(rotating, "remove_people", lambda *_: "")
        monkeypatch.setattr(rows, "store", lambda *_: None)
        monkeypatch.setattr(rows, "of_person", lambda *_: self.rows.pop(0))
        monkeypatch.setattr(release, "bring", made_anew)
        monkeypatch.setattr(release, "wait", lambda _: None)
        self.world, self.api, self.database = make()
        self.api.attempts["new"] = GOOD | NEW
        for key in credentials.APPLICATIONS:
            self.api.attempts[f"old {key}"] = refused("InvalidPasswordError", "28P01")

    @contextmanager
    def _person(self, *_: Any) -> Iterator[Any]:
        self.people += 1
        answer = SimpleNamespace(status_code=self.answered)
        yield SimpleNamespace(id="p", ask=lambda *_, **__: answer, say=lambda _: answer)

    @contextmanager
    def _working(self, _: Any) -> Iterator[LoadResult]:
        yield self.load

    def ask(self, *absent: str, generation: str = "_b") -> Outcome:
        """`absent`: services that are not signed in; `generation` ends the names that are rotated to."""
        roles = {
            "todo-backend": f"todo_backend{generation}",
            "todo-frontend": f"todo_frontend{generation}",
            "todo-mcp-server": f"todo_mcp{generation}",
        }

        def query(statement: str, parameters: Any = (), *, key: str = "") -> list[Any]:
            if "application_name" not in statement:
                return []
            (application,) = parameters
            if application in absent:
                return []
            return [{"application": application, "role": roles[application], "sessions": 1}]

        self.database.query = query  # type: ignore[method-assign]
        return credentials.in_use(self.world)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


def test_new_credentials_in_use_and_old_ones_refused_pass(stage: Stage) -> None:
    outcome = stage.ask()
    assert outcome.status is Status.PASSED, outcome.observed
    assert "todo_backend_b in use with TLSv1.3, 3 old roles refused (28P01)" in outcome.observed
    assert "80 requests meanwhile, 0 failed" in outcome.observed
    assert set(stage.api.may) == {"todo_owner", "todo_backend_b", "todo_frontend_b", "todo_mcp_b"}
    assert "pw" not in str(outcome.evidence)


def test_old_credentials_that_are_still_taken_fail(stage: Stage) -> None:
    stage.api.attempts["old database-url"] = dict(GOOD)
    assert "the old database-url is still taken" in stage.ask().observed


def test_a_refusal_for_another_reason_is_none(stage: Stage) -> None:
    stage.api.attempts["old database-url"] = refused("TimeoutError")
    assert "was not refused for its credentials: TimeoutError" in stage.ask().observed


def test_the_running_processes_have_to_use_the_new_role(stage: Stage) -> None:
    assert "no running todo-mcp-server is signed in as todo_mcp_b" in stage.ask("todo-mcp-server").observed
    stage.rows = [{"task 1": "1 a"}] * 2


def test_the_backends_own_credentials_have_to_be_the_new_ones(stage: Stage) -> None:
    stage.api.attempts["new"] = dict(GOOD)
    assert "connected as todo_backend with TLSv1.3, not as todo_backend_b" in stage.ask().observed


def test_failed_requests_and_changed_rows_fail(stage: Stage) -> None:
    stage.load.failures += [Failure(1.0, "list", "502 of the ingress")] * 2
    stage.rows[1] = {"task 1": "999 abc"}
    observed = stage.ask().observed
    assert "2 of 82 requests ended with list: 502 of the ingress" in observed
    assert "task 1 was written again" in observed


def test_requests_that_failed_on_a_node_that_is_too_busy_prove_nothing(stage: Stage) -> None:
    stage.load.failures += [Failure(1.0, "list", "503 of the ingress")] * 2
    stage.api.put(unhealthy("Readiness probe failed: connection refused", running.BORN))
    assert stage.ask().status is Status.FAILED
    stage.rows = [{"task 1": "700 abc"}] * 2
    stage.api.attempts["new"] = GOOD | {"role": "todo_backend"}
    stage.api.put(unhealthy("Readiness probe failed: context deadline exceeded", "2999-01-01T00:00:00Z"))
    outcome = stage.ask(generation="")
    assert outcome.status is Status.UNPROVEN
    assert (
        "2 of 82 requests ended with list: 503 of the ingress, while the node was too busy"
        in outcome.observed
    )


def unhealthy(message: str, at: str) -> dict[str, Any]:
    return {
        "kind": "Event",
        "metadata": {"name": f"e-{at}", "namespace": "todo"},
        "reason": "Unhealthy",
        "message": message,
        "involvedObject": {"name": "frontend-1"},
        "lastTimestamp": at,
    }


def test_a_newcomer_has_to_be_served(stage: Stage) -> None:
    stage.answered = 503
    assert "a newcomer's message was answered 503" in stage.ask().observed


def test_nothing_to_compare_with_is_no_proof(stage: Stage) -> None:
    stage.rows = [{}, {}]
    assert stage.ask().status is Status.UNPROVEN


def test_the_proof_ends_with_the_credentials_and_while_a_rotation_is_under_way(stage: Stage) -> None:
    before = credentials.identity(stage.world)
    stage.ask()
    after = credentials.identity(stage.world)
    assert before != after == credentials.identity(stage.world)
    rotation.begin(stage.world)
    assert credentials.identity(stage.world) != after


def test_a_database_outside_is_not_rotated_by_us() -> None:
    url = "postgresql://me:pw-of-me@db.example.test/todo?sslmode=verify-full"
    world, api, _ = make(Settings(database_url=SecretStr(url)))
    with pytest.raises(Unmeasurable, match="the database is outside"):
        credentials.in_use(world)
    assert isinstance(api, Server)
    assert api.written == [("apply", "Secret", "todo-secrets")]
