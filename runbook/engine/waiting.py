"""Bounded waits. All retrying lives here, and each wait that ends without success says what was seen last.

`eventually` asks again and again; `watching` reacts to the events of the Kubernetes API as they come.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential
from tenacity.stop import stop_base

from runbook.engine.errors import RunbookError, TimedOut, Unmeasurable

T = TypeVar("T")
Object = dict[str, Any]
Progress = Callable[[str], None]

STOPPED = "the run was interrupted"
TICK = 0.2
"""Seconds between looks at the clock and at `stopping` while no event comes."""


class NotYet(Exception):
    """What was asked is not so yet; the text says what was seen instead."""


class Hopeless(RunbookError):
    """What was waited for cannot come any more, whatever the time: waiting ends at once."""


def eventually(
    look: Callable[[], T],
    *,
    timeout: float,
    wanted: str,
    hint: str = "",
    every: float = 0.2,
    slowest: float = 2.0,
    progress: Progress | None = None,
    stopping: threading.Event | None = None,
) -> T:
    """The first answer of `look` that does not raise `NotYet` or `Unmeasurable`, within `timeout` seconds.

    Asked again after `every` seconds, then ever more seldom up to `slowest`. Any other exception ends the wait at once.
    Raises `TimedOut` with the last observation; where the last look could not even look, its `Unmeasurable`.
    """
    halt = stopping or threading.Event()

    def tell(state: RetryCallState) -> None:
        if progress and state.outcome is not None and (seen := state.outcome.exception()):
            progress(str(seen))

    attempts = Retrying(
        stop=stop_after_delay(timeout) | _stop_when(halt),
        wait=wait_exponential(multiplier=every, exp_base=1.5, min=every, max=slowest),
        retry=retry_if_exception_type((NotYet, Unmeasurable)),
        before_sleep=tell,
        sleep=lambda seconds: _ignore(halt.wait(seconds)),
        reraise=True,
    )
    try:
        return attempts(look)
    except NotYet as last:
        observed = STOPPED if halt.is_set() else f"after {timeout:g} s: {last}"
        raise TimedOut(observed, wanted=wanted, hint=hint) from None


@dataclass(frozen=True, slots=True)
class Change:
    """One event of a watch: ADDED, MODIFIED or DELETED.

    The first ones tell what is there already; SYNCED, with an empty object, says that this was all of it.
    """

    type: str
    object: Object


class _stop_when(stop_base):  # noqa: N801 - named as tenacity names its own
    def __init__(self, halt: threading.Event) -> None:
        self._halt = halt

    def __call__(self, retry_state: RetryCallState) -> bool:  # noqa: ARG002 - tenacity's signature
        return self._halt.is_set()


def _ignore(_: object) -> None:
    return None


class Watchable(Protocol):
    """The part of the API client that a watch needs."""

    def watch(
        self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = "", deadline: float
    ) -> Iterator[Change]: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """What is watched: objects of a kind in a namespace, by label and field selectors."""

    kind: str
    namespace: str | None = None
    labels: str = ""
    fields: str = ""


Sight = Mapping[Subject, Sequence[Object]]
"""All objects of each subject, as last seen."""


def watching(
    api: Watchable,
    subjects: Sequence[Subject],
    judge: Callable[[Sight], T],
    *,
    timeout: float,
    wanted: str,
    hint: str = "",
    progress: Progress | None = None,
    stopping: threading.Event | None = None,
) -> T:
    """The first answer of `judge` that does not raise `NotYet`, asked at each event and otherwise every `TICK`.

    `judge` gets all objects of all subjects, first when every subject is fully known. It may raise `Hopeless` to end
    the wait. Raises `TimedOut` with the last observation, `Unmeasurable` where the API was away until the end.
    """
    deadline = time.monotonic() + timeout
    arrivals: queue.SimpleQueue[tuple[Subject, Change | Exception]] = queue.SimpleQueue()
    over = threading.Event()
    for subject in subjects:
        threading.Thread(target=_follow, args=(api, subject, deadline, arrivals, over), daemon=True).start()
    seen: dict[Subject, dict[str, Object]] = {subject: {} for subject in subjects}
    unknown = set(subjects)
    last = "nothing was observed yet"
    try:
        while time.monotonic() < deadline:
            if stopping is not None and stopping.is_set():
                raise TimedOut(STOPPED, wanted=wanted, hint=hint)
            try:
                _take_in(*arrivals.get(timeout=TICK), seen, unknown)
                while not arrivals.empty():
                    _take_in(*arrivals.get_nowait(), seen, unknown)
            except queue.Empty:
                pass
            if unknown:
                continue
            try:
                return judge({subject: list(found.values()) for subject, found in seen.items()})
            except NotYet as reason:
                if progress and str(reason) != last:
                    progress(str(reason))
                last = str(reason)
    finally:
        over.set()
    raise TimedOut(f"after {timeout:g} s: {last}", wanted=wanted, hint=hint)


def _follow(
    api: Watchable,
    subject: Subject,
    deadline: float,
    arrivals: queue.SimpleQueue[tuple[Subject, Change | Exception]],
    over: threading.Event,
) -> None:
    """Hand on the events of one subject; an error is an event too."""
    try:
        found = api.watch(
            subject.kind, subject.namespace, labels=subject.labels, fields=subject.fields, deadline=deadline
        )
        for change in found:
            if over.is_set():
                return
            arrivals.put((subject, change))
    except Exception as problem:  # noqa: BLE001 - carried to the waiting thread, which raises it
        arrivals.put((subject, problem))


def _take_in(
    subject: Subject,
    change: Change | Exception,
    seen: dict[Subject, dict[str, Object]],
    unknown: set[Subject],
) -> None:
    if isinstance(change, Exception):
        raise change
    if change.type == "SYNCED":
        unknown.discard(subject)
        return
    uid = str(change.object["metadata"]["uid"])
    if change.type == "DELETED":
        seen[subject].pop(uid, None)
    else:
        seen[subject][uid] = change.object
