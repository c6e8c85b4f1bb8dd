"""A person who goes on using the application, request after request, while something else is done to it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from runbook.probes.person import Person

if TYPE_CHECKING:
    import httpx

    from runbook.world import World

PAUSE = 0.25
"""Seconds between two requests: below 300 a minute, which is each person's limit."""
WRITE_EVERY = 8
LATE = ("deadline exceeded", "Timeout")
"""In the words of a probe that got no answer in time."""


@dataclass
class Traffic:
    asked: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0


@contextmanager
def going_on(person: Person) -> Iterator[Traffic]:
    """Requests from the beginning of the context to its end; each that is not answered as it should be is counted."""
    traffic, done = Traffic(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(_go_on, person, traffic, done)
        try:
            yield traffic
        finally:
            done.set()
            going.result()


def _go_on(person: Person, traffic: Traffic, done: threading.Event) -> None:
    import httpx

    while not done.wait(PAUSE):
        began = time.monotonic()
        try:
            if traffic.asked % WRITE_EVERY:
                answer = person.ask("GET", "/tasks")
            else:
                answer = person.ask("POST", "/tasks", json={"title": f"meanwhile {traffic.asked}"})
            if not answer.is_success:
                traffic.failures[_told(answer)] += 1
        except httpx.HTTPError as problem:
            traffic.failures[type(problem).__name__] += 1
        traffic.asked += 1
        traffic.slowest = max(traffic.slowest, time.monotonic() - began)


def _told(answer: httpx.Response) -> str:
    """The status, and whose word it is: the ingress speaks no JSON."""
    try:
        return f"{answer.status_code} ({answer.json()['detail']})"
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code} of the ingress"


def starved(world: World, since: datetime) -> list[str]:
    """Pods whose readiness was asked in vain since then: the node was too busy for them to answer in time.

    A rollout keeps one pod Ready; a pod that loses its readiness meanwhile is no fault of what is rolled.
    """
    return sorted(
        {
            str(event["involvedObject"].get("name"))
            for event in world.api.events(world.settings.namespace)
            if event.get("reason") == "Unhealthy"
            and str(event.get("message", "")).startswith("Readiness probe failed")
            and any(word in str(event.get("message", "")) for word in LATE)
            and datetime.fromisoformat(str(event.get("lastTimestamp") or event.get("eventTime"))) >= since
        }
    )
