"""Ways into a pod's network: the first one that works, and never a guess where none does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from runbook.clients.process.commands import CommandResult
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.netpol.listeners import Listener
from runbook.netpol.traffic import reach
from runbook.netpol.traffic.reach import PYTHON, Way, explore
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

HEAD = "  sl  local_address rem_address   st\n"
TABLES = f"== tcp\n{HEAD}   0: 00000000:1F40 00000000:0000 0A x\n"


class Pods(FakeApi):
    """Containers that have some interpreters."""

    def __init__(self, *interpreters: str, code: int = 0, words: str = TABLES) -> None:
        super().__init__()
        self.interpreters, self.code, self.words = interpreters, code, words
        self.tried: list[tuple[str, str]] = []

    def exec(
        self, pod: str, container: str, argv: Sequence[str], namespace: str, *, timeout: float, **_: Any
    ) -> CommandResult:
        self.tried.append((container, argv[0]))
        if argv[0] not in self.interpreters:
            raise Unmeasurable(
                f"`{' '.join(argv)}` in container {container} could not be started: no such file"
            )
        return CommandResult(self.words, "", self.code)


def pod(component: str, *containers: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{component}-1",
            "namespace": "todo",
            "uid": "2f5a",
            "labels": {"app.kubernetes.io/name": component},
        },
        "spec": {"containers": [{"name": each} for each in containers or (component,)]},
    }


@pytest.fixture(autouse=True)
def _no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "process_of", lambda _pod: 0)


def explored(settings: Settings, api: Pods, each: dict[str, Any]) -> Any:
    return explore(world_of(settings, api=api, cluster=FakeCluster()), each)


def test_the_pods_own_interpreter_is_used(settings: Settings) -> None:
    way, listeners = explored(settings, Pods("python3"), pod("backend"))
    assert str(way) == "python in container backend"
    assert listeners == (Listener(8000),)


def test_the_frontend_is_asked_by_its_own_first(settings: Settings) -> None:
    api = Pods("node")
    explored(settings, api, pod("frontend"))
    assert api.tried == [("frontend", "node")]


def test_a_sidecar_is_asked_last(settings: Settings) -> None:
    api = Pods()
    with pytest.raises(Unmeasurable):
        explored(settings, api, pod("backend", "daprd", "backend"))
    assert [container for container, program in api.tried if program == "python3"] == ["backend", "daprd"]


def test_a_shell_is_better_than_nothing(settings: Settings) -> None:
    way, _ = explored(settings, Pods("sh"), pod("postgres"))
    assert way.program.name == "sh"


def test_no_way_at_all_is_said_without_the_script(settings: Settings) -> None:
    with pytest.raises(Unmeasurable, match="no way into the network of todo/backend-1") as problem:
        explored(settings, Pods(), pod("backend"))
    assert len(problem.value.observed) < 400


@pytest.mark.parametrize(("code", "words"), [(127, ""), (1, TABLES), (0, "bash: no"), (0, "")])
def test_a_probe_that_fails_is_no_way(settings: Settings, code: int, words: str) -> None:
    with pytest.raises(Unmeasurable):
        explored(settings, Pods("python3", code=code, words=words), pod("backend"))


def test_the_network_of_a_process_is_entered_where_the_image_has_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "process_of", lambda _pod: 4711)

    class Commands:
        def run(self, argv: Sequence[str], *, timeout: float) -> CommandResult:
            assert list(argv[:4]) == ["nsenter", "--target=4711", "--net", "--"]
            return CommandResult(TABLES, "", 0)

    world = world_of(settings, api=Pods(), cluster=FakeCluster(), commands=Commands())
    way, listeners = explore(world, pod("postgres"))
    assert (str(way), listeners) == ("from this machine", (Listener(8000),))


def test_a_way_that_stops_working_is_unmeasurable(settings: Settings) -> None:
    way = Way("backend-1", "todo", PYTHON, "backend")
    with pytest.raises(Unmeasurable):
        way.ask(world_of(settings, api=Pods("python3", code=137), cluster=FakeCluster()), "0 TCP", seconds=1)
