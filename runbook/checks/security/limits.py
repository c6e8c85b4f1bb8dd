"""What containers may use: asked of their manifests, and of the control groups that hold their processes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from runbook.app.application import SIDECAR
from runbook.checks.chart.quantities import quantity
from runbook.checks.security import processes
from runbook.checks.security.inside import Process
from runbook.checks.security.processes import Container
from runbook.engine.step import Outcome

if TYPE_CHECKING:
    from runbook.world import World

NEEDED = ("cpu", "memory", "ephemeral-storage")
PAGE = 4096
"""The kernel rounds memory down to whole pages."""

CLOSE = Decimal("0.001")
"""A quota is written in whole microseconds."""

INJECTED = frozenset({SIDECAR})
"""Its injector has no annotation for ephemeral storage."""


def as_declared(world: World) -> Outcome:
    """Every container declares what it asks for and may use, and its control group holds it to exactly that.

    An ephemeral container cannot declare any: it is counted, and lives within the limits of its pod.

    Source: T075.
    """
    containers = processes.of_namespace(world)
    seen = processes.look(world, containers)
    problems = [problem for each in containers for problem in _undeclared(each)]
    for container in containers:
        process = seen.get(container.title)
        if isinstance(process, Process):
            problems += _other_limit(container, process)
    return processes.judge(
        containers,
        seen,
        problems,
        observed="requests and limits for cpu, memory and ephemeral storage, each control group set to its limit",
        wanted=f"requests and limits for {', '.join(NEEDED)}, and a control group set to them",
        hint=f"kubectl --namespace {world.settings.namespace} describe pods",
    )


def _declared(container: Container, kind: str) -> dict[str, Any]:
    return dict((container.spec.get("resources") or {}).get(kind) or {})


def _undeclared(container: Container) -> list[str]:
    if container.role == "ephemeral":
        return []
    spared = {"ephemeral-storage"} if container.spec["name"] in INJECTED else set()
    return [
        f"{container.title} has no {kind} for {name}"
        for kind in ("requests", "limits")
        for name in NEEDED
        if name not in spared and not _declared(container, kind).get(name)
    ]


def _other_limit(container: Container, process: Process) -> list[str]:
    """Where the control group holds the process to something else than what is declared."""
    limits = _declared(container, "limits")
    problems = []
    if limits.get("memory"):
        memory = quantity(limits["memory"])
        if not memory - PAGE < process.memory <= memory:
            problems.append(f"its control group allows {process.memory} bytes, not {limits['memory']}")
    if limits.get("cpu") and abs(process.cpus - quantity(limits["cpu"])) > CLOSE:
        problems.append(f"its control group allows {process.cpus} processors, not {limits['cpu']}")
    return [f"{container.title}: {problem}" for problem in problems]
