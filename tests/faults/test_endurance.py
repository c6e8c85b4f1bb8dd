"""What people notice while something is broken: told kindly, or a reason to call it unkind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from runbook.app.application import BACKEND, COMPONENTS
from runbook.clients.process.commands import CommandResult
from runbook.engine.errors import RunbookError, TimedOut, Unmeasurable
from runbook.engine.settings import Settings
from runbook.faults import endurance
from runbook.faults.planting import Hands
from runbook.probes import remembered
from runbook.probes.remembered import Remembered, Sent
from tests.fakes import meshed
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

GOOD = httpx.Response(200, json={"response": "added"})
KIND = httpx.Response(503, json={"detail": "The assistant is not there. Please try again."})
SENT = Sent("k1", "r1", (200, 200), replayed=True, same=True, left="")
HELD = Remembered("todo-backend||chat-1-k1", ("data", "version"), 590)


class Somebody:
    """Gets the answers of the test, one after another; the last one for ever."""

    answers: list[httpx.Response]

    def __init__(self, world: Any) -> None:
        del world

    def __enter__(self) -> Somebody:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def say(self, message: str, key: str = "") -> httpx.Response:
        return Somebody.answers.pop(0) if len(Somebody.answers) > 1 else Somebody.answers[0]


class Flooded(FakeApi):
    """Whose backend's sidecar is started anew by a flood, unless it bears it."""

    bears = False

    def exec(self, pod: str, container: str, argv: list[str], namespace: str, **_: Any) -> CommandResult:
        assert (pod, container, argv[-2:]) == ("backend-1", "backend", ["3500", "/v1.0/state/statestore"])
        if not self.bears:
            statuses = self.objects["Pod", "todo", pod]["status"]["containerStatuses"]
            statuses[-1]["restartCount"] = 1
        return CommandResult("", "", 0)


@pytest.fixture
def api() -> Flooded:
    return Flooded(*map(meshed.pod, COMPONENTS), *meshed.redis())


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []
    Somebody.answers = [GOOD]
    monkeypatch.setattr(endurance, "Person", Somebody)
    monkeypatch.setattr(endurance, "remove_people", found.append)
    monkeypatch.setattr(endurance, "BACK", 0.3)
    monkeypatch.setattr(endurance, "EVERY", 0.01)
    monkeypatch.setattr(endurance, "NOTICED", 0.3)
    monkeypatch.setattr(endurance, "READY_SECONDS", 0.5)
    return found


@pytest.fixture
def hands(settings: Settings, api: FakeApi, removed: list[Any]) -> Hands:
    return Hands(world_of(settings, api=api, cluster=FakeCluster()))


def test_a_chat_that_answers(hands: Hands, removed: list[Any]) -> None:
    assert endurance.chat_answers(hands).startswith("the chat answers (")
    assert removed == [hands.world]


def test_a_chat_that_does_not(hands: Hands, removed: list[Any]) -> None:
    Somebody.answers = [KIND]
    with pytest.raises(RunbookError, match="the chat answers 503"):
        endurance.chat_answers(hands)
    assert removed == [hands.world]


def test_a_sidecar_without_memory_and_a_chat_that_comes_back(hands: Hands) -> None:
    Somebody.answers = [KIND, GOOD]
    endurance.exhaust_sidecar(hands)
    assert "s after the sidecar ended, before that 503 with a reason" in endurance.comeback(hands)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (httpx.Response(502, text="<html>Bad Gateway</html>"), RunbookError, "the chat answered 502: <html>"),
        (httpx.Response(500, json={"errorCode": "ERR"}), RunbookError, "the chat answered 500"),
        (KIND, TimedOut, "503"),
    ],
)
def test_a_chat_that_is_unkind_or_stays_away(
    hands: Hands, removed: list[Any], answer: httpx.Response, kind: type[RunbookError], words: str
) -> None:
    Somebody.answers = [answer]
    with pytest.raises(kind, match=words):
        endurance.exhaust_sidecar(hands)
    assert removed == [hands.world]


def test_a_sidecar_that_bears_the_flood_proves_nothing(hands: Hands, api: Flooded) -> None:
    api.bears = True
    with pytest.raises(TimedOut, match="bore the flood"):
        endurance.exhaust_sidecar(hands)


def sent(result: Sent, calls: list[str] | None = None) -> Callable[..., Sent]:
    def send(_: Any, between: Callable[[], None] = lambda: None) -> Sent:
        between()
        return result

    return send


def test_another_pod_knows_what_the_old_one_answered(
    hands: Hands, api: Flooded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def anew(kind: str, name: str) -> None:
        pod = meshed.pod(BACKEND)
        pod["metadata"] |= {"name": "backend-2", "uid": "uid-backend-2"}
        api.put(pod)

    api.on_delete = anew
    monkeypatch.setattr(remembered, "send_twice", sent(SENT))
    assert "another pod gave the answer" in endurance.state_outlives_its_pod(hands)
    assert ("delete", "Pod", "backend-1") in api.written


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (Sent("k1", "r1", (200, 502), replayed=False, same=False, left=""), "the chat answered 200 and 502"),
        (
            Sent("k1", "r1", (200, 200), replayed=False, same=True, left=""),
            "the new pod computed another answer",
        ),
    ],
)
def test_a_pod_that_takes_its_state_with_it(
    hands: Hands, monkeypatch: pytest.MonkeyPatch, result: Sent, words: str
) -> None:
    monkeypatch.setattr(endurance, "_replace_backend", lambda _: None)
    monkeypatch.setattr(remembered, "send_twice", sent(result))
    with pytest.raises(RunbookError, match=words):
        endurance.state_outlives_its_pod(hands)


def test_no_other_pod_comes(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "send_twice", sent(SENT))
    with pytest.raises(TimedOut, match="the new pod is not there yet"):
        endurance.state_outlives_its_pod(hands)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, api: Flooded) -> dict[str, Any]:
    """Whether an answer is kept before Redis is killed, and what is found of it and of a new one afterwards."""
    told: dict[str, Any] = {"before": HELD, "old": None, "new": HELD, "keys": iter(("k1", "k2", "k3", "k4"))}
    monkeypatch.setattr(
        remembered,
        "send_twice",
        lambda _: Sent(next(told["keys"], "k9"), "r1", (200, 200), replayed=True, same=True, left=""),
    )

    def recall(_: Any, key: str) -> Remembered | None:
        if key != "k1":
            return told["new"]
        return told["old"] if ("delete", "Pod", "redis-0") in api.written else told["before"]

    monkeypatch.setattr(remembered, "recall", recall)
    monkeypatch.setattr(endurance.redis_release, "wait", lambda _: None)
    return told


def test_a_redis_that_starts_over_empty(hands: Hands, store: dict[str, Any]) -> None:
    words = endurance.starts_over_empty(hands)
    assert "without Redis" in words
    assert "answers are kept again" in words


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"before": None}, Unmeasurable, "nothing was kept before"),
        ({"old": HELD}, RunbookError, "Redis still has what it held"),
        ({"new": None}, TimedOut, "answered 200, not kept"),
    ],
)
def test_a_redis_that_does_not_come_back_as_it_should(
    hands: Hands, store: dict[str, Any], change: dict[str, Any], kind: type[RunbookError], words: str
) -> None:
    store |= change
    with pytest.raises(kind, match=words):
        endurance.starts_over_empty(hands)
