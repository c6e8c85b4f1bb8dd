"""One Helm release brought to its blueprint: nothing written when it is there, repaired when Helm was killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.app.release_state import DEPLOYED
from runbook.clients.kube.releases import DIGEST_LABEL, revisions
from runbook.engine.errors import CommandFailed, RunbookError

if TYPE_CHECKING:
    from runbook.app.blueprint import Blueprint
    from runbook.world import World

HOOKS = 180.0
"""Seconds for the hooks of a release: the migrations."""


def install(world: World, wanted: Blueprint) -> None:
    """Install or upgrade, after repairing what a killed Helm left. Does not wait for readiness.

    Raises `CommandFailed` with Helm's reason.
    """
    world.api.guard()
    repair(world, wanted.release, wanted.namespace)
    world.helm.upgrade(
        wanted.release,
        wanted.chart,
        wanted.namespace,
        values=wanted.values,
        labels={DIGEST_LABEL: wanted.digest},
        timeout=HOOKS,
    )


def repair(world: World, release: str, namespace: str) -> None:
    """Take a release out of a pending state, which a killed Helm leaves for ever. No other run is at work: runs lock.

    A first install is removed; an upgrade goes back to the last revision that was deployed.
    """
    kept = revisions(world.api, release, namespace)
    if not kept or not kept[-1].pending:
        return
    world.progress(f"repairing release {release}: revision {kept[-1].revision} is {kept[-1].status}")
    good = [each.revision for each in kept if each.status in {DEPLOYED, "superseded"}]
    if good:
        world.helm.rollback(release, good[-1], namespace)
    else:
        world.helm.uninstall(release, namespace)


def go_back(world: World, wanted: Blueprint) -> str:
    """After a failed rollout: return to the last revision that was deployed before. Says what was done."""
    kept = revisions(world.api, wanted.release, wanted.namespace)
    before = [each for each in kept[:-1] if each.status in {DEPLOYED, "superseded"}]
    if not before:
        return "there is no earlier revision to go back to; the failed one stays for inspection"
    try:
        world.helm.rollback(wanted.release, before[-1].revision, wanted.namespace)
    except (CommandFailed, RunbookError) as problem:
        return f"going back to revision {before[-1].revision} failed too: {problem.observed}"
    return f"went back to revision {before[-1].revision}"
