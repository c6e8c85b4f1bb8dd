"""The cluster brought up, and remembered as ours where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.ownership.ledger import Ledger

if TYPE_CHECKING:
    from runbook.world import World

KIND = "cluster"
EXISTING = "existing"
"""The provider of clusters that are never ours."""


def up(world: World) -> None:
    """Bring the cluster to Ready, or repair it; one that was not there before is ours to remove.

    Source: T043.
    """
    cluster = world.cluster
    before = cluster.status()
    if cluster.provider != EXISTING and not before.running and not before.parts:
        Ledger(world.settings).add(KIND, cluster.name)
    cluster.up(world.progress)


def serve_ingress(world: World) -> None:
    """Make an ingress controller serve class nginx.

    Source: T044.
    """
    world.api.guard()
    world.cluster.enable_ingress(world.progress)
