"""Somebody who uses the application without a pause while it is changed: what was answered, and what was not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from runbook.engine.errors import Unmeasurable
from runbook.probes.conversation import remove_people
from runbook.probes.person import Person

if TYPE_CHECKING:
    import httpx

    from runbook.world import World

PAUSE = 0.1
"""Seconds between two requests: none waits for another's answer longer than that answer takes."""

FEWEST = 10
"""Requests below which "none failed" says little."""

PAGE = "/"
TASKS = "/tasks"
NOWHERE = "nobody.invalid"
"""A host that the ingress does not serve: the control, which has to be counted as a failure."""


@dataclass
class Visits:
    """Counted while they are made. `failures` say when, in seconds since the first one, and what."""

    made: int = 0
    failures: list[str] = field(default_factory=list)
    left: str = ""
    """What could not be removed; empty when nothing is left."""

    def problems(self) -> list[str]:
        """Raises `Unmeasurable` where there were too few to say anything."""
        if self.made < FEWEST:
            raise Unmeasurable(f"only {self.made} requests were made", wanted=f"{FEWEST} or more")
        if not self.failures:
            return []
        return [f"{len(self.failures)} of {self.made} requests failed; the first: {self.failures[0]}"]

    def __str__(self) -> str:
        return f"none of {self.made} requests failed"


@contextmanager
def visited(world: World) -> Iterator[Visits]:
    """Ask for the page and, signed in, for the tasks, in turn and through the ingress, until the context ends.

    The tasks come from frontend, backend and database. A request that must fail shows first that a failure is seen.

    Raises `Unmeasurable` where nobody can sign up, or requests fail before anything was changed.
    """
    visits, over = Visits(), threading.Event()
    try:
        with Person(world) as person:
            look = partial(_failures, world, person)
            if told := [each for each in look() if each]:
                raise Unmeasurable(
                    f"before anything was changed: {told[0]}", wanted="answers", hint="inv verify.step T051"
                )
            if not _told("a foreign page", lambda: world.http.get(PAGE, host=NOWHERE)):
                raise Unmeasurable(
                    f"a request for {NOWHERE} is answered as well",
                    wanted="a failure that is seen",
                    hint="inv verify.step T051",
                )
            asking = threading.Thread(target=_ask, args=(look, visits, over), name="visits", daemon=True)
            asking.start()
            try:
                yield visits
            finally:
                over.set()
                asking.join()
    finally:
        visits.left = remove_people(world)


def _ask(look: Callable[[], Iterator[str]], visits: Visits, over: threading.Event) -> None:
    began = time.monotonic()
    while not over.is_set():
        for told in look():
            visits.made += 1
            if told:
                visits.failures.append(f"after {time.monotonic() - began:.1f} s {told}")
        over.wait(PAUSE)


def _failures(world: World, person: Person) -> Iterator[str]:
    """One request for each; empty for an answer with 200."""
    yield _told("the page", lambda: world.http.get(PAGE))
    yield _told("the tasks", lambda: person.ask("GET", TASKS))


def _told(what: str, ask: Callable[[], httpx.Response]) -> str:
    import httpx

    try:
        answer = ask()
    except (httpx.HTTPError, Unmeasurable) as problem:
        return f"{what}: {str(problem) or type(problem).__name__}"
    return "" if answer.status_code == HTTPStatus.OK else f"{what}: {answer.status_code}"
