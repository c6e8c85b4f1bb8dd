"""Redis, the state store behind Dapr: its password, its image, and its place in the release."""

from __future__ import annotations

import secrets as randomness
from typing import TYPE_CHECKING, Any

from runbook.actions.cluster import rollout
from runbook.actions.images import builds
from runbook.actions.package import release
from runbook.app import blueprint
from runbook.app import image_specs as sources
from runbook.app.application import REDIS, REDIS_KEY, REDIS_SECRET
from runbook.app.secrets.secret_data import opaque, read
from runbook.app.secrets.secret_values import SHORTEST
from runbook.clients.kube import workloads
from runbook.engine.redaction import conceal

if TYPE_CHECKING:
    from runbook.world import World

READY_SECONDS = 120.0
SELECTOR = f"app.kubernetes.io/name={REDIS}"


def password(world: World) -> str:
    """The one in the Secret, "" where there is none; concealed from then on."""
    return read(world, REDIS_SECRET, world.settings.namespace).get(REDIS_KEY, "")


def ensure_secret(world: World) -> None:
    """A generated password, kept from then on."""
    if secret_problem(world):
        made = randomness.token_urlsafe(SHORTEST)
        conceal(made)
        world.api.apply(opaque(REDIS_SECRET, world.settings.namespace, {REDIS_KEY: made}))


def secret_problem(world: World) -> str:
    """What is wrong with the Secret, never its value; empty when it is good."""
    there = read(world, REDIS_SECRET, world.settings.namespace)
    if not there:
        return f"there is no Secret {REDIS_SECRET} in namespace {world.settings.namespace}"
    found = there.get(REDIS_KEY, "")
    if found != found.strip():
        return f"the key {REDIS_KEY} of Secret {REDIS_SECRET} has white space around its value"
    if len(found) < SHORTEST:
        return f"the key {REDIS_KEY} of Secret {REDIS_SECRET} has less than {SHORTEST} characters"
    return ""


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


def pods(world: World) -> list[dict[str, Any]]:
    """The pods of Redis that are not being removed."""
    found = world.api.list("Pod", world.settings.namespace, labels=SELECTOR)
    return [pod for pod in found if not workloads.terminating(pod)]


def wait(world: World) -> None:
    """Until Redis is ready, by watch."""
    rollout.settle(
        world,
        world.settings.namespace,
        labels=SELECTOR,
        names=(REDIS,),
        timeout=READY_SECONDS,
    )
