"""A node counts as Ready by its kubelet's own word, given in this life of the node."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from runbook.clients.kube.api import Api
from runbook.cluster.embedded import readiness
from runbook.cluster.embedded.sandbox import Sandbox
from runbook.engine.errors import TimedOut, Unmeasurable
from tests.fakes.worlds import FakeApi

SINCE = "2026-01-01T10:00:00Z"


def silent(_: str) -> None:
    return None


def node(status: str = "True", reported: str = "2026-01-01T10:00:01Z") -> dict[str, Any]:
    ready = {
        "type": "Ready",
        "status": status,
        "lastHeartbeatTime": reported,
        "message": "the runtime is down",
    }
    return {"kind": "Node", "metadata": {"name": "todo"}, "status": {"conditions": [ready]}}


def test_a_node_that_reports_ready_has_no_problem() -> None:
    assert readiness.node_problem(node(), SINCE) == ""


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (None, "not registered"),
        (node(status="False"), "the runtime is down"),
        (node(status="Unknown"), "not Ready"),
        (node(reported="2026-01-01T09:59:59Z"), "not reported"),
        ({"metadata": {}, "status": {}}, "not reported"),
    ],
    ids=["absent", "not ready", "unknown", "of an earlier life", "no condition"],
)
def test_what_keeps_a_node_from_being_ready(seen: dict[str, Any] | None, words: str) -> None:
    assert words in readiness.node_problem(seen, SINCE)


class Answering(FakeApi):
    """Answers any path with one status and text, or not at all."""

    def __init__(self, status: int, text: str = "", *objects: dict[str, Any]) -> None:
        super().__init__(*objects)
        self.response = httpx.Response(status, text=text)

    def raw(self, path: str, *, timeout: float = 30.0) -> httpx.Response:
        if self.away:
            raise Unmeasurable("no answer")
        return self.response


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "API_SECONDS", 0.05)
    monkeypatch.setattr(readiness, "NODE_SECONDS", 0.05)


SYSTEM = {"kind": "Namespace", "metadata": {"name": "kube-system"}}


def wait(api: FakeApi) -> None:
    readiness.wait_for_api(cast("Api", api), Path("/state"), silent)


def test_a_ready_api_server_ends_the_wait() -> None:
    wait(Answering(200, "ok", SYSTEM))


def test_what_is_not_ready_is_named() -> None:
    text = "[+]ping ok\n[-]poststarthook/rbac/bootstrap-roles failed: reason withheld\n[-]etcd failed\n"
    with pytest.raises(TimedOut, match="poststarthook/rbac/bootstrap-roles and 1 more not ready"):
        wait(Answering(500, text, SYSTEM))


def test_one_that_does_not_answer_or_has_no_namespaces_is_not_ready() -> None:
    away = Answering(200, "ok", SYSTEM)
    away.away = True
    with pytest.raises(TimedOut, match="does not answer"):
        wait(away)
    with pytest.raises(TimedOut, match="namespaces"):
        wait(Answering(200, "ok"))


@pytest.mark.parametrize(
    ("states", "status", "words"),
    [
        ({"kubelet": "down"}, 200, "not up: kubelet"),
        ({"kubelet": "up 3 s (pid 4)"}, 503, "kubelet does not answer"),
    ],
)
def test_a_process_that_is_down_or_a_silent_kubelet(states: dict[str, str], status: int, words: str) -> None:
    sandbox = cast("Sandbox", SimpleNamespace(states=lambda: states, folder="/state"))
    with pytest.raises(TimedOut, match=words):
        readiness.wait_for_processes(cast("Api", Answering(status)), sandbox, "todo", silent)


def test_all_up_ends_the_wait() -> None:
    sandbox = cast("Sandbox", SimpleNamespace(states=lambda: {"kubelet": "up 3 s (pid 4)"}, folder="/state"))
    readiness.wait_for_processes(cast("Api", Answering(200)), sandbox, "todo", silent)
