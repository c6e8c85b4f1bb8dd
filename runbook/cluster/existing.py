"""A cluster that somebody else runs, named by a kubeconfig context. Nothing of it is made or removed here."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.clients.process.commands import Commands
from runbook.clients.process.environment import given
from runbook.cluster import ClusterStatus, Kubeconfig, Progress, docker
from runbook.cluster.holdings import HeldImage, Holdings, familiar
from runbook.engine.errors import RunbookError, Unmeasurable, UsageError
from runbook.engine.settings import Settings

if TYPE_CHECKING:
    from runbook.clients.kube.api import Api
    from runbook.cluster.registry import Registry

INGRESS_NAMESPACE = "ingress-nginx"


class Existing:
    """Implements `runbook.cluster.Cluster` as far as a foreign cluster allows; the rest says what to do by hand."""

    provider = "existing"

    def __init__(self, settings: Settings, commands: Commands | None = None) -> None:
        self.settings = settings
        self.name = settings.context or settings.cluster_name
        self._commands = commands or Commands(settings)

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
        detail = f"context {self.kubeconfig().context}: {len(parts)} nodes"
        return ClusterStatus(self.provider, running, detail, version, parts)

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
        return self._docker

    def holdings(self, references: Collection[str] = ()) -> Holdings:
        """What the registry holds of `references`; without one, the engine that the only node shares with us."""
        if registry := self._registry:
            return Holdings({registry.prefix: registry.held(references)})
        node = self._demand_way()
        found = {}
        for reference in references:
            with suppress(RunbookError):
                held = docker.identities([reference], self._commands, self._docker)[reference]
                found[familiar(reference)] = HeldImage(min(held), held)
        return Holdings({node: found})

    def load_images(self, references: Sequence[str], progress: Progress) -> None:
        """Push what differs to the registry; where node and engine are one, there is nothing to bring."""
        if registry := self._registry:
            wanted = self._engine_identities(references)
            held = Holdings({registry.prefix: registry.held(references)})
            registry.push([each for each in references if held.problems(each, wanted[each])], progress)
            return
        self._demand_way()
        self._engine_identities(references)

    def forget_images(self, references: Sequence[str]) -> None:
        """A registry keeps what it was given: another deployment may run it."""

    def _demand_way(self) -> str:
        """The node that runs on the very engine that we build with. Raises where images have no way to the nodes."""
        nodes = self._api.list("Node")
        names = [str(node["metadata"]["name"]) for node in nodes]
        runtimes = [str(node["status"]["nodeInfo"].get("containerRuntimeVersion", "")) for node in nodes]
        if (
            len(nodes) == 1
            and runtimes[0].startswith("docker:")
            and names[0] == docker.name(self._commands, self._docker)
        ):
            return names[0]
        context = self.kubeconfig().context
        kind = context.removeprefix("kind-")
        raise Unmeasurable(
            f"images have no way into context {context}: its nodes ({', '.join(runtimes)}) do not run on this Docker,"
            " and no registry is set",
            wanted="a registry that both reach, or a cluster that shares this Docker's images",
            hint=f"TODO_CLUSTER=kind TODO_CLUSTER_NAME={kind}"
            if kind != context
            else "TODO_REGISTRY=registry.example.org/team, after docker login",
        )

    def _engine_identities(self, references: Collection[str]) -> dict[str, frozenset[str]]:
        return docker.identities(references, self._commands, self._docker)

    @cached_property
    def _registry(self) -> Registry | None:
        from runbook.cluster.registry import Registry

        prefix = self.settings.registry
        return Registry(prefix, self._commands, self._docker) if prefix else None

    @cached_property
    def _docker(self) -> dict[str, str]:
        return docker.environment(self.settings, self._commands)

    @cached_property
    def _api(self) -> Api:
        from runbook.clients.kube.api import Api

        return Api(self.settings, self)
