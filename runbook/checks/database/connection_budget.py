"""How many connections to PostgreSQL the application may open, by its own settings, and how many the server has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runbook.app.application import BACKEND, COMPONENTS, FRONTEND, MCP_SERVER
from runbook.app.blueprint import chart_of
from runbook.app.sidecars import application_pods
from runbook.checks.chart.rendering import DIRECT, render, variants
from runbook.checks.database import dialling
from runbook.clients.kube import workloads
from runbook.engine.errors import Unmeasurable
from runbook.engine.redaction import redact

if TYPE_CHECKING:
    from runbook.world import World

FRONTEND_POOL = 5
"""`CONNECTIONS` of frontend/src/server/database.ts: a constant of the program, which no setting changes."""

JOBS = 1
"""The migration, by one connection."""

OURS = 5
"""The runbook's own, at the most."""

DEVELOPMENT = range(10, 21)
"""Connections of the application with one replica each (FR-034)."""

_POOL = "from todo_mcp_server.config import Settings; print(Settings().database_pool_size)"

_LIMITS = """SELECT current_setting('max_connections')::int AS most,
    coalesce(current_setting('superuser_reserved_connections', true), '0')::int
    + coalesce(current_setting('reserved_connections', true), '0')::int AS reserved"""


@dataclass(frozen=True, slots=True)
class Budget:
    pools: Mapping[str, int]
    """The most that one process of each component opens."""
    replicas: Mapping[str, int]
    surge: Mapping[str, int]
    """Pods more than replicas while a release rolls."""
    limit: int
    """What the server has for everybody but its administrators."""

    def of(self, component: str) -> int:
        """All replicas of a component."""
        return self.pools[component] * self.replicas[component]

    @property
    def steady(self) -> int:
        return sum(self.of(component) for component in self.pools)

    @property
    def most(self) -> int:
        """While a release rolls, its migration runs and the runbook looks on."""
        rolling = sum(self.pools[each] * (self.replicas[each] + self.surge[each]) for each in self.pools)
        return rolling + JOBS + OURS


def live(world: World) -> Budget:
    """By the running processes' own settings and the live Deployments. Raises `Unmeasurable` where one does not say."""
    settings = dialling.usual(world).settings
    pools = {
        FRONTEND.name: FRONTEND_POOL,
        BACKEND.name: int(settings["database_pool_size"]) + int(settings["database_max_overflow"]),
        MCP_SERVER.name: _pool_of_mcp_server(world),
    }
    found = {
        component.name: world.api.get("Deployment", component.name, world.settings.namespace)
        for component in COMPONENTS
    }
    if missing := [name for name, deployment in found.items() if deployment is None]:
        raise Unmeasurable(f"there is no Deployment {', '.join(missing)}", hint="inv deploy")
    replicas = {name: int(each["spec"].get("replicas", 1)) for name, each in found.items() if each}
    surge = {name: _surge(each) for name, each in found.items() if each}
    row = world.database.query(_LIMITS)[0]
    return Budget(pools, replicas, surge, int(row["most"]) - int(row["reserved"]))


def as_rendered(world: World, pools: Mapping[str, int]) -> dict[str, int]:
    """The most for each values file of the chart, with the same pools."""
    found = {}
    for title, values in variants(chart_of(world), DIRECT):
        deployments = {
            each["metadata"]["name"]: each
            for each in render(world, title, values)
            if each["kind"] == "Deployment"
        }
        replicas = {name: int(deployments[name]["spec"].get("replicas", 1)) for name in pools}
        surge = {name: _surge(deployments[name]) for name in pools}
        found[title] = Budget(pools, replicas, surge, 0).most
    return found


def _surge(deployment: Mapping[str, Any]) -> int:
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    surge = rolling.get("maxSurge", 1)
    return surge if isinstance(surge, int) else int(deployment["spec"].get("replicas", 1))


def _pool_of_mcp_server(world: World) -> int:
    for pod in application_pods(world):
        if workloads.component(pod) == MCP_SERVER.name and not workloads.pod_problem(pod):
            said = world.api.exec(
                workloads.name(pod), MCP_SERVER.name, ["python3", "-I", "-c", _POOL], world.settings.namespace
            )
            if said.stdout.strip().isdigit():
                return int(said.stdout)
            raise Unmeasurable(
                f"the MCP server does not say how large its pool is: {redact(said.stderr)[-200:]}"
            )
    raise Unmeasurable("the MCP server has no running pod", hint="inv verify.step T049")
