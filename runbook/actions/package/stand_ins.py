"""PostgreSQL and the model in the place of services outside; skipped where real ones are given or nothing changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from runbook.actions.cluster import rollout
from runbook.actions.package.helm_release import install
from runbook.app import blueprint
from runbook.app.release_state import is_current

if TYPE_CHECKING:
    from runbook.app.blueprint import Blueprint
    from runbook.world import World


def ensure(world: World) -> None:
    """Install or upgrade the stand-ins that are wanted, at the same time, and wait until they are ready."""
    wanted = blueprint.stand_ins(world)
    if not wanted:
        return
    with ThreadPoolExecutor(len(wanted)) as pool:
        list(pool.map(lambda each: _ensure(world, each), wanted))


def _ensure(world: World, wanted: Blueprint) -> None:
    if not is_current(world, wanted):
        world.progress(f"installing {wanted.release} in namespace {wanted.namespace}")
        install(world, wanted)
    rollout.settle(world, wanted.namespace, names=(wanted.release,), timeout=world.settings.ready_timeout)
