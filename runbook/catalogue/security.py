"""Phase 4: least rights, locked-down containers and an isolated network (user story 2)."""

from __future__ import annotations

from runbook.actions.package import release
from runbook.app.application import BACKEND, FRONTEND, MCP_SERVER
from runbook.checks.chart import chart, claims
from runbook.checks.chart.rendering import DIRECT, MESHED
from runbook.checks.cluster import deployed
from runbook.checks.network import isolation
from runbook.checks.network import network_policies as policies
from runbook.checks.security import accounts, limits, pod_security
from runbook.checks.security import rbac as access
from runbook.engine.step import Step


def _templated(step_id: str, title: str, claim: claims.Claim, *needs: str) -> Step:
    """A step that the chart fulfils, without Dapr and with it: asked as it renders, and later of the live object."""
    rendered = chart.rendered(claim, DIRECT, MESHED)
    return Step(step_id, title, check=rendered, live=chart.deployed(claim), needs=needs)


STEPS = (
    _templated(
        "T055", "The frontend has a service account of its own", access.service_account(FRONTEND), "T024"
    ),
    _templated("T056", "The frontend's role allows the least there is", access.role(FRONTEND), "T055"),
    _templated(
        "T057",
        "The frontend's role is bound to its service account only",
        access.binding(FRONTEND),
        "T055",
        "T056",
    ),
    _templated(
        "T058", "The backend has a service account of its own", access.service_account(BACKEND), "T024"
    ),
    _templated("T059", "The backend's role allows the least there is", access.role(BACKEND), "T058"),
    _templated(
        "T060",
        "The backend's role is bound to its service account only",
        access.binding(BACKEND),
        "T058",
        "T059",
    ),
    _templated(
        "T061", "The MCP server has a service account of its own", access.service_account(MCP_SERVER), "T024"
    ),
    _templated("T062", "The MCP server's role allows the least there is", access.role(MCP_SERVER), "T061"),
    _templated(
        "T063",
        "The MCP server's role is bound to its service account only",
        access.binding(MCP_SERVER),
        "T061",
        "T062",
    ),
    _templated("T064", "The frontend runs under frontend-sa", access.runs_under(FRONTEND), "T025", "T055"),
    _templated("T065", "The backend runs under backend-sa", access.runs_under(BACKEND), "T030", "T058"),
    _templated(
        "T066", "The MCP server runs under mcp-server-sa", access.runs_under(MCP_SERVER), "T038", "T061"
    ),
    _templated("T067", "All traffic is denied unless a policy allows it", policies.default_deny(), "T024"),
    _templated(
        "T068",
        "A policy lets the frontend reach the backend on port 8000",
        policies.lets(FRONTEND, BACKEND),
        "T067",
    ),
    _templated(
        "T069",
        "A policy lets the backend reach the MCP server on port 8080",
        policies.lets(BACKEND, MCP_SERVER),
        "T067",
    ),
    _templated(
        "T070",
        "A policy lets the backend reach PostgreSQL",
        policies.lets_reach_database(BACKEND),
        "T067",
    ),
    Step(
        "T071",
        "The release is upgraded to the secured chart",
        check=deployed.secured,
        apply=release.deploy,
        needs=("T048", "T057", "T060", "T063", "T064", "T065", "T066", "T068", "T069", "T070"),
    ),
    Step(
        "T072",
        "Every running container has the security context of the chart",
        check=pod_security.confined,
        needs=("T071",),
    ),
    Step(
        "T073",
        "Every application process runs as user and group 1000",
        check=pod_security.runs_as_user,
        needs=("T072",),
    ),
    Step("T074", "No container can gain privileges", check=pod_security.gains_nothing, needs=("T072",)),
    Step("T075", "Every container has its requests and limits", check=limits.as_declared, needs=("T071",)),
    Step(
        "T076",
        "The three service accounts exist and are in use",
        check=accounts.own_and_least,
        needs=("T071",),
    ),
    Step(
        "T077",
        "The network policies are in force",
        check=isolation.policies_in_force,
        needs=("T071",),
    ),
    Step(
        "T078",
        "Forbidden connections are refused while allowed ones work",
        check=isolation.isolates,
        needs=("T077",),
    ),
)
