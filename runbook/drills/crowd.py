"""Many requests of a few people at once, through this machine's ingress; PostgreSQL's sessions are counted."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runbook.drills.conversation import remove_people
from runbook.drills.person import Person

if TYPE_CHECKING:
    from runbook.world import World

PEOPLE = 4
REQUESTS = 240
"""In all: 60 of each person, well below the limit of 300 a minute."""
AT_ONCE = 40
LONGEST = 60.0
"""Seconds after which no further request is begun."""
LOOK_EVERY = 0.1
WRITE_EVERY = 6
"""One request of so many makes a task; the others list them."""

_SESSIONS = """SELECT usename::text AS role, count(*)::int AS sessions FROM pg_stat_activity
WHERE usename = ANY(%s) GROUP BY 1"""


@dataclass
class Seen:
    answered: int = 0
    errors: Counter[str] = field(default_factory=Counter)
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
                        problem, seconds = answer.result()
                        seen.seconds.append(seconds)
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


def _ask(person: Person, number: int, began: float) -> tuple[str, float]:
    """What went wrong, or nothing; and how long it took."""
    import httpx

    start = time.monotonic()
    if start - began > LONGEST:
        return f"not asked within {LONGEST:g} s", 0.0
    try:
        if number % WRITE_EVERY:
            answer = person.ask("GET", "/tasks")
        else:
            answer = person.ask("POST", "/tasks", json={"title": f"one of many {number}"})
    except httpx.HTTPError as problem:
        return type(problem).__name__, time.monotonic() - start
    return "" if answer.is_success else str(answer.status_code), time.monotonic() - start


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
