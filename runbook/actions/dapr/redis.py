"""Redis, the state store behind Dapr: its password made, its image loaded, its place in the release taken."""

from __future__ import annotations

import secrets as randomness
from typing import TYPE_CHECKING

from runbook.actions.cluster import rollout
from runbook.actions.images import builds
from runbook.actions.package import release
from runbook.app import blueprint
from runbook.app import image_specs as sources
from runbook.app.application import REDIS, REDIS_KEY, REDIS_SECRET
from runbook.app.dapr.redis import SELECTOR, pods, secret_problem
from runbook.app.secrets.secret_data import opaque
from runbook.app.secrets.secret_values import SHORTEST
from runbook.clients.kube import workloads
from runbook.engine.redaction import conceal

if TYPE_CHECKING:
    from runbook.world import World

READY_SECONDS = 120.0


def ensure_secret(world: World) -> None:
    """A generated password, kept from then on."""
    if secret_problem(world):
        made = randomness.token_urlsafe(SHORTEST)
        conceal(made)
        world.api.apply(opaque(REDIS_SECRET, world.settings.namespace, {REDIS_KEY: made}))


def run(world: World) -> None:
    """Have Redis in the release and ready, before any sidecar looks for it."""
    ensure_secret(world)
    builds.load_into_cluster(sources.REDIS)(world)
    world.clients.memory.forget()  # the node holds another image now
    kept = blueprint.mode(world)
    broken = [pod for pod in pods(world) if workloads.pod_problem(pod)]
    release.bring(world, blueprint.Mode(redis=True, dapr=kept.dapr))
    for pod in broken:  # a StatefulSet puts no newer pod in the place of one that never became ready
        world.api.delete("Pod", workloads.name(pod), world.settings.namespace, uid=pod["metadata"]["uid"])
    wait(world)


def wait(world: World) -> None:
    """Until Redis is ready, by watch."""
    rollout.settle(
        world,
        world.settings.namespace,
        labels=SELECTOR,
        names=(REDIS,),
        timeout=READY_SECONDS,
    )
