"""Many people at once: sign up through the page's own way, then use tasks and chat through the ingress for a minute.

    .venv/bin/python bench/load.py                         50 people for 60 seconds on the deployed cluster
    .venv/bin/python bench/load.py --users 5 --seconds 10  a short look

Each person keeps below the application's limits for one user, so any answer but success is an error here. Prints
requests per second, times of each kind, errors, and the most connections of each role that PostgreSQL had. The
people are removed at the end. Exit code 0: no error; 1: errors; 3: could not be measured.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import secrets
import statistics
import sys
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import yaml
from rich.console import Console
from rich.table import Table

from runbook.errors import RunbookError
from runbook.settings import load
from runbook.world import World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PROJECT = Path(__file__).resolve().parents[1]
DOMAIN = "load.drill.invalid"
PAUSE = 0.25
"""Seconds between the requests of one person: below 300 a minute."""
CHAT_EVERY = 24
"""One request of so many is a message to the assistant: at most 10 a minute for each person."""
SIGNING_UP_AT_ONCE = 5
TIMEOUT = 30.0
LOOK_EVERY = 1.0
"""Seconds between two looks at PostgreSQL's connections."""

_CONNECTIONS = """SELECT usename AS role, count(*) AS connections FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename IS NOT NULL GROUP BY usename"""
_REMOVAL = 'DELETE FROM "user" WHERE email LIKE %s'


@dataclass
class Seen:
    """What the people met."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Times of the successful answers, by kind of request."""
    errors: Counter[str] = field(default_factory=Counter)
    connections: dict[str, int] = field(default_factory=dict)
    """The most that each role had at once."""
    looks: int = 0
    lasted: float = 0.0


class Person:
    """Somebody with an account of their own, and the tasks that they know of."""

    def __init__(self, address: str, host: str, seen: Seen) -> None:
        self.http = httpx.AsyncClient(
            base_url=address,
            headers={"Host": host, "Origin": f"http://{host}"},
            timeout=TIMEOUT,
            trust_env=False,
        )
        self._seen = seen
        self._tasks: list[str] = []
        self._api = ""

    async def sign_up(self) -> None:
        """Make the account. Raises `RuntimeError` where that is refused."""
        account = {
            "name": "Load",
            "email": f"{secrets.token_hex(8)}@{DOMAIN}",
            "password": secrets.token_urlsafe(18),
        }
        for _ in range(3):
            answer = await self.http.post("/api/auth/sign-up/email", json=account)
            if answer.status_code != 429:
                break
            await asyncio.sleep(int(answer.headers.get("X-Retry-After", "10")))
        if answer.status_code != 200:
            raise RuntimeError(f"signing up was answered {answer.status_code}")
        self._api = f"/api/proxy/{answer.json()['user']['id']}"

    async def live(self, until: float) -> None:
        """Ask one thing after another until the time is over."""
        await asyncio.sleep(random.random() * PAUSE)  # noqa: S311 - spreads the load, guards nothing
        while (began := time.monotonic()) < until:
            kind, act = self._next()
            await self._timed(kind, act)
            await asyncio.sleep(max(0.0, PAUSE - (time.monotonic() - began)))

    def _next(self) -> tuple[str, Callable[[], Awaitable[httpx.Response]]]:
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

    async def _timed(self, kind: str, act: Callable[[], Awaitable[httpx.Response]]) -> None:
        began = time.monotonic()
        try:
            answer = await act()
        except httpx.HTTPError as problem:
            self._seen.errors[f"{kind}: {type(problem).__name__}"] += 1
            return
        if answer.is_success:
            self._seen.seconds[kind].append(time.monotonic() - began)
        else:
            self._seen.errors[f"{kind}: {answer.status_code}"] += 1

    async def _list(self) -> httpx.Response:
        query = random.choice([{}, {"status": "pending"}, {"sort": "due"}, {"search": "milk"}])  # noqa: S311
        return await self.http.get(f"{self._api}/tasks", params=query)

    async def _create(self) -> httpx.Response:
        body = {"title": f"buy milk {secrets.token_hex(3)}", "priority": "high"}
        answer = await self.http.post(f"{self._api}/tasks", json=body)
        if answer.is_success:
            self._tasks.append(answer.json()["id"])
        return answer

    async def _complete(self) -> httpx.Response:
        return await self.http.patch(f"{self._api}/tasks/{self._tasks[-1]}/complete")

    async def _delete(self) -> httpx.Response:
        return await self.http.delete(f"{self._api}/tasks/{self._tasks.pop()}")

    async def _chat(self) -> httpx.Response:
        return await self.http.post(f"{self._api}/chat", json={"message": "show my high priority tasks"})


