"""Phase 1: the project's folders and the tools it stands on."""

from __future__ import annotations

from runbook.actions import tools as toolchain
from runbook.checks import project, tools
from runbook.step import Step

STEPS = (
    Step("T001", "The project has one root folder", check=project.rooted),
    Step("T002", "Each part of the project has its own folder", check=project.has_folders, needs=("T001",)),
    Step(
        "T003",
        "The chart has a folder for each component, for security and for Dapr",
        check=project.chart_folders,
        needs=("T002",),
    ),
    Step(
        "T004",
        "Docker, or a build engine of our own, answers",
        check=tools.build_engine,
        apply=toolchain.start_engine,
    ),
    # After T004, so that the build engine does not wait for the minutes that these take where nothing is cached.
    Step(
        "T005",
        "A local Kubernetes can be started",
        check=tools.kubernetes,
        apply=toolchain.install,
        needs=("T004",),
    ),
    Step("T006", "Helm 3 or 4 is installed", check=tools.helm, apply=toolchain.install, needs=("T004",)),
    Step("T007", "kubectl is installed", check=tools.kubectl, apply=toolchain.install, needs=("T004",)),
    Step("T008", "Dapr can be installed: its CLI, or Helm in its place", check=tools.dapr, needs=("T006",)),
    Step(
        "T009", "The backend is a complete FastAPI project", check=project.complete_backend, needs=("T002",)
    ),
    Step(
        "T010", "The frontend is a complete Next.js project", check=project.complete_frontend, needs=("T002",)
    ),
    Step(
        "T011",
        "The MCP server is a complete project of its own",
        check=project.complete_mcp_server,
        needs=("T002",),
    ),
)
