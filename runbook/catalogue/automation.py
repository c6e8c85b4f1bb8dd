"""Phase 8: scripts and documentation for those who come after."""

from __future__ import annotations

from runbook.step import Step

STEPS = (
    Step("T120", "A script sets up the cluster", needs=("T002",)),
    Step("T121", "A script builds the images", needs=("T002",)),
    Step("T122", "A script deploys the application", needs=("T002",)),
    Step("T123", "A script removes what was made", needs=("T002",)),
    Step("T124", "The README gives an overview, the prerequisites and a quick start", needs=("T001",)),
    Step("T125", "The README helps with common trouble", needs=("T124",)),
    Step("T126", "The set-up script works on a clean machine", needs=("T120",)),
    Step("T127", "The build script's images appear in the cluster", needs=("T121",)),
    Step("T128", "The deploy script goes from nothing to verified", needs=("T122",)),
    Step("T129", "The clean-up script leaves nothing behind", needs=("T123",)),
    Step("T130", "All scripts are executable", needs=("T120", "T121", "T122", "T123")),
    Step("T131", "The scripts are under version control", needs=("T130",)),
)
