"""Redis, the state store behind Dapr: its pods and its password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runbook.app.application import REDIS, REDIS_KEY, REDIS_SECRET
from runbook.app.secrets.secret_data import read
from runbook.app.secrets.secret_values import SHORTEST
from runbook.clients.kube import workloads

if TYPE_CHECKING:
    from runbook.world import World

SELECTOR = f"app.kubernetes.io/name={REDIS}"


def password(world: World) -> str:
    """The one in the Secret, "" where there is none; concealed from then on."""
    return read(world, REDIS_SECRET, world.settings.namespace).get(REDIS_KEY, "")


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


def pods(world: World) -> list[dict[str, Any]]:
    """The pods of Redis that are not being removed."""
    found = world.api.list("Pod", world.settings.namespace, labels=SELECTOR)
    return [pod for pod in found if not workloads.terminating(pod)]
