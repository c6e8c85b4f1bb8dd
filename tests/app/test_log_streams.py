"""Logs as one stream: every container and its sidecar, new pods, a restart, a stream that breaks."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from runbook.app import log_streams
from runbook.app.log_streams import Line, Source
from runbook.engine.errors import Unmeasurable, UsageError
from runbook.engine.settings import Settings
from runbook.engine.waiting import Change
from runbook.world import World
from tests.fakes.worlds import FakeApi, world_of


def pod(name: str, **containers: str) -> dict[str, Any]:
    """Running containers by name and id."""
    statuses = [
        {"name": each, "containerID": number, "state": {"running": {}}} for each, number in containers.items()
    ]
    metadata = {"name": name, "namespace": "todo", "labels": {"app.kubernetes.io/name": "backend"}}
    return {"kind": "Pod", "metadata": metadata, "status": {"containerStatuses": statuses}}


class LogApi(FakeApi):
    """Pods whose containers wrote something; `changes` are what a watch tells after what is there."""

    def __init__(self, *objects: dict[str, Any]) -> None:
        super().__init__(*objects)
        self.lines: dict[tuple[str, str], list[list[str] | Unmeasurable]] = {}
        self.changes: queue.SimpleQueue[Change] = queue.SimpleQueue()
        self.asked: list[tuple[str, str, str, int | None]] = []

    def log_lines(
        self,
        pod: str,
        container: str,
        namespace: str,
        *,
        since: str = "",
        tail: int | None = None,
        follow: bool,
    ) -> Iterator[str]:
        self._ask()
        self.asked.append((pod, container, since, tail))
        answers = self.lines.get((pod, container), [])
        answer = answers.pop(0) if answers else []
        if isinstance(answer, Unmeasurable):
            raise answer
        yield from answer

    def watch(self, kind: str, namespace: str | None = None, **_: Any) -> Iterator[Change]:
        yield from super().watch(kind, namespace, labels="", deadline=0)
        while True:
            yield self.changes.get(timeout=30)


PLACE = [Source("todo", "app.kubernetes.io/name=backend")]


def world(api: FakeApi) -> World:
    return world_of(Settings(), api=api)


def test_what_was_written_is_in_the_order_of_its_time_with_the_sidecar() -> None:
    api = LogApi(pod("backend-1", backend="a", daprd="b"), pod("backend-2", backend="c"))
    api.lines = {
        ("backend-1", "backend"): [["2026-01-01T00:00:01Z one", "2026-01-01T00:00:04Z four"]],
        ("backend-1", "daprd"): [["2026-01-01T00:00:02Z two"]],
        ("backend-2", "backend"): [["2026-01-01T00:00:03Z three"]],
    }
    found = log_streams.written(world(api), PLACE, 5)
    assert [line.text for line in found] == ["one", "two", "three", "four"]
    assert {(line.pod, line.container) for line in found} == {
        ("backend-1", "backend"),
        ("backend-1", "daprd"),
        ("backend-2", "backend"),
    }
    assert {asked[3] for asked in api.asked} == {5}


def test_a_pod_that_went_meanwhile_is_left_out_and_none_at_all_is_said() -> None:
    api = LogApi(pod("backend-1", backend="a"))
    api.lines = {("backend-1", "backend"): [Unmeasurable("gone")]}
    assert log_streams.written(world(api), PLACE, 5) == []
    with pytest.raises(UsageError, match="no pod"):
        log_streams.written(world(LogApi()), PLACE, 5)


def test_an_api_that_is_away_is_no_empty_log() -> None:
    api = LogApi(pod("backend-1", backend="a"))
    api.away = True
    with pytest.raises(Unmeasurable):
        log_streams.written(world(api), PLACE, 5)


def take(lines: Iterator[Line], count: int) -> list[str]:
    return [next(lines).text for _ in range(count)]


def test_following_goes_on_through_a_restart_and_takes_up_a_new_pod() -> None:
    api = LogApi(pod("backend-1", backend="a"))
    api.lines = {("backend-1", "backend"): [["2026-01-01T00:00:01Z first"]]}
    with closing(log_streams.followed(world(api), PLACE, 5)) as lines:  # type: ignore[type-var]
        assert take(lines, 1) == ["first"]
        api.lines["backend-1", "backend"] = [["2026-01-01T00:00:02Z restarted"]]
        api.put(pod("backend-1", backend="a2"))
        api.changes.put(Change("MODIFIED", pod("backend-1", backend="a2")))
        assert take(lines, 1) == ["restarted"]
        api.lines["backend-2", "daprd"] = [["2026-01-01T00:00:03Z new"]]
        api.put(pod("backend-2", daprd="d"))
        api.changes.put(Change("ADDED", pod("backend-2", daprd="d")))
        assert take(lines, 1) == ["new"]


def test_a_stream_that_breaks_is_taken_up_behind_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_streams, "PAUSE", 0.0)
    api = LogApi(pod("backend-1", backend="a"))
    api.lines = {
        ("backend-1", "backend"): [
            ["2026-01-01T00:00:01Z one"],
            Unmeasurable("the API is away"),
            ["2026-01-01T00:00:01Z one", "2026-01-01T00:00:02Z two"],
        ]
    }
    with closing(log_streams.followed(world(api), PLACE, 5)) as lines:  # type: ignore[type-var]
        assert take(lines, 2) == ["one", "two"]
    assert ("backend-1", "backend", "2026-01-01T00:00:01Z", None) in api.asked


@pytest.mark.parametrize(
    ("name", "namespace"),
    [("", "todo"), ("backend", "todo"), ("database", "todo-database"), ("dapr", "dapr-system")],
)
def test_a_component_is_where_its_pods_are(name: str, namespace: str) -> None:
    assert [each.namespace for each in log_streams.sources(world(LogApi()), name)] == [namespace]


def test_another_name_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="one of frontend, backend"):
        log_streams.sources(world(LogApi()), "bakend")
