"""Phase 4: least rights, locked-down containers and an isolated network (user story 2)."""

from __future__ import annotations

from runbook.actions import release
from runbook.checks import accounts, limits, pod_security
from runbook.checks import release as deployed
from runbook.step import Step

STEPS = (
    Step("T055", "The frontend has a service account of its own", needs=("T024",)),
    Step("T056", "The frontend's role allows the least there is", needs=("T055",)),
    Step("T057", "The frontend's role is bound to its service account only", needs=("T055", "T056")),
    Step("T058", "The backend has a service account of its own", needs=("T024",)),
    Step("T059", "The backend's role allows the least there is", needs=("T058",)),
    Step("T060", "The backend's role is bound to its service account only", needs=("T058", "T059")),
    Step("T061", "The MCP server has a service account of its own", needs=("T024",)),
    Step("T062", "The MCP server's role allows the least there is", needs=("T061",)),
    Step("T063", "The MCP server's role is bound to its service account only", needs=("T061", "T062")),
    Step("T064", "The frontend runs under frontend-sa", needs=("T025", "T055")),
    Step("T065", "The backend runs under backend-sa", needs=("T030", "T058")),
    Step("T066", "The MCP server runs under mcp-server-sa", needs=("T038", "T061")),
    Step("T067", "All traffic is denied unless a policy allows it", needs=("T024",)),
    Step("T068", "A policy lets the frontend reach the backend on port 8000", needs=("T067",)),
    Step("T069", "A policy lets the backend reach the MCP server on port 8080", needs=("T067",)),
    Step("T070", "A policy lets the backend reach PostgreSQL", needs=("T067",)),
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
    Step("T077", "The network policies are in force", needs=("T071",)),
    Step("T078", "Forbidden connections are refused while allowed ones work", needs=("T077",)),
)
