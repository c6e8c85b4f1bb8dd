"""Phase 1: the project's folders and the tools it stands on."""

from __future__ import annotations

from runbook.actions.tools import toolchain
from runbook.checks.project import layout
from runbook.checks.tools import installed
from runbook.engine.step import Step

STEPS = (
    Step("T001", "The project has one root folder", check=layout.rooted),
    Step("T002", "Each part of the project has its own folder", check=layout.has_folders, needs=("T001",)),
    Step(
        "T003",
        "The chart has a folder for each component, for security and for Dapr",
        check=layout.chart_folders,
        needs=("T002",),
    ),
    Step(
        "T004",
        "Docker, or a build engine of our own, answers",
        check=installed.build_engine,
        apply=toolchain.start_engine,
    ),
    Step(
        "T005",
        "A local Kubernetes can be started",
        check=installed.kubernetes,
        apply=toolchain.install,
    ),
    Step("T006", "Helm 3 or 4 is installed", check=installed.helm, apply=toolchain.install_program("helm")),
    Step("T007", "kubectl is installed", check=installed.kubectl, apply=toolchain.install_program("kubectl")),
    Step(
        "T008", "Dapr can be installed: its CLI, or Helm in its place", check=installed.dapr, needs=("T006",)
    ),
    Step("T009", "The backend is a complete FastAPI project", check=layout.complete_backend, needs=("T002",)),
    Step(
        "T010", "The frontend is a complete Next.js project", check=layout.complete_frontend, needs=("T002",)
    ),
    Step(
        "T011",
        "The MCP server is a complete project of its own",
        check=layout.complete_mcp_server,
        needs=("T002",),
    ),
)
