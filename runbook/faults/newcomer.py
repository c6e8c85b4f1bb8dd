"""Another application in the namespace, with a sidecar and an identity of sentry's, to which the network is open.

What refuses it is access control alone: it may not call the backend, and does not know the state store.

Source: T092.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runbook.actions.cluster import rollout
from runbook.app.application import BACKEND, DAPR_NAMESPACE, FRONTEND, SIDECAR_CALLS, STATE_STORE, Component
from runbook.app.sidecars import application_pods, of_component, trust_anchors
from runbook.checks.dapr.dapr_claims import TRUST_DOMAIN
from runbook.checks.dapr.service_calls import uris
from runbook.clients.kube import workloads
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.waiting import NotYet, eventually
from runbook.faults import pods as scratch_pods
from runbook.faults.planting import Hands
from runbook.probes import remembered
from runbook.probes.dapr import invocation, mtls

NEWCOMER = Component("mutant", 8000, "/")
LABELS = {"app.kubernetes.io/name": NEWCOMER.name}
SELECTOR = f"app.kubernetes.io/name={NEWCOMER.name}"
ALLOWED = "/health"
"""A path of the backend that access control lets the frontend call."""

READY_SECONDS = 120.0
FOLLOWED = 30.0
"""Seconds until the network follows the policies of a new pod."""


def arrive(hands: Hands) -> None:
    """Made by a Deployment: for a pod of anybody else's the injector may decline."""
    space = hands.world.settings.namespace
    for policy in _policies(space):
        hands.create(policy)
    hands.create(_deployment(hands))
    rollout.settle(hands.world, space, labels=SELECTOR, names=[NEWCOMER.name], timeout=READY_SECONDS)


def leave(hands: Hands) -> None:
    """With everything that was made for it; its pod goes in its own time."""
    space = hands.world.settings.namespace
    hands.remove(("Deployment", NEWCOMER.name, space))
    for policy in _policies(space):
        hands.remove(("NetworkPolicy", policy["metadata"]["name"], space))


def is_kept_out(hands: Hands) -> str:
    """It has an identity, it is denied what the frontend may do at the same time, and it has no state store.

    Raises `RunbookError` where it gets in, `Unmeasurable` where it never came as far as access control.
    """
    world = hands.world
    space = world.settings.namespace
    pod = next(iter(world.api.list("Pod", space, labels=SELECTOR)))
    with world.api.port_forward(workloads.name(pod), SIDECAR_CALLS, space) as port:
        shown = mtls.presented(port, trust_anchors(world))
    identity = shown if isinstance(shown, str) else ", ".join(uris(shown))
    if identity != f"spiffe://{TRUST_DOMAIN}/ns/{space}/{NEWCOMER.app_id}":
        raise Unmeasurable(f"its identity is {identity}", wanted="one of sentry's for another application")
    ours = application_pods(world)
    let_in = invocation.call(world, of_component(ours, FRONTEND)[0], BACKEND, ALLOWED)
    if let_in.status != 200:
        raise Unmeasurable(f"the frontend's own call is answered {let_in.status}", wanted="200")
    answer = eventually(
        lambda: _decided(invocation.call(world, pod, BACKEND, ALLOWED)),
        timeout=FOLLOWED,
        wanted="an answer of the backend's sidecar",
    )
    if not answer.denied:
        raise RunbookError(
            f"it may call {BACKEND.name}{ALLOWED}: {answer.status}", wanted=f"403 with {invocation.DENIED}"
        )
    known = remembered.through_sidecar(world, of_component(ours, BACKEND)[0], STATE_STORE, "nothing")
    if known != 204:
        raise Unmeasurable(f"the backend's own sidecar answers {known} for a new key", wanted="204")
    unknown = remembered.through_sidecar(world, pod, STATE_STORE, "nothing")
    if unknown < 400:
        raise RunbookError(f"its sidecar answers {unknown} for the state store", wanted="no such store")
    return f"{identity} is denied {BACKEND.name}{ALLOWED} (403), which the frontend gets; it knows no {STATE_STORE}"


def _decided(answer: invocation.Answer) -> invocation.Answer:
    """Its own sidecar answers 500 where it does not reach the other one."""
    if answer.status >= 500:
        raise NotYet(f"{answer.status}: {answer.body[:200]}")
    return answer


def _deployment(hands: Hands) -> dict[str, Any]:
    space = hands.world.settings.namespace
    pod = scratch_pods.scratch(hands)
    like = hands.read(("Deployment", BACKEND.name, space))["spec"]["template"]["metadata"]["annotations"]
    annotations = {key: value for key, value in like.items() if key.startswith("dapr.io/")}
    del annotations["dapr.io/app-port"]  # it answers nobody
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NEWCOMER.name, "namespace": space, "labels": LABELS},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": LABELS},
            "template": {
                "metadata": {
                    "labels": LABELS,
                    "annotations": annotations
                    | {"dapr.io/app-id": NEWCOMER.app_id, "dapr.io/config": "dapr-config"},
                },
                "spec": pod["spec"] | {"restartPolicy": "Always", "terminationGracePeriodSeconds": 0},
            },
        },
    }


def _policies(space: str) -> list[Mapping[str, Any]]:
    """As open as the way from the frontend's sidecar to the backend's."""

    def policy(name: str, selected: Mapping[str, str], **ways: Any) -> Mapping[str, Any]:
        spec = {
            "podSelector": {"matchLabels": selected},
            "policyTypes": [each.title() for each in ways],
            **ways,
        }
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": space},
            "spec": spec,
        }

    def ports(*numbers: int, protocol: str = "TCP") -> list[dict[str, Any]]:
        return [{"port": number, "protocol": protocol} for number in numbers]

    def elsewhere(namespace: str) -> dict[str, Any]:
        return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}

    backend = {"app.kubernetes.io/name": BACKEND.name}
    calls = ports(SIDECAR_CALLS)
    return [
        policy(
            "mutant-out",
            LABELS,
            egress=[
                {"to": [{"podSelector": {"matchLabels": backend}}], "ports": calls},
                {"to": [elsewhere(DAPR_NAMESPACE)]},
                {"to": [elsewhere("kube-system")], "ports": [*ports(53), *ports(53, protocol="UDP")]},
            ],
        ),
        policy(
            "mutant-in",
            backend,
            ingress=[{"from": [{"podSelector": {"matchLabels": LABELS}}], "ports": calls}],
        ),
    ]
