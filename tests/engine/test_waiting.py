"""Waiting: bounded, with the last observation, ended at once by what is hopeless or by an interruption."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from runbook.engine.errors import CommandFailed, TimedOut, Unmeasurable
from runbook.engine.waiting import Change, Hopeless, NotYet, Subject, eventually, watching


class Sequence:
    """Answers one after another; exceptions are raised; the last one stays."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self) -> Any:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_the_first_answer_counts() -> None:
    look = Sequence(NotYet("no pods"), Unmeasurable("the API is away"), "ready")
    told: list[str] = []
    assert eventually(look, timeout=10, wanted="ready", every=0.01, progress=told.append) == "ready"
    assert told == ["no pods", "the API is away"]


def test_the_last_observation_is_kept() -> None:
    with pytest.raises(TimedOut) as caught:
        eventually(Sequence(NotYet("1 of 3 ready")), timeout=0.05, wanted="3 ready", hint="look", every=0.01)
    assert "1 of 3 ready" in caught.value.observed
    assert (caught.value.wanted, caught.value.hint) == ("3 ready", "look")


def test_what_could_not_be_seen_is_no_verdict() -> None:
    with pytest.raises(Unmeasurable):
        eventually(Sequence(Unmeasurable("the API is away")), timeout=0.05, wanted="ready", every=0.01)


def test_any_other_error_ends_the_wait() -> None:
    look = Sequence(CommandFailed("exit status 1"))
    with pytest.raises(CommandFailed):
        eventually(look, timeout=10, wanted="ready")
    assert look.asked == 1


def test_an_interruption_ends_the_wait() -> None:
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(TimedOut, match="interrupted"):
        eventually(Sequence(NotYet("no")), timeout=600, wanted="ready", stopping=stopping)


class Events:
    """A watch that tells what a test scripts, and then stays silent until its deadline."""

    def __init__(self, *changes: Change | Exception) -> None:
        self.changes = changes

    def watch(
        self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = "", deadline: float
    ) -> Iterator[Change]:
        for change in self.changes:
            if isinstance(change, Exception):
                raise change
            yield change
        time.sleep(max(0.0, deadline - time.monotonic()))


PODS = Subject("Pod", "todo")
SYNCED = Change("SYNCED", {})


def pod(name: str, ready: bool) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": name}, "ready": ready}


def all_ready(sight: Any) -> int:
    late = [each["metadata"]["name"] for each in sight[PODS] if not each["ready"]]
    if late or not sight[PODS]:
        raise NotYet(f"{late} not ready")
    return len(sight[PODS])


def test_a_watch_is_judged_first_when_all_is_known() -> None:
    first, second = pod("a", True), pod("b", False)
    events = Events(
        Change("ADDED", first), Change("ADDED", second), SYNCED, Change("MODIFIED", pod("b", True))
    )
    assert watching(events, (PODS,), all_ready, timeout=10, wanted="ready") == 2


def test_what_is_deleted_no_longer_counts() -> None:
    events = Events(
        Change("ADDED", pod("a", True)),
        Change("ADDED", pod("old", False)),
        SYNCED,
        Change("DELETED", pod("old", False)),
    )
    assert watching(events, (PODS,), all_ready, timeout=10, wanted="ready") == 1


def test_a_watch_that_ends_without_success_says_why() -> None:
    events = Events(Change("ADDED", pod("a", False)), SYNCED)
    told: list[str] = []
    with pytest.raises(TimedOut, match=r"\['a'\] not ready"):
        watching(events, (PODS,), all_ready, timeout=0.3, wanted="ready", progress=told.append)
    assert told == ["['a'] not ready"]


def test_what_is_hopeless_is_not_waited_for() -> None:
    def judge(_: Any) -> None:
        raise Hopeless("ErrImageNeverPull")

    with pytest.raises(Hopeless):
        watching(Events(SYNCED), (PODS,), judge, timeout=600, wanted="ready")


def test_an_api_that_stays_away_is_no_verdict() -> None:
    with pytest.raises(Unmeasurable):
        watching(Events(Unmeasurable("away")), (PODS,), all_ready, timeout=600, wanted="ready")


def test_an_interruption_ends_the_watch() -> None:
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(TimedOut, match="interrupted"):
        watching(Events(SYNCED), (PODS,), all_ready, timeout=600, wanted="ready", stopping=stopping)
