"""The backend's connection to PostgreSQL: it lives and is encrypted, plain text is refused, its role can do little."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from runbook.app.application import BACKEND
from runbook.checks.database import dialling, privileges
from runbook.checks.database.dialling import OWN, PLAIN
from runbook.clients.kube import pod_http, workloads
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Outcome, failed, passed, unproven

if TYPE_CHECKING:
    from runbook.world import World

SECONDS = 10.0
"""For an answer of /ready: it asks the database for two at most."""

ATTEMPTS = range(4, 7)
"""A first attempt, and 3 to 5 more (FR-036)."""

LONGEST = 30.0
"""Seconds that all of them may take, with their pauses."""

FIRST_PAUSE = 0.5

_SESSIONS = """
SELECT host(a.client_addr) AS address, a.usename::text AS role, s.ssl, s.version AS tls, s.cipher
FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) WHERE a.application_name = %s"""


def lives(world: World) -> Outcome:
    """Each pod of the backend says that its database answers, and the server shows its sessions, with TLS.

    The right credentials in plain text are refused, those very ones with TLS are taken; the services' roles may do what
    they need and no more; attempts to connect are repeated 3 to 5 times, and end.

    Source: T112, D-12.
    """
    wanted = "a session with TLS for every pod of the backend; plain text refused; the least rights; 3 to 5 retries"
    hint = f"kubectl --namespace {world.settings.namespace} logs deployment/backend --tail 30"
    pods = dialling.backend_pods(world)
    away = [text for pod in pods if (text := _unready(world, pod))]
    if away:
        return failed("; ".join(away), wanted=wanted, hint="inv verify.step T113")
    found = dialling.usual(world)
    own, plain = found.attempts[OWN], found.attempts[PLAIN]
    if not own.connected:
        return failed(
            f"the backend's own code cannot connect: {own.words}",
            wanted=wanted,
            hint="inv db",
        )
    sessions = _sessions(world)
    problems = [problem for pod in pods for problem in _unencrypted(pod, sessions, _inside(world))]
    if plain.connected:
        problems.append("PostgreSQL takes the backend's credentials in plain text")
    problems += _impatient(found.settings)
    excesses = privileges.excesses(world)
    # A database outside has one role for all, which its owner gave us: told, not judged.
    if _inside(world):
        problems += excesses
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=hint, sessions=sessions)
    if not plain.state:
        return unproven(
            f"the attempt in plain text ended without a word of the server: {plain.words}",
            wanted=wanted,
            hint=hint,
        )
    rights = f"WARNING: {excesses[0]} and more" if excesses else "roles have the least rights"
    return passed(
        f"{len(sessions)} sessions of {len(pods)} pods as {own.role} with {own.tls}, {own.cipher}; plain text refused"
        f" ({plain.state}); {rights}; {found.settings['database_connect_attempts']} attempts",
        wanted=wanted,
        sessions=sessions,
        excesses=excesses,
    )


def _inside(world: World) -> bool:
    """The database is the stand-in, whose roles are ours."""
    return not world.settings.database_url.get_secret_value()


def _unready(world: World, pod: dict[str, Any]) -> str:
    """Why a pod's database does not answer; empty where it does. Asking makes the process use its pool."""
    name = workloads.name(pod)
    answer = pod_http.ask(world.api, pod, BACKEND.port, "/ready", timeout=SECONDS)
    try:
        said = answer.json()["checks"]["database"]
    except (json.JSONDecodeError, KeyError, TypeError) as problem:
        raise Unmeasurable(
            f"pod {name} does not say whether it is ready: {problem!r}",
            wanted="an answer of /ready",
            hint=f"kubectl --namespace {world.settings.namespace} logs {name} --container {BACKEND.name} --tail 30",
        ) from None
    return "" if said == "ok" else f"pod {name} says of its database: {said}"


def _sessions(world: World) -> list[dict[str, Any]]:
    """The backend's, as the server shows them to the role that they are of."""
    return world.database.query(_SESSIONS, (BACKEND.app_id,), key="database-url")


def _unencrypted(pod: dict[str, Any], sessions: list[dict[str, Any]], inside: bool) -> list[str]:
    """Sessions go by the pod's address; behind a translation of addresses, by the application's name alone."""
    address = str(pod["status"].get("podIP"))
    ours = [each for each in sessions if not inside or each["address"] == address]
    if not ours:
        return [f"PostgreSQL has no session of pod {workloads.name(pod)} ({address})"]
    return [
        f"a session of pod {workloads.name(pod)} is in plain text"
        for each in ours
        # A proxy in front of a server outside ends TLS itself; the backend's end of it is looked at by T110.
        if inside and not each["ssl"]
    ]


def _impatient(settings: Any) -> list[str]:
    """How the process's own attempts to connect are bounded."""
    attempts = int(settings["database_connect_attempts"])
    pauses = [
        min(FIRST_PAUSE * 2**number, float(settings["database_retry_max_wait"]))
        for number in range(attempts - 1)
    ]
    longest = attempts * float(settings["database_connect_timeout"]) + sum(pauses)
    problems = [] if attempts in ATTEMPTS else [f"the backend tries {attempts} times to connect, not 4 to 6"]
    if longest > LONGEST:
        problems.append(f"its attempts to connect may take {longest:g} s, more than {LONGEST:g}")
    return problems