def watch(world: World, seen: Seen, done: threading.Event) -> None:
    """Look at PostgreSQL's connections until `done`, over one connection of the runbook's own."""
    with world.database.connect() as connection:
        while not done.wait(LOOK_EVERY):
            rows: list[dict[str, Any]] = connection.execute(_CONNECTIONS).fetchall()
            connection.commit()
            seen.looks += 1
            for row in rows:
                role = str(row["role"])
                seen.connections[role] = max(seen.connections.get(role, 0), int(row["connections"]))


async def crowd(address: str, host: str, users: int, seconds: float, seen: Seen) -> None:
    """Sign all people up, a few at a time, then let them live at once."""
    people = [Person(address, host, seen) for _ in range(users)]
    gate = asyncio.Semaphore(SIGNING_UP_AT_ONCE)

    async def enter(person: Person) -> None:
        async with gate:
            await person.sign_up()

    try:
        await asyncio.gather(*(enter(person) for person in people))
        began = time.monotonic()
        await asyncio.gather(*(person.live(began + seconds) for person in people))
        seen.lasted = time.monotonic() - began
    finally:
        await asyncio.gather(*(person.http.aclose() for person in people))


def measure(world: World, users: int, seconds: float) -> Seen:
    """Run the crowd, watch the database meanwhile, and remove the people whatever happened."""
    seen, done = Seen(), threading.Event()
    address = world.http.address()
    target = f"http://[{address}]" if ":" in address else f"http://{address}"
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch, world, seen, done)
        try:
            asyncio.run(crowd(target, world.settings.host, users, seconds, seen))
        finally:
            done.set()
            watching.result()
            world.database.query(_REMOVAL, (f"%@{DOMAIN}",))
    return seen


def table(seen: Seen) -> Table:
    """Figures of each kind of request, then of all."""
    shown = Table("request", "number", "per second", "median ms", "p95 ms", "slowest ms")
    every = [(kind, sorted(times)) for kind, times in sorted(seen.seconds.items())]
    every.append(("all", sorted(second for _, times in every for second in times)))
    for kind, times in every:
        if times:
            p95 = times[min(len(times) - 1, int(len(times) * 0.95))]
            shown.add_row(
                kind,
                str(len(times)),
                f"{len(times) / seen.lasted:.1f}",
                *(f"{each * 1000:.0f}" for each in (statistics.median(times), p95, times[-1])),
            )
    return shown


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=50, help="people at once, at most 200 (default: 50)")
    parser.add_argument("--seconds", type=float, default=60, help="at most 300 (default: 60)")
    options = parser.parse_args()
    if not (1 <= options.users <= 200 and 1 <= options.seconds <= 300):
        parser.error("wanted: 1-200 users and 1-300 seconds")
    console = Console()
    try:
        section = yaml.safe_load((PROJECT / "invoke.yaml").read_text())["runbook"]
        seen = measure(World.of(load(section)), options.users, options.seconds)
    except (RunbookError, RuntimeError, httpx.HTTPError) as problem:
        console.print(f"could not be measured: {problem}", markup=False)
        return 3
    console.print(table(seen))
    errors = ", ".join(f"{kind} x{number}" for kind, number in sorted(seen.errors.items())) or "none"
    most = ", ".join(f"{role} {number}" for role, number in sorted(seen.connections.items()))
    console.print(f"errors: {errors}", markup=False)
    console.print(f"most connections at once, in {seen.looks} looks: {most or 'not seen'}", markup=False)
    return 1 if seen.errors else 0


if __name__ == "__main__":
    sys.exit(main())
