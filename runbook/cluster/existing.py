"""A cluster that somebody else runs, named by a kubeconfig context. Nothing of it is made or removed here."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.cluster import ClusterStatus, Kubeconfig, Progress
from runbook.environment import given
from runbook.errors import RunbookError, Unmeasurable, UsageError
from runbook.settings import Settings

if TYPE_CHECKING:
    from runbook.world.api import Api

INGRESS_NAMESPACE = "ingress-nginx"


class Existing:
    """Implements `runbook.cluster.Cluster` as far as a foreign cluster allows; the rest says what to do by hand."""

    provider = "existing"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = settings.context or settings.cluster_name

    def up(self, progress: Progress) -> None:
        """Look whether it answers; it is not ours to start."""
        progress(f"asking context {self.name}")
        state = self.status()
        if not state.running:
            raise Unmeasurable(
                state.detail, wanted="a cluster that runs", hint=f"kubectl --context {self.name} get nodes"
            )

    def down(self, progress: Progress) -> None:
        """Nothing: what we did not make stays."""
        progress(f"context {self.name} was not made by us: left as it is")

    def status(self) -> ClusterStatus:
        try:
            version, nodes = self._api.version(), self._api.list("Node")
        except RunbookError as problem:
            return ClusterStatus(self.provider, running=False, detail=problem.observed)
        parts = {}
        for node in nodes:
            conditions = {c["type"]: c["status"] for c in node.get("status", {}).get("conditions", [])}
            parts[node["metadata"]["name"]] = "Ready" if conditions.get("Ready") == "True" else "not Ready"
        running = bool(parts) and all(word == "Ready" for word in parts.values())
        return ClusterStatus(
            self.provider, running, f"context {self.name}: {len(parts)} nodes", version, parts
        )

    def kubeconfig(self) -> Kubeconfig:
        """The user's own file (KUBECONFIG, else ~/.kube/config) and the context of the settings."""
        if not self.settings.context:
            raise UsageError(
                "an existing cluster needs a context",
                wanted="its name",
                hint="TODO_CONTEXT=$(kubectl config current-context)",
            )
        named = given("KUBECONFIG").split(os.pathsep)[0]
        return Kubeconfig(Path(named) if named else Path.home() / ".kube" / "config", self.settings.context)

    def enable_ingress(self, progress: Progress) -> None:
        """Look for IngressClass nginx; a controller is not ours to install here."""
        progress("looking for IngressClass nginx")
        if self._api.get("IngressClass", "nginx") is None:
            raise RunbookError(
                "the cluster has no IngressClass nginx",
                wanted="an ingress controller that serves it",
                hint="install ingress-nginx (or another controller of that class) into the cluster",
            )

    def ingress_address(self) -> str:
        """What the controller's Service got from outside, else the first node's address."""
        for service in self._api.list("Service", INGRESS_NAMESPACE):
            for gate in service.get("status", {}).get("loadBalancer", {}).get("ingress") or []:
                if gate.get("ip"):
                    return str(gate["ip"])
        for node in self._api.list("Node"):
            for address in node.get("status", {}).get("addresses", []):
                if address["type"] == "InternalIP":
                    return str(address["address"])
        raise Unmeasurable(
            "neither an ingress Service nor a node tells an address", hint="kubectl get svc -A"
        )

    def docker_environment(self) -> Mapping[str, str]:
        """The user's own Docker, as the user reaches it."""
        return {}

    def image_ids(self) -> Mapping[str, str]:
        raise Unmeasurable(
            f"the nodes of context {self.name} do not show the ids of their images",
            wanted="a cluster of ours, whose images can be listed",
            hint="TODO_CLUSTER=auto",
        )

    def load_images(self, references: Sequence[str], progress: Progress) -> None:
        progress("a foreign cluster takes images from a registry only")
        raise RunbookError(
            f"images cannot be loaded into context {self.name}",
            wanted=f"{', '.join(references)} in a registry that its nodes reach",
            hint=f"docker push {references[0] if references else 'IMAGE'}",
        )

    def forget_images(self, references: Sequence[str]) -> None:
        """Nothing of ours was loaded there."""

    @cached_property
    def _api(self) -> Api:
        from runbook.world.api import Api

        return Api(self.settings, self)
