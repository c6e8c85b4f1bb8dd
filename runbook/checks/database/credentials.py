"""Credentials rotated under a person who goes on working: the new ones in use, the old ones refused, nothing lost."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from runbook.app.application import BACKEND, FRONTEND, MCP_SERVER, SECRET
from runbook.app.secrets import secret_data
from runbook.checks.cluster.pods import fingerprint
from runbook.checks.database import dialling
from runbook.checks.database.dialling import Dialled
from runbook.engine.step import Outcome, failed, passed, unproven
from runbook.probes import rotating, rows
from runbook.probes.load import LoadResult

if TYPE_CHECKING:
    from runbook.world import World

REFUSED = ("28P01", "28000")
"""A wrong password, and a role that may not sign in."""

APPLICATIONS = {
    "database-url": BACKEND.app_id,
    "frontend-database-url": FRONTEND.app_id,
    "mcp-database-url": MCP_SERVER.app_id,
}
"""The names under which the services show themselves to the server."""

_SESSIONS = """SELECT application_name AS application, usename::text AS role, count(*)::int AS sessions
FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid() AND application_name = %s
GROUP BY 1, 2"""


def identity(world: World) -> str:
    """What the proof stands on: the application, and the very credentials that were rotated to."""
    parts = [
        fingerprint(world),
        secret_data.digest(world, SECRET, world.settings.namespace),
        secret_data.rotating(world),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def in_use(world: World) -> Outcome:
    """New credentials are let in, put into the Secret, taken up by a rolling restart; then the old ones are refused.

    Asked of the server: under which role the running processes are signed in. Tried from the backend's container, in
    one go: the new credentials are taken, the old ones not. Meanwhile a person works, and none of their requests fails;
    afterwards every row of theirs is as it was, and a newcomer finds every service at work.

    A drill that ends with other credentials than it began with; an interrupted one is resumed.

    Source: T119.
    """
    wanted = "the new roles in use, the old ones refused (28P01 or 28000), no request failed, no row changed"
    hint = "inv verify.step T119 --drills, which goes on where it stood"
    began = time.monotonic()
    seen = rotating.rotate(world)
    pod = dialling.backend_pods(world)[0]
    attempts = {"new": {}, **{f"old {key}": {"url": url} for key, url in seen.old_urls.items()}}
    found = dialling.dial(world, pod, attempts)
    sessions = _sessions(world)
    problems = _problems(seen.new, found.attempts, sessions)
    problems += rows.differences(seen.rows_before, seen.rows_after)
    if seen.newcomer_status != 200:
        problems.append(f"a newcomer's message was answered {seen.newcomer_status}")
    evidence = {
        "from": dict(seen.old),
        "to": dict(seen.new),
        "resumed": seen.resumed,
        "requests": seen.load.made,
        "failures": dict(seen.load.errors),
        "sessions": sessions,
    }
    if not problems and seen.load.failures and seen.starved:
        return unproven(
            f"{_lost(seen.load)}, while the node was too busy for {', '.join(seen.starved)} to answer its probes",
            wanted=wanted,
            hint=hint,
            **evidence,
        )
    if seen.load.failures:
        problems.append(_lost(seen.load))
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=hint, **evidence)
    if not seen.rows_before or not seen.old_urls:
        return unproven("there was nothing to compare with", wanted=wanted, hint=hint, **evidence)
    own = found.attempts["new"]
    states = ", ".join(sorted({each.state for name, each in found.attempts.items() if name != "new"}))
    return passed(
        f"{'resumed: ' if seen.resumed else ''}{own.role} in use with {own.tls}, {len(seen.old_urls)} old roles refused"
        f" ({states}); {seen.load.made} requests meanwhile, 0 failed, slowest {seen.load.slowest:.1f} s;"
        f" {len(seen.rows_before)} rows as they were; {time.monotonic() - began:.0f} s"
        f"{f'; not cleaned up: {seen.left}' if seen.left else ''}",
        wanted=wanted,
        **evidence,
    )


def _problems(
    new: Mapping[str, str],
    attempts: Mapping[str, Dialled],
    sessions: Mapping[str, Mapping[str, int]],
) -> list[str]:
    own = attempts["new"]
    problems = []
    if not own.connected or own.role != new["database-url"]:
        problems.append(f"the backend's own credentials: {own.words}, not as {new['database-url']}")
    for name, tried in attempts.items():
        if name == "new":
            continue
        if tried.connected:
            problems.append(f"the {name} is still taken: {tried.words}")
        elif tried.state not in REFUSED:
            problems.append(f"the {name} was not refused for its credentials: {tried.words}")
    problems += [
        f"no running {application} is signed in as {new[key]}"
        for key, application in APPLICATIONS.items()
        if not sessions.get(new[key], {}).get(application)
    ]
    return problems


def _lost(load: LoadResult) -> str:
    return "; ".join(
        f"{number} of {load.made} requests ended with {what}" for what, number in load.errors.items()
    )


def _sessions(world: World) -> dict[str, dict[str, int]]:
    """For each new role the sessions of the service that it is for."""
    found: dict[str, dict[str, int]] = {}
    for key, application in APPLICATIONS.items():
        for row in world.database.query(_SESSIONS, (application,), key=key):
            found.setdefault(str(row["role"]), {})[str(row["application"])] = int(row["sessions"])
    return found
