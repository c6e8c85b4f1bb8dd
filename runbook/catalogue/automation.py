"""Phase 8: scripts and documentation for those who come after.

The drills try the scripts on a cluster of their own, which begins with nothing and is gone at the end.
"""

from __future__ import annotations

from runbook.checks.automation import readme, scripted, scripts
from runbook.engine.step import Check, Step


def _tried(step_id: str, title: str, check: Check, *needs: str) -> Step:
    return Step(
        step_id,
        title,
        check=check,
        needs=needs,
        drill=True,
        fingerprint=scripted.fingerprint,
        heavy=True,
    )


STEPS = (
    Step(
        "T120",
        "A script sets up the cluster",
        check=scripts.calls("setup-minikube.sh", "setup", "cluster.up", "dapr.install"),
        needs=("T002",),
    ),
    Step(
        "T121",
        "A script builds the images",
        check=scripts.calls("build-images.sh", "build", "cluster.load"),
        needs=("T002",),
    ),
    Step(
        "T122",
        "A script deploys the application",
        check=scripts.calls("deploy.sh", "deploy"),
        needs=("T002",),
    ),
    Step(
        "T123",
        "A script removes what was made",
        check=scripts.calls("cleanup.sh", "cleanup"),
        needs=("T002",),
    ),
    Step(
        "T124",
        "The README gives an overview, the prerequisites and a quick start",
        check=readme.quick_start,
        needs=("T001",),
    ),
    Step("T125", "The README helps with common trouble", check=readme.trouble, needs=("T124",)),
    _tried("T126", "The set-up script works on a clean machine", scripted.sets_up, "T120", "T123"),
    _tried("T127", "The build script's images appear in the cluster", scripted.builds, "T121", "T126"),
    _tried("T128", "The deploy script goes from nothing to verified", scripted.deploys, "T122", "T127"),
    _tried("T129", "The clean-up script leaves nothing behind", scripted.cleans_up, "T123", "T128"),
    Step(
        "T130",
        "All scripts are executable",
        check=scripts.executable,
        needs=("T120", "T121", "T122", "T123"),
    ),
    Step("T131", "The scripts are under version control", check=scripts.tracked, needs=("T130",)),
)
