"""Many people at once: sign up through the page's own way, then use tasks and chat through the ingress for a minute.

    .venv/bin/python bench/load.py                         50 people for 60 seconds on the deployed cluster
    .venv/bin/python bench/load.py --users 5 --seconds 10  a short look

Each person keeps below the application's limits for one user, so any answer but success is an error here. Prints
requests per second, times of each kind, errors, and the most connections of each role that PostgreSQL had. The
people are removed at the end. Exit code 0: no error; 1: errors; 3: could not be measured.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from runbook.engine.errors import RunbookError
from runbook.engine.settings import load as settings_of
from runbook.probes import load, users
from runbook.probes.load import LoadResult, Sessions
from runbook.world import World

PROJECT = Path(__file__).resolve().parents[1]
LOOK_EVERY = 1.0
"""Seconds between two looks at PostgreSQL's connections."""


def measure(world: World, size: int, seconds: float) -> tuple[LoadResult, Sessions]:
    """Let the people work, and watch the database meanwhile."""
    with load.sessions_counted(world, every=LOOK_EVERY) as sessions, users.at_work(world, size) as seen:
        time.sleep(seconds)
    return seen, sessions


def table(seen: LoadResult) -> Table:
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
        seen, connections = measure(World.of(settings_of(section)), options.users, options.seconds)
    except RunbookError as problem:
        console.print(f"could not be measured: {problem}", markup=False)
        return 3
    console.print(table(seen))
    errors = ", ".join(f"{kind} x{number}" for kind, number in sorted(seen.errors.items())) or "none"
    most = ", ".join(f"{role} {number}" for role, number in sorted(connections.most.items()))
    console.print(f"errors: {errors}", markup=False)
    console.print(
        f"most connections at once, in {connections.looks} looks: {most or 'not seen'}", markup=False
    )
    return 1 if seen.errors else 0


if __name__ == "__main__":
    sys.exit(main())
