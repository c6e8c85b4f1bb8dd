"""A cluster that somebody else runs, named by a kubeconfig context. Nothing of it is made or removed here."""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.clients.holdings import HeldImage, Holdings, familiar
from runbook.clients.kube import kubeconfig
from runbook.clients.process.commands import Commands
from runbook.clients.process.environment import given
from runbook.clients.target import HTTP_PORT, Kubeconfig
from runbook.cluster import ClusterStatus, Progress, docker, forwarding, ingress
from runbook.cluster.forwarding import Forward
from runbook.engine.errors import RunbookError, Unmeasurable, UsageError
from runbook.engine.settings import Settings
from runbook.engine.waiting import NotYet, Sight, Subject, watching
from runbook.ownership import installation

if TYPE_CHECKING:
    from runbook.clients.kube.api import Api
    from runbook.cluster.registry import Registry

INGRESS_NAMESPACE = ingress.NAMESPACE
CONNECT_SECONDS = 2.0
READY_SECONDS = 180.0


class Existing:
    """Implements `runbook.cluster.Cluster` as far as a foreign cluster allows; the rest says what to do by hand."""

    provider = "existing"
    builds_inside = False

    def __init__(self, settings: Settings, commands: Commands | None = None) -> None:
        self.settings = settings
        self.name = settings.context or settings.cluster_name
        self._commands = commands or Commands(settings)
        self._forwards: dict[int, Forward] = {}
        self._read: tuple[object, Kubeconfig] | None = None

    def up(self, progress: Progress) -> None:
        """Look whether it answers; it is not ours to start."""
        progress(f"asking context {self.name}")
        state = self.status()
        if not state.running:
            raise Unmeasurable(
                state.detail, wanted="a cluster that runs", hint=f"kubectl --context {self.name} get nodes"
            )

    def stop(self, progress: Progress) -> None:
        del progress
        raise UsageError(
            f"context {self.name} is somebody else's cluster",
            wanted="a cluster that was made here",
            hint="stop it with the program that made it",
        )

    def _wait_until_usable(self, progress: Progress) -> None:
        """Until every node and DNS are Ready, by watch: kind and minikube return before they are."""
        watching(
            self._api,
            [_NODES, _DNS],
            _usable,
            timeout=READY_SECONDS,
            wanted=f"Ready nodes of the {self.provider} cluster {self.name}, and its DNS",
            hint=f"kubectl --kubeconfig {self.kubeconfig().path} get nodes,pods --all-namespaces",
            progress=progress,
        )

    def down(self, progress: Progress) -> None:
        """Nothing: what we did not make stays."""
        progress(f"context {self.name} was not made by us: left as it is")

    def is_ours(self) -> bool:
        return False

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
        """The context of the settings, as kubectl reads KUBECONFIG or ~/.kube/config."""
        if not self.settings.context:
            raise UsageError(
                "an existing cluster needs a context",
                wanted="its name",
                hint="TODO_CONTEXT=$(kubectl config current-context)",
            )
        variable = given("KUBECONFIG")
        state = tuple(_seen(file) for file in kubeconfig.locations(variable))
        if self._read is None or self._read[0] != state:
            merged = self.settings.state / "kubeconfig.json"
            self._read = (state, kubeconfig.chosen(self.settings.context, variable, merged))
        return self._read[1]

    def enable_ingress(self, progress: Progress) -> None:
        """Have a controller of IngressClass nginx: the cluster's own where it has one, else ours."""
        live = self._api.get("IngressClass", ingress.CLASS)
        if live is not None and not installation.owns(self.settings, live):
            progress("the cluster has a controller of class nginx")
            return
        environment = self.docker_environment()
        reference = ingress.ensure_image(self.settings, self._commands, environment, progress)
        self.load_images([reference], progress)
        wanted = ingress.manifests(
            self.settings,
            self.pod_image(reference),
            self._node_address(),
            self._api.list("Node"),
            host_port=not ingress.port_80_is_taken(self._api),
            namespace_uid=ingress.namespace_uid(self._api, self.settings),
            api_servers=ingress.api_servers(self._api),
        )
        ingress.install(self._api, self.settings, wanted, progress)

    def ingress_address(self, port: int = HTTP_PORT) -> str:
        """The first of these that answers: what the controller's Service got from outside, the node that it runs on.

        Where none does, the cluster's addresses are not reached from this machine, and its Service is forwarded.
        """
        return self._way_in(port)[0]

    def ingress_port(self, port: int = HTTP_PORT) -> int:
        return self._way_in(port)[1]

    def _way_in(self, port: int) -> tuple[str, int]:
        if port in self._forwards:
            return forwarding.ADDRESS, self._forwards[port].port()
        services = self._api.list("Service", INGRESS_NAMESPACE)
        given_ones = [
            str(gate.get("ip") or gate.get("hostname"))
            for service in services
            for gate in ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
            if gate.get("ip") or gate.get("hostname")
        ]
        candidates = [*given_ones, self._node_address()]
        for address in candidates:
            if found := self._answers(address, port):
                return found, port
        if not any(service["metadata"]["name"] == ingress.SERVICE for service in services):
            return candidates[0], port
        self._forwards[port] = self._forwarded(port)
        return forwarding.ADDRESS, self._forwards[port].port()

    def _forwarded(self, port: int) -> Forward:
        from runbook.cluster.embedded.toolchain import Toolchain

        kubectl = self._commands.find("kubectl") or Toolchain(self.settings).binary("kubectl")
        return Forward(self._commands, kubectl, self.kubeconfig(), INGRESS_NAMESPACE, ingress.SERVICE, port)

    def _answers(self, host: str, port: int) -> str:
        """The first address of a host that takes a connection, or ""."""
        try:
            with socket.create_connection((host, port), timeout=CONNECT_SECONDS) as connection:
                return str(connection.getpeername()[0])
        except OSError:
            return ""

    def _node_address(self) -> str:
        """Of the node that the controller runs on, else of the first."""
        for pod in self._api.list("Pod", INGRESS_NAMESPACE):
            status = pod.get("status") or {}
            if status.get("phase") == "Running" and status.get("hostIP"):
                return str(status["hostIP"])
        for node in self._api.list("Node"):
            for address in (node.get("status") or {}).get("addresses") or []:
                if address["type"] == "InternalIP":
                    return str(address["address"])
        raise Unmeasurable(
            "neither an ingress Service nor a node tells an address", hint="kubectl get svc -A"
        )

    def pod_image(self, reference: str) -> str:
        """What a pod names so that it gets this image: by digest from the registry, else as the node holds it."""
        if self._registry is None:
            return reference
        held = self.holdings([reference]).image(reference)
        if held is None:
            raise Unmeasurable(f"{self._registry.prefix} does not hold {reference}", hint="inv cluster.up")
        return self._registry.by_digest(reference, held)

    def machine_address(self) -> str:
        """Its pods may be anywhere: only the user knows how they come to this machine."""
        raise UsageError(
            f"the model is on this machine, and how the pods of context {self.name} reach it is not known",
            wanted="an address that those pods reach",
            hint="OPENAI_BASE_URL=http://<address of this machine in their network>:<port>/v1",
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
        raise RunbookError(
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


_NODES = Subject("Node")
_DNS = Subject("EndpointSlice", "kube-system", labels="kubernetes.io/service-name=kube-dns")


def _usable(sight: Sight) -> None:
    """Raises `NotYet` with what is missing."""
    for node in _not_ready(sight[_NODES]):
        raise NotYet(f"node {node} is not Ready")
    endpoints = [endpoint for each in sight[_DNS] for endpoint in each.get("endpoints") or []]
    if not sight[_NODES] or not any((each.get("conditions") or {}).get("ready") for each in endpoints):
        raise NotYet("DNS has no ready endpoint")


def _not_ready(nodes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for node in nodes:
        conditions = {
            each["type"]: each["status"] for each in (node.get("status") or {}).get("conditions") or []
        }
        if conditions.get("Ready") != "True":
            yield node["metadata"]["name"]


def _seen(file: Path) -> tuple[Path, int, int]:
    """Changes with the file; an absent one has zeros."""
    try:
        stat = file.stat()
    except OSError:
        return (file, 0, 0)
    return (file, stat.st_mtime_ns, stat.st_ino)
