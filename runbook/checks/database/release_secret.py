"""The release stands on the Secret as it is now: its record says so, and so does every pod of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from runbook.app.application import SECRET
from runbook.app.blueprint import MADE_FROM
from runbook.app.secrets import secret_data
from runbook.app.sidecars import application_pods
from runbook.checks.cluster import deployed
from runbook.clients.kube import workloads
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World


def current(world: World) -> Outcome:
    """The release is current, and each running pod was made from the Secret's present content.

    By a keyed hash in the pod's annotation: a variable of a running pod never follows its Secret.

    Source: T111.
    """
    wanted = f"the release current, and every pod made from Secret {SECRET} as it is now"
    outcome = deployed.current(world)
    if not outcome.green:
        return replace(outcome, wanted=wanted)
    present = secret_data.digest(world, SECRET, world.settings.namespace)
    pods = application_pods(world)
    stale = [
        f"pod {workloads.name(pod)} was made from another content of Secret {SECRET}"
        for pod in pods
        if (pod["metadata"].get("annotations") or {}).get(MADE_FROM) != present
    ]
    if stale:
        return failed("; ".join(stale), wanted=wanted, hint="inv deploy", **outcome.evidence)
    return passed(
        f"{outcome.observed}; {len(pods)} pods made from Secret {SECRET} as it is now ({present[:12]})",
        wanted=wanted,
        **outcome.evidence,
    )
