"""Waiting until workloads are rolled out, by watch: ready at the event, or given up as soon as it is hopeless."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runbook.clients.kube import workloads
from runbook.clients.kube.diagnosis import why
from runbook.clients.kube.readiness import FirstReady
from runbook.engine.errors import TimedOut
from runbook.engine.waiting import Hopeless, NotYet, Sight, Subject, watching

if TYPE_CHECKING:
    from runbook.world import World

Object = Mapping[str, Any]

RESTARTED = "todo.runbook/restarted"
"""Annotation of a pod template: when it was last rolled."""

PATIENCE = 20.0
"""Seconds that an image may be pulled in vain before that counts as hopeless."""

TOLERATED_RESTARTS = 3
"""A container that crashed more often than this will crash again."""


def restart(world: World, namespace: str, names: Sequence[str], kind: str = "Deployment") -> None:
    """Recreate the pods of these Deployments (or StatefulSets), as `kubectl rollout restart` does. Does not wait."""
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds")

    def roll(name: str) -> None:
        world.api.apply(
            {
                "apiVersion": "apps/v1",
                "kind": kind,
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"template": {"metadata": {"annotations": {RESTARTED: stamp}}}},
            }
        )

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(roll, names))


def settle(world: World, namespace: str, *, labels: str = "", names: Sequence[str], timeout: float) -> None:
    """Wait until these Deployments and StatefulSets run their newest template with all pods ready.

    Raises `TimedOut` or `Hopeless` with the nearest cause: condition, last event, container state and last log lines.
    """
    pods = Subject("Pod", namespace, labels)
    deployments = Subject("Deployment", namespace, labels)
    sets = Subject("StatefulSet", namespace, labels)
    began = time.monotonic()
    last: list[Object] = []

    def judge(sight: Sight) -> None:
        last[:] = [each for each in sight[pods] if not workloads.finished(each)]
        _judge(names, last, [*sight[deployments], *sight[sets]], time.monotonic() - began)

    try:
        watching(
            world.api,
            (pods, deployments, sets),
            judge,
            timeout=timeout,
            wanted=f"{', '.join(names)} ready within {timeout:g} s",
            hint=f"kubectl -n {namespace} get pods,events",
            progress=world.progress,
            stopping=world.stopping,
        )
    except (TimedOut, Hopeless) as problem:
        causes = [why(world.api, pod) for pod in last if workloads.pod_problem(pod)]
        observed = workloads.describe([problem.observed, *causes])
        raise type(problem)(observed, wanted=problem.wanted, hint=problem.hint) from None
    FirstReady(world.settings).seconds(last)


def _judge(names: Sequence[str], pods: Sequence[Object], owners: Sequence[Object], waited: float) -> None:
    """Raises `NotYet` or `Hopeless` with the reasons; returns when all is rolled out."""
    missing = sorted(set(names) - {workloads.name(each) for each in owners})
    problems = [f"{name} is not there yet" for name in missing]
    problems += [workloads.rollout_problem(each) for each in owners]
    current = [pod for pod in pods if not workloads.terminating(pod)]
    problems += [workloads.pod_problem(pod) for pod in current]
    lost = [pod for pod in current if _lost(pod, waited)]
    if lost:
        raise Hopeless(
            workloads.describe([workloads.pod_problem(pod) for pod in lost]),
            wanted=f"{', '.join(names)} ready",
            hint=f"kubectl -n {lost[0]['metadata']['namespace']} describe pod {workloads.name(lost[0])}",
        )
    if text := workloads.describe(problems):
        raise NotYet(text)


def _lost(pod: Object, waited: float) -> bool:
    reasons = workloads.waiting_reasons(pod)
    if reasons & workloads.HOPELESS:
        return True
    if "CrashLoopBackOff" in reasons:
        return workloads.restarts(pod) >= TOLERATED_RESTARTS
    return bool(reasons & workloads.STUBBORN) and waited > PATIENCE


def still_there(world: World, names: Sequence[str]) -> list[str]:
    """Which of these namespaces are not gone yet."""
    return [name for name in names if world.api.get("Namespace", name) is not None]


def gone(world: World, names: Sequence[str], *, timeout: float) -> None:
    """Wait until these namespaces are gone. Raises `TimedOut` with what holds them."""
    subject = Subject("Namespace")

    def judge(sight: Sight) -> None:
        there = [each for each in sight[subject] if workloads.name(each) in names]
        if there:
            raise NotYet(workloads.describe([_held_by(each) for each in there]))

    if still_there(world, names):
        watching(
            world.api,
            (subject,),
            judge,
            timeout=timeout,
            wanted=f"namespaces {', '.join(names)} gone within {timeout:g} s",
            hint="kubectl get namespaces",
            progress=world.progress,
            stopping=world.stopping,
        )


def _held_by(namespace: Object) -> str:
    remaining = [
        str(each.get("message", ""))
        for each in (namespace.get("status") or {}).get("conditions") or []
        if each.get("status") == "True"
    ]
    return f"namespace {workloads.name(namespace)} is being deleted {' '.join(remaining)}".strip()
