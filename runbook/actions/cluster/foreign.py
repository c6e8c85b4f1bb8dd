"""What a cluster holds that neither this installation nor its provider made: it keeps the cluster from going."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from runbook.app.application import DAPR_NAMESPACE, DAPR_RELEASE, SECRET
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
DATA = ("PersistentVolumeClaim", "ConfigMap", "Secret")
IN_OURS = (*WORKLOADS, "CronJob.batch", "Pod", *DATA)
IN_DEFAULT = (*IN_OURS, "Service")
BROUGHT = frozenset({("Service", "kubernetes"), ("ConfigMap", "kube-root-ca.crt")})
"""What namespace default holds from the start."""
OF_KUBERNETES = ("helm.sh/release.v1", "kubernetes.io/service-account-token")
"""Types of Secrets that nobody makes by hand; whose a release is, is asked of its record."""
BY_A_CONTROLLER = frozenset({"kube-controller-manager"})
"""Who alone says what the claims of a StatefulSet ask for: they go with it."""

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
    for space in sorted(SYSTEM - ours - {"default"}):
        found += [f"{each} in namespace {space}" for each in _releases(world, space)[0]]
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
    """What somebody else has put into a namespace of ours: releases, workloads, data. They would go with it."""
    found, ours = _releases(world, space)
    given = {SECRET, world.settings.pull_secret}  # which their user may make by hand, as we say ourselves
    for kind in IN_OURS:
        found += [
            f"{each.get('kind') or kind.partition('.')[0]} {workloads.name(each)}"
            for each in world.api.list(kind, space)
            if not _made_by_us(world, each, ours, space)
            and not (kind == "Secret" and workloads.name(each) in given)
            and not (kind in DATA and world.api.get(kind, workloads.name(each), "default") is not None)
        ]  # what is in namespace default as well is in all: a controller puts it there
    return found


def _releases(world: World, space: str) -> tuple[list[str], set[str]]:
    """Those of others in words, and the names of ours."""
    releases: dict[str, set[str]] = {}
    for secret in world.api.list("Secret", space, labels="owner=helm"):
        name = str(secret["metadata"]["labels"].get("name", ""))
        releases.setdefault(name, set()).add(installation.owner(secret))
    known = installation.known(world.settings)
    ours = {name for name, owners in releases.items() if owners - {""} == {known}}
    if space == DAPR_NAMESPACE and dapr_ownership.has_release(world):
        ours.add(DAPR_RELEASE)
    return [f"release {name}" for name in sorted(releases.keys() - ours)], ours


def _made_by_us(world: World, thing: Object, releases: set[str], space: str) -> bool:
    """By Helm for a release of ours, or by our own client; or by Kubernetes itself for something else."""
    metadata = thing["metadata"]
    notes = metadata.get("annotations") or {}
    if "helm.sh/hook" in notes or thing.get("type") in OF_KUBERNETES or metadata.get("ownerReferences"):
        return True  # Helm notes no release on a hook; a foreign one is told by its record
    if notes.get("meta.helm.sh/release-namespace") == space:
        return notes.get("meta.helm.sh/release-name") in releases
    fields = metadata.get("managedFields") or []
    if FIELD_MANAGER in {each.get("manager") for each in fields} or installation.owns(world.settings, thing):
        return True
    authors = {each.get("manager") for each in fields if "f:spec" in (each.get("fieldsV1") or {})}
    return authors == BY_A_CONTROLLER


def _in_default(world: World) -> Iterator[str]:
    for kind in IN_DEFAULT:
        for each in world.api.list(kind, "default"):
            name = workloads.name(each)
            if (kind, name) not in BROUGHT and not _made_by_us(world, each, set(), "default"):
                yield f"{kind.partition('.')[0]} {name}"


def _definitions(world: World) -> list[str]:
    return sorted(
        workloads.name(each)
        for each in world.api.list("CustomResourceDefinition")
        if not installation.owns(world.settings, each) and not workloads.name(each).endswith(PROVIDERS_GROUPS)
    )
