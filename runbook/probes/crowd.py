"""Many requests of a few people at once, through this machine's ingress; PostgreSQL's sessions are counted."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runbook.probes.conversation import remove_people
from runbook.probes.person import Person

if TYPE_CHECKING:
    from runbook.world import World

PEOPLE = 4
REQUESTS = 240
"""In all: 60 of each person, well below the limit of 300 a minute."""
AT_ONCE = 40
LONGEST = 120.0
"""Seconds after which no further request is begun."""
BUSY = 503
"""With Retry-After: no connection became free in time. Whoever waits as told is served later."""
LOOK_EVERY = 0.1
WRITE_EVERY = 6
"""One request of so many makes a task; the others list them."""

_SESSIONS = """SELECT usename::text AS role, count(*)::int AS sessions FROM pg_stat_activity
WHERE usename = ANY(%s) GROUP BY 1"""


@dataclass
class Seen:
    answered: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    again: int = 0
    """How often somebody was told to come later, and did."""
    seconds: list[float] = field(default_factory=list)
    sessions: dict[str, int] = field(default_factory=dict)
    """The most that each role had at once."""
    looks: int = 0
    lasted: float = 0.0
    left: str = ""


def gather(world: World, roles: list[str]) -> Seen:
    """Sign the people up, let them ask all at once, and remove them."""
    seen, done = Seen(), threading.Event()
    try:
        with ExitStack() as stack:
            people = [stack.enter_context(Person(world)) for _ in range(PEOPLE)]
            world.progress(f"{REQUESTS} requests, {AT_ONCE} at once")
            with ThreadPoolExecutor(AT_ONCE + 1) as pool:
                counting = pool.submit(_count, world, roles, seen, done)
                began = time.monotonic()
                answers = [
                    pool.submit(_ask, people[number % PEOPLE], number, began) for number in range(REQUESTS)
                ]
                try:
                    for answer in answers:
                        problem, seconds, again = answer.result()
                        seen.seconds.append(seconds)
                        seen.again += again
                        if problem:
                            seen.errors[problem] += 1
                        else:
                            seen.answered += 1
                finally:
                    seen.lasted = time.monotonic() - began
                    done.set()
                counting.result()
    finally:
        done.set()
        seen.left = remove_people(world)
    return seen


def _ask(person: Person, number: int, began: float) -> tuple[str, float, int]:
    """What went wrong, or nothing; how long the last answer took; and how often it said to come later."""
    import httpx

    again = 0
    while (start := time.monotonic()) - began < LONGEST:
        try:
            if number % WRITE_EVERY:
                answer = person.ask("GET", "/tasks")
            else:
                answer = person.ask("POST", "/tasks", json={"title": f"one of many {number}"})
        except httpx.HTTPError as problem:
            return type(problem).__name__, time.monotonic() - start, again
        later = answer.headers.get("retry-after")
        if answer.status_code != BUSY or later is None:
            return "" if answer.is_success else str(answer.status_code), time.monotonic() - start, again
        again += 1
        time.sleep(float(later))
    return f"no answer within {LONGEST:g} s", 0.0, again


def _count(world: World, roles: list[str], seen: Seen, done: threading.Event) -> None:
    """The sessions of these roles, again and again, over one connection of the owner's."""
    with world.database.connect() as connection:
        while True:
            found: list[dict[str, Any]] = connection.execute(_SESSIONS, (roles,)).fetchall()
            connection.commit()
            seen.looks += 1
            for row in found:
                role = str(row["role"])
                seen.sessions[role] = max(seen.sessions.get(role, 0), int(row["sessions"]))
            if done.wait(LOOK_EVERY):
                return
