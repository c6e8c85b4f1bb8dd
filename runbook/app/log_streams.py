"""The logs of the application's containers as one stream: sidecars too, new pods as they come, through restarts."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runbook.app import application
from runbook.engine.errors import RunbookError, UsageError

if TYPE_CHECKING:
    from runbook.world import World

PAUSE = 0.5
"""Seconds before a stream that broke is taken up again."""
FOR_EVER = 10.0**9


@dataclass(frozen=True, slots=True)
class Line:
    """What a container wrote. `time` as the kubelet says it (RFC 3339, UTC)."""

    pod: str
    container: str
    time: str
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where the pods of a component are: a namespace and a label selector."""

    namespace: str
    labels: str


@dataclass(frozen=True, slots=True)
class _Container:
    """One life of a container: after a restart its id is another one."""

    pod: str
    name: str
    namespace: str
    id: str


def sources(world: World, component: str = "") -> list[Source]:
    """Those of one component, or of the application. Raises `UsageError` for a name that none has."""
    space = world.settings.namespace
    known = {
        each.name: Source(space, f"app.kubernetes.io/name={each.name}") for each in application.COMPONENTS
    }
    known["database"] = Source(application.DATABASE_NAMESPACE, "")
    known["model"] = Source(application.MODEL_NAMESPACE, "")
    known["dapr"] = Source(application.DAPR_NAMESPACE, "")
    if not component:
        return [Source(space, application.SELECTOR)]
    if component not in known:
        raise UsageError(
            f"there is no component {component!r}",
            wanted=f"one of {', '.join(known)}",
            hint="inv logs --component backend",
        )
    return [known[component]]


def written(world: World, places: list[Source], tail: int) -> list[Line]:
    """The last lines of every container, in the order of their time. Raises `Unmeasurable` where there is no pod."""
    found: list[Line] = []
    for container in _containers(world, places):
        try:
            lines = world.api.log_lines(
                container.pod, container.name, container.namespace, tail=tail, follow=False
            )
            found += [_line(container, line) for line in lines]
        except RunbookError:
            continue  # it went while we asked
    return sorted(found, key=lambda line: line.time)


def followed(world: World, places: list[Source], tail: int) -> Iterator[Line]:
    """The last lines, then each as it is written, of all containers that are and will be. Ends by being closed."""
    lines: queue.SimpleQueue[Line | RunbookError] = queue.SimpleQueue()
    ended = threading.Event()
    for place in places:
        watcher = threading.Thread(target=_watch, args=(world, place, tail, lines, ended), daemon=True)
        watcher.start()
    try:
        while True:
            line = lines.get()
            if isinstance(line, RunbookError):
                raise line
            yield line
    finally:
        ended.set()


def _watch(
    world: World,
    place: Source,
    tail: int,
    lines: queue.SimpleQueue[Line | RunbookError],
    ended: threading.Event,
) -> None:
    """A thread for each life of a container, as soon as it has begun."""
    known: set[_Container] = set()
    first = True
    try:
        for change in world.api.watch(
            "Pod", place.namespace, labels=place.labels, deadline=time.monotonic() + FOR_EVER
        ):
            if ended.is_set():
                return
            first = first and change.type != "SYNCED"
            if change.type in ("SYNCED", "DELETED"):
                continue
            for container in _begun(change.object):
                if container in known:
                    continue
                known.add(container)
                wanted = tail if first else None
                arguments = (world, container, wanted, lines, ended)
                threading.Thread(target=_follow, args=arguments, daemon=True).start()
    except RunbookError as problem:
        lines.put(problem)


def _follow(
    world: World,
    container: _Container,
    tail: int | None,
    lines: queue.SimpleQueue[Line | RunbookError],
    ended: threading.Event,
) -> None:
    """One life to its end; a stream that breaks is taken up behind its last line."""
    last = ""
    while not ended.is_set():
        try:
            for text in world.api.log_lines(
                container.pod, container.name, container.namespace, since=last, tail=tail, follow=True
            ):
                line = _line(container, text)
                if line.time > last:
                    last, tail = line.time, None
                    lines.put(line)
        except RunbookError:
            ended.wait(PAUSE)
        if not _lives(world, container):
            return


def _lives(world: World, container: _Container) -> bool:
    """Whether that very life goes on; an API that is away says nothing of it."""
    try:
        pod = world.api.get("Pod", container.pod, container.namespace)
    except RunbookError:
        return True
    return pod is not None and any(
        status.get("containerID") == container.id and "running" in status["state"]
        for status in _statuses(pod)
    )


def _containers(world: World, places: list[Source]) -> list[_Container]:
    pods = [pod for place in places for pod in world.api.list("Pod", place.namespace, labels=place.labels)]
    if not pods:
        raise UsageError(
            "there is no pod to read the log of", wanted="a deployed application", hint="inv deploy"
        )
    return [container for pod in pods for container in _begun(pod)]


def _begun(pod: Mapping[str, Any]) -> list[_Container]:
    """The containers of a pod that have a log."""
    metadata = pod["metadata"]
    return [
        _Container(metadata["name"], status["name"], metadata["namespace"], status["containerID"])
        for status in _statuses(pod)
        if status.get("containerID") and {"running", "terminated"} & status.get("state", {}).keys()
    ]


def _statuses(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _line(container: _Container, text: str) -> Line:
    at, _, rest = text.partition(" ")
    return Line(container.pod, container.name, at, rest)
