"""Faults of what sidecars are limited to, and of the password of Redis outside of its Secret."""

from __future__ import annotations

import base64

from runbook.app.application import MCP_SERVER, REDIS_SECRET, SIDECAR
from runbook.checks.database import dialling
from runbook.clients.kube import workloads
from runbook.engine.settings import Settings
from runbook.faults import Group, Mutant
from runbook.faults.groups.dapr import OTHER_PASSWORD, TEMPLATE
from runbook.faults.planting import Hands, Object

PLANTED = "mutant"


def group(settings: Settings) -> Group:
    """All of them; the release differs as well meanwhile, which other steps say."""
    space = settings.namespace
    server: Object = ("Deployment", MCP_SERVER.name, space)
    password: Object = ("Secret", REDIS_SECRET, space)
    mutants = (
        Mutant(
            "another limit asked for a sidecar",
            frozenset({"T084"}),
            lambda hands: hands.patch(
                server,
                {"op": "add", "path": "/spec/paused", "value": True},
                {"op": "replace", "path": f"{TEMPLATE}/dapr.io~1sidecar-memory-limit", "value": "512Mi"},
            ),
            objects=(server,),
            cause="sidecar-memory-limit is 512Mi, not 256Mi",
        ),
        Mutant(
            "a sidecar with other limits than those that were asked for",
            frozenset({"T084"}),
            lambda hands: _resized(hands, "512Mi"),
            undo=lambda hands: _resized(hands, "256Mi"),
            cause="the sidecar of backend-.* limits memory of 512Mi, not 256Mi",
        ),
        Mutant(
            "the password of Redis in a ConfigMap",
            frozenset({"T086"}),
            lambda hands: _told(hands, password, space),
            objects=(password,),
            undo=lambda hands: hands.remove(("ConfigMap", PLANTED, space)),
            cause=f"ConfigMap {PLANTED} holds the password itself",
        ),
    )
    return Group("sidecars", ("T084", "T086"), mutants, makes=("ConfigMap",))


def _resized(hands: Hands, memory: str) -> None:
    """What an injector that ignores the annotation would do: the kubelet changes the running sidecar in place."""
    space = hands.world.settings.namespace
    for pod in dialling.backend_pods(hands.world):
        kind = (
            "containers"
            if any(each["name"] == SIDECAR for each in pod["spec"]["containers"])
            else "initContainers"
        )
        number = [each["name"] for each in pod["spec"][kind]].index(SIDECAR)
        path = f"/spec/{kind}/{number}/resources/limits/memory"
        hands.world.api.patch(
            "Pod", f"{workloads.name(pod)}/resize", space, [{"op": "replace", "path": path, "value": memory}]
        )


def _told(hands: Hands, password: Object, space: str) -> None:
    """A throw-away password in the Secret's place, which opens nothing, and the same one in a ConfigMap."""
    hands.patch(password, {"op": "replace", "path": "/data/password", "value": OTHER_PASSWORD})
    clear = base64.b64decode(OTHER_PASSWORD).decode()
    hands.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": PLANTED, "namespace": space},
            "data": {"password": clear},
        }
    )
