"""Where each kind of object lies in the Kubernetes API: a table for our own kinds, discovery for others.

The table spares each run the discovery of eight groups, and says which of two kinds of one name (Event) is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runbook.engine.errors import Unmeasurable


@dataclass(frozen=True, slots=True)
class Kind:
    """`root` is the path of its group and version; `plural` its name in paths."""

    root: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str | None, name: str | None = None) -> str:
        """The path of the collection or of one object; without a namespace the collection spans all."""
        parts = [self.root]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        if name:
            parts.append(name)
        return "/".join(parts)


_CORE = "/api/v1"
_APPS = "/apis/apps/v1"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"

BUILT_IN: Mapping[str, Kind] = {
    "ConfigMap": Kind(_CORE, "configmaps"),
    "Event": Kind(_CORE, "events"),
    "Namespace": Kind(_CORE, "namespaces", namespaced=False),
    "Node": Kind(_CORE, "nodes", namespaced=False),
    "PersistentVolume": Kind(_CORE, "persistentvolumes", namespaced=False),
    "PersistentVolumeClaim": Kind(_CORE, "persistentvolumeclaims"),
    "Pod": Kind(_CORE, "pods"),
    "Secret": Kind(_CORE, "secrets"),
    "Service": Kind(_CORE, "services"),
    "ServiceAccount": Kind(_CORE, "serviceaccounts"),
    "DaemonSet": Kind(_APPS, "daemonsets"),
    "Deployment": Kind(_APPS, "deployments"),
    "ReplicaSet": Kind(_APPS, "replicasets"),
    "StatefulSet": Kind(_APPS, "statefulsets"),
    "Job": Kind("/apis/batch/v1", "jobs"),
    "EndpointSlice": Kind("/apis/discovery.k8s.io/v1", "endpointslices"),
    "Ingress": Kind("/apis/networking.k8s.io/v1", "ingresses"),
    "IngressClass": Kind("/apis/networking.k8s.io/v1", "ingressclasses", namespaced=False),
    "NetworkPolicy": Kind("/apis/networking.k8s.io/v1", "networkpolicies"),
    "PodDisruptionBudget": Kind("/apis/policy/v1", "poddisruptionbudgets"),
    "ClusterRole": Kind(_RBAC, "clusterroles", namespaced=False),
    "ClusterRoleBinding": Kind(_RBAC, "clusterrolebindings", namespaced=False),
    "Role": Kind(_RBAC, "roles"),
    "RoleBinding": Kind(_RBAC, "rolebindings"),
    "StorageClass": Kind("/apis/storage.k8s.io/v1", "storageclasses", namespaced=False),
    "MutatingWebhookConfiguration": Kind(
        "/apis/admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", namespaced=False
    ),
    # Discovery asks for a group's preferred version, which holds but one of Dapr's kinds.
    "Component.dapr.io": Kind("/apis/dapr.io/v1alpha1", "components"),
    "Configuration.dapr.io": Kind("/apis/dapr.io/v1alpha1", "configurations"),
    "CustomResourceDefinition": Kind(
        "/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", namespaced=False
    ),
}

Discover = Callable[[str, str], Kind | None]
"""Finds a kind by its name and group in what the API server says that it serves."""


class NotServed(Unmeasurable):
    """The cluster serves no such kind: there are no objects of it either."""


class Kinds:
    """Resolves `Deployment`, or `Component.dapr.io` for kinds that are not built in."""

    def __init__(self, discover: Discover) -> None:
        self._discover = discover
        self._known = dict(BUILT_IN)

    def resolve(self, kind: str) -> Kind:
        """Raises `NotServed` for a kind that the cluster does not serve."""
        if kind not in self._known:
            name, _, group = kind.partition(".")
            found = self._discover(name, group)
            if found is None:
                raise NotServed(
                    f"the cluster serves no kind {kind}",
                    wanted=f"{kind} in the API",
                    hint=f"kubectl explain {name.lower()}",
                )
            self._known[kind] = found
        return self._known[kind]

    def of(self, manifest: Mapping[str, Any]) -> Kind:
        """The kind of a manifest, by its apiVersion and kind."""
        kind = str(manifest.get("kind", ""))
        version = str(manifest.get("apiVersion", ""))
        known = BUILT_IN.get(kind)
        if known and known.root == _root(version):
            return known
        return self.resolve(f"{kind}.{version.partition('/')[0]}" if "/" in version else kind)


def full_name(manifest: Mapping[str, Any]) -> str:
    """A manifest's kind, with its group where it is none of Kubernetes' own: `Component.dapr.io`."""
    kind, group = str(manifest.get("kind", "")), str(manifest.get("apiVersion", "")).rpartition("/")[0]
    return kind if kind in BUILT_IN or not group else f"{kind}.{group}"


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"
