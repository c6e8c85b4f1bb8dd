"""Phase 1: the project's folders and the tools it stands on."""

from __future__ import annotations

from runbook.step import Step

STEPS = (
    Step("T001", "The project has one root folder"),
    Step("T002", "Each part of the project has its own folder", needs=("T001",)),
    Step("T003", "The chart has a folder for each component, for security and for Dapr", needs=("T002",)),
    Step("T004", "Docker, or a build engine of our own, answers"),
    Step("T005", "A local Kubernetes can be started"),
    Step("T006", "Helm 3 or 4 is installed"),
    Step("T007", "kubectl is installed"),
    Step("T008", "Dapr can be installed: its CLI, or Helm in its place", needs=("T006",)),
    Step("T009", "The backend is a complete FastAPI project", needs=("T002",)),
    Step("T010", "The frontend is a complete Next.js project", needs=("T002",)),
    Step("T011", "The MCP server is a complete project of its own", needs=("T002",)),
)
