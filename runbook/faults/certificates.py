"""Other settings of mutual TLS, and pods recreated with them: none at all, and certificates of a minute.

Settings count when a sidecar is made, and for sentry when it starts: so both are recreated, and once more at the end.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from runbook.actions.cluster import rollout
from runbook.actions.dapr import mesh
from runbook.app.application import DAPR_NAMESPACE, SIDECAR_CALLS
from runbook.app.sidecars import application_pods, trust_anchors
from runbook.checks.dapr import mutual_tls
from runbook.clients.kube import workloads
from runbook.engine.errors import RunbookError
from runbook.engine.waiting import NotYet, eventually
from runbook.faults.planting import Hands, Object
from runbook.probes import users
from runbook.probes.dapr import flows, mtls

if TYPE_CHECKING:
    from runbook.world import World

SYSTEM: Object = ("Configuration.dapr.io", mutual_tls.SYSTEM, DAPR_NAMESPACE)
SENTRY = "dapr-sentry"
READY_SECONDS = 120.0

LIFETIME, SKEW = "1m", "5s"
"""A sidecar asks for its next certificate at half of this one's time, to which the skew belongs: so it is short too."""

PEOPLE = 3
RENEWALS = 2
EVERY = 2.0
"""Seconds between two looks at certificates and connections."""

PATIENCE = 150.0
"""Seconds until all certificates are renewed so often."""


def without_tls(hands: Hands) -> None:
    """Sidecars that were made while mutual TLS is off."""
    hands.patch(SYSTEM, {"op": "replace", "path": "/spec/mtls/enabled", "value": False})
    mesh.restart(hands.world)


def short_lived(hands: Hands) -> None:
    """Sidecars and a sentry that know certificates of a minute only."""
    hands.patch(
        SYSTEM,
        {"op": "replace", "path": "/spec/mtls/workloadCertTTL", "value": LIFETIME},
        {"op": "replace", "path": "/spec/mtls/allowedClockSkew", "value": SKEW},
    )
    restart_all(hands)


def restart_all(hands: Hands) -> None:
    """Sentry and the sidecars, with the settings as they are now."""
    world = hands.world
    rollout.restart(world, DAPR_NAMESPACE, [SENTRY])
    rollout.settle(world, DAPR_NAMESPACE, labels=f"app={SENTRY}", names=[SENTRY], timeout=READY_SECONDS)
    mesh.restart(world)


def renewed_under_load(hands: Hands) -> str:
    """Each sidecar's certificate is renewed more than once while people work, none of whom notices.

    All connections between the pods that are seen meanwhile are counted. Raises
    `RunbookError` for a call that failed, and for a connection that is none of sidecars.
    """
    world = hands.world
    anchors, pods = trust_anchors(world), application_pods(world)
    held: dict[str, list[int]] = {workloads.name(pod): [] for pod in pods}
    connections: set[flows.Flow] = set()

    def look(pod: dict[str, Any]) -> None:
        serial, seen = _serial(world, pod, anchors), held[workloads.name(pod)]
        if serial not in seen[-1:]:
            seen.append(serial)

    def renewed() -> None:
        connections.update(flows.between(world, pods))
        with ThreadPoolExecutor(len(pods)) as pool:
            list(pool.map(look, pods))
        if late := [name for name, serials in held.items() if len(serials) <= RENEWALS]:
            raise NotYet(f"not renewed {RENEWALS} times yet: {', '.join(late)}")

    with users.at_work(world, PEOPLE) as people:
        eventually(
            renewed, timeout=PATIENCE, every=EVERY, wanted=f"each certificate renewed {RENEWALS} times"
        )
    if people.errors:
        told = ", ".join(f"{kind} x{number}" for kind, number in sorted(people.errors.items()))
        raise RunbookError(
            f"{people.errors.total()} of {people.answered + people.errors.total()} calls failed: {told}",
            wanted="calls that succeed while certificates are renewed",
            hint=f"kubectl --namespace {world.settings.namespace} logs deployment/frontend --container daprd",
        )
    if past := [str(flow) for flow in sorted(connections) if not flow.encrypted]:
        raise RunbookError(f"{', '.join(past)} bypasses the sidecars", wanted="connections of sidecars")
    return (
        f"{len(pods)} certificates were renewed {RENEWALS} times under {people.answered} calls, none of which"
        f" failed; {len(connections)} of {len(connections)} connections between the pods were sidecars'"
    )


def _serial(world: World, pod: dict[str, Any], anchors: str) -> int:
    name = workloads.name(pod)
    with world.api.port_forward(name, SIDECAR_CALLS, world.settings.namespace) as port:
        shown = mtls.presented(port, anchors)
    if isinstance(shown, str):
        raise RunbookError(f"sentry does not vouch for the certificate of pod {name}: {shown}")
    return shown.serial_number
