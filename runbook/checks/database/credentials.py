"""Credentials rotated under a person who goes on working: the new ones in use, the old ones refused, nothing lost."""

from __future__ import annotations

import hashlib
import secrets as randomness
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runbook.actions.database import rotation
from runbook.actions.database.rotation import Rotation
from runbook.app.application import BACKEND, FRONTEND, MCP_SERVER, SECRET
from runbook.app.secrets import secret_data
from runbook.checks.cluster.pods import fingerprint
from runbook.checks.database import dialling
from runbook.checks.database.dialling import Dialled
from runbook.engine.step import Outcome, failed, passed, unproven
from runbook.probes import rows
from runbook.probes.conversation import remove_people
from runbook.probes.person import Person
from runbook.probes.traffic import Traffic, going_on, starved

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

    A drill that ends with other credentials than it began with; one that was killed is gone on with.

    Source: T119.
    """
    wanted = "the new roles in use, the old ones refused (28P01 or 28000), no request failed, no row changed"
    hint = "inv verify.step T119 --drills, which goes on where it stood"
    began, nonce = time.monotonic(), randomness.token_hex(4)
    since = datetime.now(UTC).replace(microsecond=0)
    turned = rotation.begin(world)
    old = rotation.old_urls(world, turned)
    try:
        with Person(world) as person:
            rows.store(person, f"before the rotation {nonce}")
            before = rows.of_person(world, nonce)
            with going_on(person) as traffic:
                for stage in rotation.STAGES:
                    stage(world, turned)
            after = rows.of_person(world, nonce)
        with Person(world) as newcomer:
            said = newcomer.say("Add a task to buy medlars").status_code
    finally:
        left = remove_people(world)
    world.clients.memory.forget()
    pod = dialling.backend_pods(world)[0]
    attempts = {"new": {}, **{f"old {key}": {"url": url} for key, url in old.items()}}
    found = dialling.dial(world, pod, attempts)
    sessions = _sessions(world)
    problems = _problems(turned, found.attempts, sessions)
    problems += rows.differences(before, after)
    if said != 200:
        problems.append(f"a newcomer's message was answered {said}")
    evidence = {
        "from": dict(turned.old),
        "to": dict(turned.new),
        "resumed": turned.resumed,
        "requests": traffic.asked,
        "failures": dict(traffic.failures),
        "sessions": sessions,
    }
    if not problems and traffic.failures and (busy := starved(world, since)):
        return unproven(
            f"{_lost(traffic)}, while the node was too busy for {', '.join(busy)} to answer its probes",
            wanted=wanted,
            hint=hint,
            **evidence,
        )
    if traffic.failures:
        problems.append(_lost(traffic))
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=hint, **evidence)
    if not before or not old:
        return unproven("there was nothing to compare with", wanted=wanted, hint=hint, **evidence)
    own = found.attempts["new"]
    states = ", ".join(sorted({each.state for name, each in found.attempts.items() if name != "new"}))
    return passed(
        f"{'resumed: ' if turned.resumed else ''}{own.role} in use with {own.tls}, {len(old)} old roles refused"
        f" ({states}); {traffic.asked} requests meanwhile, 0 failed, slowest {traffic.slowest:.1f} s;"
        f" {len(before)} rows as they were; {time.monotonic() - began:.0f} s{f'; not tidy: {left}' if left else ''}",
        wanted=wanted,
        **evidence,
    )


def _problems(
    turned: Rotation,
    attempts: Mapping[str, Dialled],
    sessions: Mapping[str, Mapping[str, int]],
) -> list[str]:
    own = attempts["new"]
    problems = []
    if not own.connected or own.role != turned.new["database-url"]:
        problems.append(f"the backend's own credentials: {own.words}, not as {turned.new['database-url']}")
    for name, tried in attempts.items():
        if name == "new":
            continue
        if tried.connected:
            problems.append(f"the {name} is still taken: {tried.words}")
        elif tried.state not in REFUSED:
            problems.append(f"the {name} was not refused for its credentials: {tried.words}")
    problems += [
        f"no running {application} is signed in as {turned.new[key]}"
        for key, application in APPLICATIONS.items()
        if not sessions.get(turned.new[key], {}).get(application)
    ]
    return problems


def _lost(traffic: Traffic) -> str:
    return "; ".join(
        f"{number} of {traffic.asked} requests ended with {what}" for what, number in traffic.failures.items()
    )


def _sessions(world: World) -> dict[str, dict[str, int]]:
    """For each new role the sessions of the service that it is for."""
    found: dict[str, dict[str, int]] = {}
    for key, application in APPLICATIONS.items():
        for row in world.database.query(_SESSIONS, (application,), key=key):
            found.setdefault(str(row["role"]), {})[str(row["application"])] = int(row["sessions"])
    return found
