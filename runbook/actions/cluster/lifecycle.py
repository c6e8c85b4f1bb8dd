"""The cluster brought up; its provider writes down what it made."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runbook.world import World


def up(world: World) -> None:
    """Bring the cluster to Ready, or repair it.

    Source: T043.
    """
    world.cluster.up(world.progress)


def serve_ingress(world: World) -> None:
    """Make an ingress controller serve class nginx.

    Source: T044.
    """
    world.api.guard()
    world.cluster.enable_ingress(world.progress)
