"""One install: the objects of every sub-chart are there, as the release says them, and belong to it alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from runbook.app import blueprint
from runbook.app.application import COMPONENTS, REDIS
from runbook.app.drift import differences
from runbook.clients.kube import workloads
from runbook.clients.kube.kinds import full_name
from runbook.clients.kube.releases import revisions
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

NAME = "app.kubernetes.io/name"
OWNER = ("meta.helm.sh/release-name", "meta.helm.sh/release-namespace")
"""Annotations by which Helm knows what is its own."""

WORKLOADS = {REDIS: "StatefulSet"}
"""What runs a sub-chart, where it is no Deployment."""


def deployed(world: World) -> Outcome:
    """The live revision holds the objects of each sub-chart; each is there, unchanged, and owned by this one release.

    Source: T104.
    """
    settings = world.settings
    space = settings.namespace
    parts = [each.name for each in COMPONENTS] + ([REDIS] if blueprint.mode(world).redis else [])
    wanted = f"objects of {', '.join(parts)}, each live, as the release says, and of release {settings.release} alone"
    hint = f"helm get manifest {settings.release} --namespace {space}"
    good = [each for each in revisions(world.api, settings.release, space) if each.status == "deployed"]
    if not good:
        return failed(f"no revision of {settings.release} is deployed", wanted=wanted, hint="inv deploy")
    manifest = good[-1].manifest()
    counts = Counter(_part(each) for each in manifest)
    held = {(_part(each), str(each["kind"])) for each in manifest}
    problems = [
        f"the release holds no {kind} of {part}"
        for part in parts
        for kind in (WORKLOADS.get(part, "Deployment"), "Service", "ServiceAccount", "NetworkPolicy")
        if (part, kind) not in held
    ]
    problems += differences(world.api, manifest, space)
    problems += _foreign(world, manifest)
    if problems:
        return failed("; ".join(dict.fromkeys(problems)), wanted=wanted, hint=hint)
    return passed(
        f"revision {good[-1].revision} made {', '.join(f'{counts[part]} objects of {part}' for part in parts)};"
        " all are there and its own",
        wanted=wanted,
        objects=dict(counts),
    )


def _part(thing: dict[str, Any]) -> str:
    return str((thing["metadata"].get("labels") or {}).get(NAME, ""))


def _foreign(world: World, manifest: list[dict[str, Any]]) -> list[str]:
    """Objects of the manifest that live belong to another release, or to none."""
    settings = world.settings
    own = (settings.release, settings.namespace)
    live = {
        kind: {workloads.name(each): each for each in world.api.list(kind, settings.namespace)}
        for kind in {full_name(each) for each in manifest}
    }
    problems = []
    for each in manifest:
        there = live[full_name(each)].get(workloads.name(each))
        if there is None:
            continue  # told as a difference
        annotations = there["metadata"].get("annotations") or {}
        if (owner := tuple(annotations.get(key, "nobody") for key in OWNER)) != own:
            problems.append(
                f"{each['kind']} {workloads.name(each)} belongs to release {'/'.join(reversed(owner))}"
            )
    return problems
