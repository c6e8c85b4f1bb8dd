"""Users of the application in four kinds of load: a page watched, one user at work, many at work, many at once."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from itertools import count, cycle
from typing import TYPE_CHECKING

from runbook.engine.errors import Unmeasurable
from runbook.probes import load
from runbook.probes.conversation import remove_people
from runbook.probes.load import LoadResult, Pace, Request, Sessions
from runbook.probes.person import Person

if TYPE_CHECKING:
    import httpx

    from runbook.world import World

WATCHING = Pace(pause=0.05)
WORKING = Pace(pause=0.25)
"""Below 300 requests a minute, which is each user's limit."""
BUSY = Pace(every=0.25)

NOWHERE = "nobody.invalid"
"""A host that the ingress does not serve: the control, which has to be counted as a failure."""

WRITE_EVERY = 8
CHAT_EVERY = 24
"""One request of so many is a message to the assistant: at most 10 a minute for each user."""
SIGNING_UP_AT_ONCE = 5

CROWD = 4
REQUESTS = 240
"""In all: 60 of each user of the crowd."""
AT_ONCE = 40
LONGEST = 120.0
"""Seconds after which no further request of a crowd is begun."""
CROWD_WRITES_EVERY = 6
LOOK_EVERY = 0.1


@contextmanager
def watched(world: World) -> Iterator[LoadResult]:
    """Ask for the page and, signed in, for the tasks, in turn and through the ingress, until the context ends.

    The tasks come from frontend, backend and database. A request that must fail shows first that a failure is seen.

    Raises `Unmeasurable` where nobody can sign up, or requests fail before anything was changed.
    """
    result = None
    try:
        with Person(world) as person:
            looks = (
                Request("the page", lambda: world.http.get("/"), HTTPStatus.OK),
                Request("the tasks", lambda: person.ask("GET", "/tasks"), HTTPStatus.OK),
            )
            before, control = LoadResult(), LoadResult()
            for each in looks:
                before.perform(each)
            if before.failures:
                first = before.failures[0]
                raise Unmeasurable(
                    f"before anything was changed: {first.kind}: {first.what}",
                    wanted="answers",
                    hint="inv verify.step T051",
                )
            foreign = Request("a foreign page", lambda: world.http.get("/", host=NOWHERE), HTTPStatus.OK)
            control.perform(foreign)
            if not control.failures:
                raise Unmeasurable(
                    f"a request for {NOWHERE} is answered as well",
                    wanted="a failure that is seen",
                    hint="inv verify.step T051",
                )
            turns = cycle(looks)
            with load.background([lambda: next(turns)], WATCHING) as result:
                yield result
    finally:
        left = remove_people(world)
        if result is not None:
            result.left = left


@contextmanager
def working(person: Person) -> Iterator[LoadResult]:
    """One user who lists tasks, and sometimes makes one, from the beginning of the context to its end."""
    numbers = count()
    with load.background([lambda: _task_request(person, next(numbers), WRITE_EVERY)], WORKING) as result:
        yield result


@contextmanager
def at_work(world: World, size: int) -> Iterator[LoadResult]:
    """So many users, with lists, tasks and chat, as long as the context lasts; they are removed then.

    Raises `Unmeasurable` where somebody cannot sign up.
    """
    with ExitStack() as stack:
        stack.callback(remove_people, world)
        with ThreadPoolExecutor(SIGNING_UP_AT_ONCE) as gate:
            people = list(gate.map(lambda _: stack.enter_context(Person(world)), range(size)))
        with load.background([_Worker(person).next for person in people], BUSY) as result:
            yield result


def crowd(world: World, roles: list[str]) -> tuple[LoadResult, Sessions]:
    """Many requests of a few users at once, while PostgreSQL's sessions of these roles are counted.

    A 503 with Retry-After says that no connection became free in time: whoever comes back then is served.
    """
    result = None
    try:
        with ExitStack() as stack:
            people = [stack.enter_context(Person(world)) for _ in range(CROWD)]
            world.progress(f"{REQUESTS} requests, {AT_ONCE} at once")
            requests = [
                _task_request(people[number % CROWD], number, CROWD_WRITES_EVERY)
                for number in range(REQUESTS)
            ]
            with load.sessions_counted(world, roles, every=LOOK_EVERY) as sessions:
                result = load.burst(requests, at_once=AT_ONCE, longest=LONGEST)
    finally:
        left = remove_people(world)
    result.left = left
    return result, sessions


def _task_request(person: Person, number: int, write_every: int) -> Request:
    if number % write_every:
        return Request("list", lambda: person.ask("GET", "/tasks"))
    title = f"task {number} of a drill"
    return Request("create", lambda: person.ask("POST", "/tasks", json={"title": title}))


class _Worker:
    """One user, and the tasks that they know of."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._tasks: list[str] = []

    def next(self) -> Request:
        return Request(*self._next())

    def _next(self) -> tuple[str, Callable[[], httpx.Response]]:
        number = random.randrange(CHAT_EVERY)  # noqa: S311 - chooses work, guards nothing
        if number == 0:
            return "chat", self._chat
        if number <= 4 or not self._tasks:
            return "create", self._create
        if number <= 7:
            return "complete", self._complete
        if number <= 10:
            return "delete", self._delete
        return "list", self._list

    def _list(self) -> httpx.Response:
        query = random.choice([{}, {"status": "pending"}, {"sort": "due"}, {"search": "milk"}])  # noqa: S311
        return self._person.ask("GET", "/tasks", params=query)

    def _create(self) -> httpx.Response:
        body = {"title": f"buy milk {secrets.token_hex(3)}", "priority": "high"}
        answer = self._person.ask("POST", "/tasks", json=body)
        if answer.is_success:
            self._tasks.append(answer.json()["id"])
        return answer

    def _complete(self) -> httpx.Response:
        return self._person.ask("PATCH", f"/tasks/{self._tasks[-1]}/complete")

    def _delete(self) -> httpx.Response:
        return self._person.ask("DELETE", f"/tasks/{self._tasks.pop()}")

    def _chat(self) -> httpx.Response:
        return self._person.ask("POST", "/chat", json={"message": "show my high priority tasks"})
