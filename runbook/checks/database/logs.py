"""The logs: the backend's tells of its connection to PostgreSQL, and no log tells a secret."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from runbook.app.application import BACKEND, DATABASE_NAMESPACE
from runbook.app.sidecars import application_pods
from runbook.checks.database import dialling
from runbook.checks.images.contents import of_this_run
from runbook.clients.kube import workloads
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Outcome, failed, passed, unproven

if TYPE_CHECKING:
    from runbook.world import World

CONNECTED, RETRY, UNAVAILABLE = "database_connected", "database_retry", "database_unavailable"
LATE = 60.0
"""Seconds after a container's start in which its log must begin; one that begins later was cut."""


def tells(world: World) -> Outcome:
    """Each pod of the backend logged a connection with its TLS version; in no log of the application is a secret found.

    Searched for are the values of the Secrets themselves, as they are, in base64 and percent-encoded.

    Source: T113.
    """
    wanted = f"{CONNECTED} with a TLS version in the backend's log, and no secret in any"
    space = world.settings.namespace
    hint = f"kubectl --namespace {space} logs deployment/backend --container backend | grep database_"
    logs = _logs(world)
    leaks = _leaks(logs, of_this_run(world))
    if leaks:
        return failed(
            "; ".join(leaks),
            wanted=wanted,
            hint=f"inv verify.step T119 --drills; kubectl --namespace {space} rollout restart deployment",
        )
    told, silent, cut = [], [], []
    for pod in dialling.backend_pods(world):
        name = workloads.name(pod)
        lines = list(_parsed(logs[f"{name}/{BACKEND.name}"]))
        connections = [line for line in lines if line.get("event") == CONNECTED]
        if connections and connections[-1].get("tls"):
            told.append(connections[-1])
        elif connections:
            silent.append(f"pod {name} logged a connection in plain text")
        elif _begins(pod, lines):
            silent.append(f"pod {name} logged no connection: {_attempts(lines)}")
        else:
            cut.append(f"the beginning of the log of pod {name} is gone")
    lines_read = sum(log.count("\n") for log in logs.values())
    if silent:
        return failed("; ".join(silent), wanted=wanted, hint=hint)
    if cut or not told:
        return unproven(
            "; ".join(cut) or "no log was read",
            wanted=wanted,
            hint=f"kubectl --namespace {space} rollout restart deployment/{BACKEND.name}",
        )
    last = told[-1]
    return passed(
        f"{CONNECTED} with {last['tls']}, {last['cipher']} at attempt {last['attempt']};"
        f" no secret in {lines_read} lines of {len(logs)} logs",
        wanted=wanted,
        logs=sorted(logs),
    )


def _logs(world: World) -> dict[str, str]:
    """What every container of the application and of the database wrote, by pod and container."""
    pods = application_pods(world) + world.api.list("Pod", DATABASE_NAMESPACE)
    places = [
        (workloads.name(pod), container, str(pod["metadata"].get("namespace", world.settings.namespace)))
        for pod in pods
        for container, status in workloads.containers(pod).items()
        if "running" in (status.get("state") or {})
    ]
    if not places:
        raise Unmeasurable("no container of the application runs", wanted="its logs", hint="inv deploy")
    with ThreadPoolExecutor(len(places)) as pool:
        texts = pool.map(lambda place: world.api.logs(*place), places)
        return {f"{pod}/{container}": text for (pod, container, _), text in zip(places, texts, strict=True)}


def _leaks(logs: Mapping[str, str], known: Mapping[str, bytes]) -> list[str]:
    """Where a value stands, by the name of its Secret. Raises `Unmeasurable` where there is no value to look for."""
    if not known:
        raise Unmeasurable("there is no secret to look for", wanted="the Secrets", hint="inv deploy")
    return [
        f"the log of {place} holds the value of {name}"
        for place, text in logs.items()
        for name, value in known.items()
        if any(form in text for form in _forms(value.decode()))
    ]


def _forms(value: str) -> set[str]:
    return {value, quote(value, safe=""), base64.b64encode(value.encode()).decode()}


def _attempts(lines: list[Mapping[str, Any]]) -> str:
    """What the log tells instead: how often it tried, with which pauses, and why in vain."""
    retries = {int(line["attempt"]): line for line in lines if line.get("event") == RETRY}
    ended = [line for line in lines if line.get("event") == UNAVAILABLE]
    if not retries and not ended:
        return "and no attempt"
    pauses = ", ".join(f"{retries[attempt]['pause_seconds']:g}" for attempt in sorted(retries))
    if not ended:
        return f"{len(retries)} attempts so far, pauses of {pauses} s"
    return f"{len(retries) + 1} attempts, pauses of {pauses} s, then {ended[-1].get('error', 'unknown')}"


def _begins(pod: Mapping[str, Any], lines: list[Mapping[str, Any]]) -> bool:
    """Whether the log still has its beginning."""
    running = (workloads.containers(pod)[BACKEND.name].get("state") or {}).get("running") or {}
    if not lines or not running.get("startedAt"):
        return False
    first, began = (datetime.fromisoformat(str(text)) for text in (lines[0]["time"], running["startedAt"]))
    return (first - began).total_seconds() < LATE


def _parsed(log: str) -> Iterator[Mapping[str, Any]]:
    for line in log.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "time" in entry:
            yield entry
