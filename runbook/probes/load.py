"""Load on the application through its ingress: requests repeated at a pace or all at once, and what came of each.

Who asks for what is in `users`; here is how it is asked, timed and counted.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from runbook.engine.errors import Unmeasurable

if TYPE_CHECKING:
    import httpx

    from runbook.world import World

FEWEST = 10
"""Requests below which "none failed" says little."""

_SESSIONS = """SELECT usename::text AS role, count(*)::int AS sessions FROM pg_stat_activity
WHERE usename IS NOT NULL AND (%(roles)s::text[] IS NULL OR usename = ANY(%(roles)s::text[])) GROUP BY 1"""


class Request(NamedTuple):
    kind: str
    ask: Callable[[], httpx.Response]
    status: int = 0
    """The one that is wanted; 0: any success."""


class Failure(NamedTuple):
    after: float
    """Seconds since the load began."""
    kind: str
    what: str

    def __str__(self) -> str:
        return f"after {self.after:.1f} s {self.kind}: {self.what}"


class Pace(NamedTuple):
    """Seconds of one user: from request to request at least `every`, and from answer to request at least `pause`."""

    every: float = 0.0
    pause: float = 0.0


@dataclass
class LoadResult:
    """Counted while the load goes on, by many threads: each entry is written by one operation."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Times of the successful answers, by kind of request."""
    failures: list[Failure] = field(default_factory=list)
    retries: list[str] = field(default_factory=list)
    """The kinds of requests that were repeated because a 503 with Retry-After said so."""
    began: float = field(default_factory=time.monotonic)
    lasted: float = 0.0
    """Seconds; known when it is over."""
    left: str = ""
    """What could not be removed of the users; empty when nothing is left."""

    @property
    def answered(self) -> int:
        return sum(map(len, list(self.seconds.values())))

    @property
    def made(self) -> int:
        return self.answered + len(self.failures)

    @property
    def slowest(self) -> float:
        return max((max(times) for times in list(self.seconds.values())), default=0.0)

    @property
    def errors(self) -> Counter[str]:
        return Counter(f"{each.kind}: {each.what}" for each in list(self.failures))

    def problems(self) -> list[str]:
        """What failed. Raises `Unmeasurable` where there were too few requests to say anything."""
        if self.made < FEWEST:
            raise Unmeasurable(f"only {self.made} requests were made", wanted=f"{FEWEST} or more")
        if not self.failures:
            return []
        return [f"{len(self.failures)} of {self.made} requests failed; the first: {self.failures[0]}"]

    def perform(self, request: Request, until: float = 0.0) -> None:
        """Ask once; before `until` (monotonic), also again whenever a 503 says when to come back."""
        import httpx

        while True:
            start = time.monotonic()
            try:
                answer = request.ask()
            except (httpx.HTTPError, Unmeasurable) as problem:
                words = f"{type(problem).__name__} {problem}".strip()
                return self._failed(request, start, words)
            later = answer.headers.get("Retry-After")
            if not until or answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE or later is None:
                break
            self.retries.append(request.kind)
            time.sleep(float(later))
            if time.monotonic() > until:
                return self._failed(request, start, "no answer in time")
        if answer.status_code == request.status or (not request.status and answer.is_success):
            self.seconds[request.kind].append(time.monotonic() - start)
        else:
            self._failed(request, start, words_of(answer))
        return None

    def _failed(self, request: Request, start: float, words: str) -> None:
        self.failures.append(Failure(start - self.began, request.kind, words))

    def __str__(self) -> str:
        return f"none of {self.made} requests failed"


@contextmanager
def background(users: Sequence[Callable[[], Request]], pace: Pace) -> Iterator[LoadResult]:
    """Each user asks for one thing after another, as long as the context lasts; a user says what comes next."""
    result, over = LoadResult(), threading.Event()
    with ThreadPoolExecutor(len(users), thread_name_prefix="load") as pool:
        asking = [pool.submit(_keep_asking, user, pace, result, over) for user in users]
        try:
            yield result
        finally:
            over.set()
    result.lasted = time.monotonic() - result.began
    for each in asking:
        each.result()


def _keep_asking(user: Callable[[], Request], pace: Pace, result: LoadResult, over: threading.Event) -> None:
    over.wait(random.random() * max(pace))  # noqa: S311 - spreads the load, guards nothing
    while not over.is_set():
        start = time.monotonic()
        result.perform(user())
        over.wait(max(pace.pause, pace.every - (time.monotonic() - start)))


def burst(requests: Sequence[Request], *, at_once: int, longest: float) -> LoadResult:
    """All of these, so many at a time; none is begun, or begun again, after so many seconds."""
    result = LoadResult()
    until = result.began + longest

    def perform(request: Request) -> None:
        if time.monotonic() < until:
            result.perform(request, until)
        else:
            result.failures.append(Failure(longest, request.kind, "no answer in time"))

    with ThreadPoolExecutor(at_once, thread_name_prefix="load") as pool:
        for each in [pool.submit(perform, request) for request in requests]:
            each.result()
    result.lasted = time.monotonic() - result.began
    return result


def words_of(answer: httpx.Response) -> str:
    """The status, and whose word it is: the ingress speaks no JSON."""
    try:
        return f"{answer.status_code} ({answer.json()['detail']})"
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code} of the ingress"


@dataclass
class Sessions:
    """The most sessions that each role had at once on PostgreSQL, in so many looks."""

    most: dict[str, int] = field(default_factory=dict)
    looks: int = 0


@contextmanager
def sessions_counted(world: World, roles: Sequence[str] | None = None, *, every: float) -> Iterator[Sessions]:
    """Count them, of these roles or of all, over one connection of the owner's, until the context ends."""
    counted, over = Sessions(), threading.Event()
    parameters = {"roles": None if roles is None else list(roles)}

    def count() -> None:
        with world.database.connect() as connection:
            while True:
                found: list[dict[str, Any]] = connection.execute(_SESSIONS, parameters).fetchall()
                connection.commit()
                counted.looks += 1
                for row in found:
                    role = str(row["role"])
                    counted.most[role] = max(counted.most.get(role, 0), int(row["sessions"]))
                if over.wait(every):
                    return

    with ThreadPoolExecutor(1) as pool:
        counting = pool.submit(count)
        try:
            yield counted
        finally:
            over.set()
        counting.result()
