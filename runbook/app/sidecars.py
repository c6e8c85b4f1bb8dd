"""The sidecars as the pods' specs show them, and whether today's control plane made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runbook.app.application import DAPR_NAMESPACE, SELECTOR, SIDECAR, Component
from runbook.clients.kube import workloads
from runbook.engine.errors import Unmeasurable

if TYPE_CHECKING:
    from runbook.world import World

Object = Mapping[str, Any]

INJECTOR = "dapr-sidecar-injector"
"""The injector's Deployment, and its webhook."""
TRUST_BUNDLE = "dapr-trust-bundle"
TRUST_ANCHORS = "DAPR_TRUST_ANCHORS"


def application_pods(world: World) -> list[dict[str, Any]]:
    """Those that are not being removed. Raises `Unmeasurable` where there is none: nothing could be said of them."""
    space = world.settings.namespace
    found = [p for p in world.api.list("Pod", space, labels=SELECTOR) if not workloads.terminating(p)]
    if not found:
        raise Unmeasurable(
            f"namespace {space} has no pod of the application", wanted="running pods", hint="inv deploy"
        )
    return found


def reachable(world: World, component: Component) -> list[dict[str, Any]]:
    """Its pods with those that are ending: a sidecar that knows their address still calls them for a while."""
    labels = f"app.kubernetes.io/name={component.name}"
    return world.api.list("Pod", world.settings.namespace, labels=labels)


def of_component(pods: Sequence[Object], component: Component) -> list[Object]:
    """Those of one component. Raises `Unmeasurable` where there is none."""
    found = [pod for pod in pods if workloads.component(pod) == component.name]
    if not found:
        raise Unmeasurable(
            f"there is no pod of {component.name}", wanted="its pod", hint="inv verify.step T088"
        )
    return found


def sidecar_of(pod: Object) -> Object:
    """The sidecar's own part of the pod's spec; empty where there is none."""
    every = [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or [])]
    return next((each for each in every if each["name"] == SIDECAR), {})


def stale(world: World) -> list[str]:
    """Pods whose sidecar another control plane made: an older image, or other trust anchors. Only a restart helps."""
    anchors, image = trust_anchors(world).strip(), _injected_image(world)
    found = []
    for pod in application_pods(world):
        sidecar = sidecar_of(pod)
        if not sidecar:
            continue
        trusted = {e["name"]: e.get("value", "") for e in sidecar.get("env") or []}.get(TRUST_ANCHORS, "")
        if trusted.strip() != anchors:
            found.append(f"the sidecar of pod {workloads.name(pod)} trusts other anchors than sentry's")
        elif sidecar.get("image") != image:
            found.append(f"the sidecar of pod {workloads.name(pod)} is {sidecar.get('image')}, not {image}")
    return found


def trust_anchors(world: World) -> str:
    """The public certificate that all sidecars trust, in PEM. Raises `Unmeasurable` where there is none."""
    found = world.api.get("ConfigMap", TRUST_BUNDLE, DAPR_NAMESPACE)
    anchors = str(((found or {}).get("data") or {}).get("ca.crt", ""))
    if not anchors.strip():
        raise Unmeasurable(
            f"there is no ConfigMap {TRUST_BUNDLE} with trust anchors in namespace {DAPR_NAMESPACE}",
            wanted="the anchors that sentry has made",
            hint="inv dapr",
        )
    return anchors


def _injected_image(world: World) -> str:
    """What the injector puts into pods now."""
    injector = world.api.get("Deployment", INJECTOR, DAPR_NAMESPACE)
    if injector is None:
        raise Unmeasurable("there is no injector", wanted=f"Deployment {INJECTOR}", hint="inv dapr")
    container = injector["spec"]["template"]["spec"]["containers"][0]
    return str({e["name"]: e.get("value") for e in container.get("env") or []}.get("SIDECAR_IMAGE", ""))
