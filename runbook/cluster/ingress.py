"""The ingress controller that comes with us, for a cluster that has none of class nginx: the embedded node's Traefik.

One template serves both. Elsewhere every object carries the installation's id from its creation on, by which cleanup
finds it; one of the same name that is somebody else's is never changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from runbook.cluster import docker
from runbook.cluster.embedded import addons
from runbook.cluster.embedded.archive import ScratchImage
from runbook.cluster.embedded.configuration import render
from runbook.engine.settings import Settings
from runbook.ownership import installation

if TYPE_CHECKING:
    from runbook.clients.kube.api import Api
    from runbook.clients.process.commands import Commands
    from runbook.cluster import Progress

CLASS = "nginx"
PROGRAM = "traefik"
NAMESPACE = addons.INGRESS_NAMESPACE
SERVICE = "ingress-nginx-controller"
FRONT = "ingress-ready"
"""Label of the node whose port 80 is published, as kind's own documentation has it."""


def ensure_image(
    settings: Settings, commands: Commands, environment: Mapping[str, str], progress: Progress
) -> str:
    """The controller's image in the build engine, made of the toolchain's program; returns its reference."""
    from runbook.cluster.embedded.toolchain import Toolchain

    toolchain = Toolchain(settings)
    toolchain.install(progress, only=(PROGRAM,))
    image = ScratchImage(PROGRAM, toolchain.binary(PROGRAM))
    docker.hold(image, commands, environment, progress)
    return image.reference


def manifests(
    settings: Settings,
    image: str,
    address: str,
    nodes: Sequence[Mapping[str, Any]],
    *,
    host_port: bool,
    namespace_uid: str,
    api_servers: Sequence[addons.ApiServer],
) -> list[dict[str, Any]]:
    """The controller's objects for these nodes, each with the digest of it all.

    With `host_port` the node that it runs on answers on port 80; otherwise its Service alone is the way in. It may read
    the application's namespace from when that is there (`namespace_uid`).
    """
    found = _rendered(settings, image, address, namespace_uid, api_servers, host_port=host_port)
    for manifest in found:
        metadata = manifest["metadata"]
        if manifest["kind"] == "Namespace" and host_port:  # a cluster may refuse it by its default
            metadata["labels"]["pod-security.kubernetes.io/enforce"] = "privileged"
        elif manifest["kind"] == "Service" and not host_port:
            manifest["spec"]["type"] = "LoadBalancer"
            del manifest["spec"]["externalIPs"]
        elif manifest["kind"] == "Deployment":
            _place(manifest["spec"]["template"]["spec"], settings, nodes)
    digest = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]
    for manifest in found:
        marked = [manifest, manifest["spec"]["template"]] if manifest["kind"] == "Deployment" else [manifest]
        for each in marked:
            each["metadata"].setdefault("annotations", {})[addons.DIGEST] = digest
    return found


def _rendered(
    settings: Settings,
    image: str,
    address: str,
    namespace_uid: str,
    api_servers: Sequence[addons.ApiServer],
    *,
    host_port: bool,
) -> list[dict[str, Any]]:
    text = render(
        "addons/ingress.yaml",
        images={PROGRAM: image},
        addresses={"node": address},
        served=addons.Served(settings.namespace, namespace_uid),
        api_servers=api_servers,
        host_port=host_port,
        https=settings.production,
    )
    return [each for each in yaml.safe_load_all(text) if each]


def _place(pod: dict[str, Any], settings: Settings, nodes: Sequence[Mapping[str, Any]]) -> None:
    (container,) = pod["containers"]
    container["imagePullPolicy"] = "IfNotPresent" if settings.registry else "Never"
    if settings.pull_secret:
        pod["imagePullSecrets"] = [{"name": settings.pull_secret}]
    if any(FRONT in (node["metadata"].get("labels") or {}) for node in nodes):
        pod["nodeSelector"] = {FRONT: "true"}
    pod["tolerations"] = [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}]


def install(api: Api, settings: Settings, wanted: Sequence[Mapping[str, Any]], progress: Progress) -> None:
    """Have these objects and a Ready controller. Raises `Foreign`, with nothing written, where one is not ours."""
    addons.apply(api, settings, wanted)
    addons.wait_for_pods(api, wanted, "", progress)


def ours(api: Api, settings: Settings) -> list[dict[str, Any]]:
    """What is there outside of the controller's namespace and was made by this installation."""
    every = _rendered(settings, "", "", "any", [], host_port=True)
    outside = [each for each in every if each["kind"] != "Namespace" and _namespace(each) != NAMESPACE]
    live = [api.get(each["kind"], each["metadata"]["name"], _namespace(each)) for each in outside]
    return [each for each in live if each is not None and installation.owns(settings, each)]


def _namespace(manifest: Mapping[str, Any]) -> str | None:
    found: str | None = manifest["metadata"].get("namespace")
    return found


def namespace_uid(api: Api, settings: Settings) -> str:
    """The UID of the application's namespace; empty while it is not there."""
    found = api.get("Namespace", settings.namespace)
    return str(found["metadata"]["uid"]) if found else ""


def api_servers(api: Api) -> list[addons.ApiServer]:
    """Where the API server answers in the cluster's network."""
    slices = api.list("EndpointSlice", "default", labels="kubernetes.io/service-name=kubernetes")
    return [
        addons.ApiServer(str(address), int(port["port"]))
        for each in slices
        for port in each.get("ports") or []
        for endpoint in each.get("endpoints") or []
        for address in endpoint.get("addresses") or []
    ]


def port_80_is_taken(api: Api) -> bool:
    """Whether another pod already has port 80 of its node, as the balancers of small clusters do."""
    return any(
        port.get("hostPort") == 80
        for pod in api.list("Pod")
        if pod["metadata"].get("namespace") != NAMESPACE
        for container in pod["spec"].get("containers") or []
        for port in container.get("ports") or []
    )
