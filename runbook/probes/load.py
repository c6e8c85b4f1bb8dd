"""People at work: lists, tasks and chat through the ingress, each below the application's limits for one person.

Every answer but success is an error here.
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runbook.probes.conversation import remove_people
from runbook.probes.person import Person

if TYPE_CHECKING:
    import httpx

    from runbook.world import World

PAUSE = 0.25
"""Seconds between the requests of one person: below 300 a minute."""

CHAT_EVERY = 24
"""One request of so many is a message to the assistant: at most 10 a minute for each person."""

SIGNING_UP_AT_ONCE = 5


@dataclass
class Seen:
    """What the people met. Written by many threads; each entry by one operation."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Times of the successful answers, by kind of request."""
    errors: Counter[str] = field(default_factory=Counter)
    lasted: float = 0.0
    """Seconds; known when it is over."""

    @property
    def answered(self) -> int:
        return sum(map(len, list(self.seconds.values())))


@contextmanager
def at_work(world: World, size: int) -> Iterator[Seen]:
    """So many people, who ask one thing after another for as long as the context lasts, and are removed then.

    Raises `Unmeasurable` where somebody cannot sign up.
    """
    seen, over = Seen(), threading.Event()
    with ExitStack() as stack:
        stack.callback(remove_people, world)
        with ThreadPoolExecutor(SIGNING_UP_AT_ONCE) as gate:
            people = list(gate.map(lambda _: stack.enter_context(Person(world)), range(size)))
        with ThreadPoolExecutor(size) as pool:
            began = time.monotonic()
            working = [pool.submit(_Worker(person, seen).work, over) for person in people]
            try:
                yield seen
            finally:
                over.set()
        seen.lasted = time.monotonic() - began
        for each in working:
            each.result()


class _Worker:
    """One person, and the tasks that they know of."""

    def __init__(self, person: Person, seen: Seen) -> None:
        self._person, self._seen = person, seen
        self._tasks: list[str] = []

    def work(self, over: threading.Event) -> None:
        over.wait(random.random() * PAUSE)  # noqa: S311 - spreads the load, guards nothing
        while not over.is_set():
            began = time.monotonic()
            self._timed(*self._next())
            over.wait(max(0.0, PAUSE - (time.monotonic() - began)))

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

    def _timed(self, kind: str, act: Callable[[], httpx.Response]) -> None:
        import httpx

        began = time.monotonic()
        try:
            answer = act()
        except httpx.HTTPError as problem:
            self._seen.errors[f"{kind}: {type(problem).__name__}"] += 1
            return
        if answer.is_success:
            self._seen.seconds[kind].append(time.monotonic() - began)
        else:
            self._seen.errors[f"{kind}: {answer.status_code}"] += 1

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
