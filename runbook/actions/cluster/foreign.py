"""What a cluster holds that neither this installation nor its provider made: it keeps the cluster from going."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from runbook.app.application import DAPR_NAMESPACE, DAPR_RELEASE
from runbook.app.dapr import ownership as dapr_ownership
from runbook.clients.kube import workloads
from runbook.clients.kube.api import FIELD_MANAGER
from runbook.ownership import installation

if TYPE_CHECKING:
    from runbook.world import World

Object = Mapping[str, Any]

SYSTEM = frozenset(
    {
        "default",
        "kube-system",
        "kube-public",
        "kube-node-lease",
        "ingress-nginx",
        "local-path-storage",
        "kubernetes-dashboard",
    }
)
"""Namespaces that a cluster brings, or that its provider makes for us."""

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job")
IN_DEFAULT = (*WORKLOADS, "Pod", "PersistentVolumeClaim", "Service", "ConfigMap", "Secret")
BROUGHT = frozenset({("Service", "kubernetes"), ("ConfigMap", "kube-root-ca.crt")})
"""What namespace default holds from the start."""

PROVIDERS_GROUPS = (".k8s.io",)
"""Groups of definitions that Kubernetes and its providers bring."""


def contents(world: World) -> list[str]:
    """In words, the namespaces first. Raises `Unmeasurable` where the cluster cannot be asked."""
    found = [f"namespace {each}" for each in namespaces(world)]
    ours = {
        workloads.name(each)
        for each in world.api.list("Namespace")
        if installation.owns(world.settings, each)
    }
    for space in sorted(ours):
        found += [f"{each} in namespace {space}" for each in in_namespace(world, space)]
    found += [f"{each} in namespace default" for each in _in_default(world)]
    found += [f"definition {each}" for each in _definitions(world)]
    return found


def namespaces(world: World) -> list[str]:
    """Those that are not ours."""
    return sorted(
        workloads.name(each)
        for each in world.api.list("Namespace")
        if workloads.name(each) not in SYSTEM and not installation.owns(world.settings, each)
    )


def in_namespace(world: World, space: str) -> list[str]:
    """What somebody else has put into a namespace of ours: releases and workloads. They would go with it."""
    releases: dict[str, set[str]] = {}
    for secret in world.api.list("Secret", space, labels="owner=helm"):
        name = str(secret["metadata"]["labels"].get("name", ""))
        releases.setdefault(name, set()).add(installation.owner(secret))
    known = installation.known(world.settings)
    ours = {name for name, owners in releases.items() if owners - {""} == {known}}
    if space == DAPR_NAMESPACE and dapr_ownership.has_release(world):
        ours.add(DAPR_RELEASE)
    found = [f"release {name}" for name in sorted(releases.keys() - ours)]
    for kind in WORKLOADS:
        found += [
            f"{kind} {workloads.name(each)}"
            for each in world.api.list(kind, space)
            if not each["metadata"].get("ownerReferences") and not _made_by_us(each, ours, space)
        ]
    return found


def _made_by_us(thing: Object, releases: set[str], space: str) -> bool:
    """By Helm for a release of ours, or by our own client."""
    notes = thing["metadata"].get("annotations") or {}
    if "helm.sh/hook" in notes:
        return True  # Helm notes no release on a hook; a foreign one is told by its record
    if notes.get("meta.helm.sh/release-namespace") == space:
        return notes.get("meta.helm.sh/release-name") in releases
    managers = [str(each.get("manager", "")) for each in thing["metadata"].get("managedFields") or []]
    return FIELD_MANAGER in managers


def _in_default(world: World) -> Iterator[str]:
    for kind in IN_DEFAULT:
        for each in world.api.list(kind, "default"):
            name = workloads.name(each)
            if (
                (kind, name) not in BROUGHT
                and not each["metadata"].get("ownerReferences")
                and not _made_by_us(each, set(), "default")
            ):
                yield f"{kind} {name}"


def _definitions(world: World) -> list[str]:
    return sorted(
        workloads.name(each)
        for each in world.api.list("CustomResourceDefinition")
        if not installation.owns(world.settings, each) and not workloads.name(each).endswith(PROVIDERS_GROUPS)
    )
