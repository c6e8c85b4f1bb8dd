"""The embedded cluster: one Kubernetes node in a sandbox, reached over one veth pair."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.clients.holdings import Holdings
from runbook.clients.target import Kubeconfig
from runbook.cluster import ClusterStatus, Progress
from runbook.cluster.embedded import addons, addresses, components, images, link, readiness, setup
from runbook.cluster.embedded.archive import ScratchImage
from runbook.cluster.embedded.components import Binaries
from runbook.cluster.embedded.configuration import Configuration
from runbook.cluster.embedded.sandbox import PROGRAMS, Sandbox, require
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.waiting import NotYet, eventually

if TYPE_CHECKING:
    from runbook.clients.kube.api import Api

INGRESS_SECONDS = 60.0
GONE_SECONDS = 10.0

NODE_PROGRAMS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables-restore": "iptables",
    "nft": "nftables",
    "conntrack": "conntrack",
}
"""What the node takes from the machine, and the Debian package that brings it."""

WAY_OUT_PROGRAMS = {"slirp4netns": "slirp4netns"}

TUNABLES = {
    "/proc/sys/vm/overcommit_memory": "1\n",
    "/proc/sys/vm/panic_on_oom": "0\n",
    "/proc/sys/kernel/panic": "10\n",
    "/proc/sys/kernel/panic_on_oops": "1\n",
    "/proc/sys/kernel/keys/root_maxkeys": "1000000\n",
    "/proc/sys/kernel/keys/root_maxbytes": "25000000\n",
}
"""Settings of the whole machine that the kubelet would change: it reads what it wants, and leaves them alone."""


class Embedded:
    """Implements `runbook.cluster.Cluster`."""

    provider = "embedded"
    builds_inside = False

    def __init__(self, settings: Settings, binary: Binaries | None = None) -> None:
        self.settings = settings
        self.name = settings.cluster_name
        self.folder = settings.state / "node"
        self.sandbox = Sandbox(
            f"todo-{self.name}",
            self.folder,
            network=True,
            covered=("/var/lib", "/var/log"),
            pretended=TUNABLES,
        )
        self._binary_given = binary

    def up(self, progress: Progress) -> None:
        """Bring the node to Ready, or repair it; a second call changes nothing."""
        setup.mend(self.settings)
        require(PROGRAMS | NODE_PROGRAMS | (WAY_OUT_PROGRAMS if self._outside else {}))
        self._end_abandoned()
        link.refuse_foreign(self.name, self.sandbox)
        configuration = self._configuration()
        configuration.write()
        definitions = components.definitions(configuration, self._binary)
        if not self.sandbox.running():
            progress("starting the node")
            self._clean_slate()
        self.sandbox.start(definitions)
        link.ensure(self.name, self.sandbox, configuration.addresses)
        base = [self._scratch(name) for name in ("pause", "kube-network-policies", "coredns")]
        wanted = addons.manifests(addons.BASE, configuration, {image.name: image.reference for image in base})
        with ThreadPoolExecutor(1) as beside:
            loading = beside.submit(self._load, base, progress)
            # The biggest image is for the ingress, which is enabled next: it comes in while others are waited for.
            further = beside.submit(self._load, [self._scratch("traefik")], progress)
            readiness.wait_for_api(self._api, self.folder, progress)
            loading.result()
            addons.apply(self._api, self.settings, wanted)
            readiness.wait_for_processes(self._api, self.sandbox, self.name, progress)
            readiness.wait_for_node(self._api, self.name, self._since, self.folder, progress)
            addons.wait_for_pods(self._api, wanted, self._since, progress)
            further.result()

    def enable_ingress(self, progress: Progress) -> None:
        """Make Traefik serve IngressClass nginx on port 80 of the node, for the Ingress objects of our namespace.

        It may read that namespace alone, from when it is there: to be called again then.
        """
        self._require_running()
        image = self._scratch("traefik")
        self._load([image], progress)
        space = self._api.get("Namespace", self.settings.namespace)
        served = addons.Served(self.settings.namespace, space["metadata"]["uid"] if space else "")
        wanted = addons.manifests(
            addons.INGRESS, self._configuration(), {image.name: image.reference}, served
        )
        addons.apply(self._api, self.settings, wanted)
        addons.wait_for_pods(self._api, wanted, self._since, progress)
        eventually(
            self._ask_ingress,
            timeout=INGRESS_SECONDS,
            every=0.1,
            slowest=0.5,
            wanted=f"an HTTP answer from {self.ingress_address()}:80",
            hint="inv cluster.status",
            progress=progress,
        )

    def stop(self, progress: Progress) -> None:
        """End the node as a power cut would, which etcd, PostgreSQL and containerd are made for; its folder stays."""
        if not self.sandbox.running():
            return
        progress("ending the node; its data stays")
        self.sandbox.stop()
        link.remove(self.name, self.sandbox)

    def down(self, progress: Progress) -> None:
        """Remove all that `up` made, and look whether it is gone.

        Raises `RunbookError` where the node of this name is somebody else's and there is none of ours.
        """
        if not self.folder.exists() and not self.sandbox.leftovers():
            link.refuse_foreign(self.name, self.sandbox)
        progress("ending the node")
        setup.mend(self.settings)
        self._end_abandoned()
        self.sandbox.stop()
        link.remove(self.name, self.sandbox)
        shutil.rmtree(self.folder, ignore_errors=True)
        for file in ("kubeconfig", "pinned.json"):  # what they speak of is no more
            (self.settings.state / file).unlink(missing_ok=True)
        for folder in (self.settings.state, self.settings.state.parent):
            with suppress(OSError):
                folder.rmdir()
        eventually(
            self._look_for_leftovers, timeout=GONE_SECONDS, every=0.05, wanted="nothing of the node left"
        )

    def leftovers(self) -> list[str]:
        """What is there of the node, in words: processes, mounts, cgroups, the interface, files."""
        found = self.sandbox.leftovers()
        if link.exists(self.name, self.sandbox):
            found.append(f"interface {link.interface(self.name)}")
        files = (self.folder, self.settings.state / "kubeconfig")
        return found + [f"file {path}" for path in files if path.exists()]

    def is_ours(self) -> bool:
        """Its folder lies in the state folder of this installation; what is not from there is never taken for it."""
        return self.folder.exists() or self.sandbox.running()

    def status(self) -> ClusterStatus:
        """Each part as the supervisor, the link and the API tell of it."""
        if not self.sandbox.running():
            there = self.folder.exists()
            where = "not running" if there else "there is none"
            if owner := link.foreign(self.name, self.sandbox):
                where += f" of ours; interface {link.interface(self.name)} belongs to {owner}"
            parts = {"node": "not running"} if there else {}
            return ClusterStatus(self.provider, running=False, detail=where, parts=parts)
        parts = self.sandbox.states()
        parts["link"] = (
            f"{link.interface(self.name)} up" if link.exists(self.name, self.sandbox) else "missing"
        )
        try:
            version, node = self._api.version(), readiness.node_problem(self._api.get("Node", self.name), "")
            pods = self._api.list("Pod", "kube-system")
            parts |= _told([*pods, *self._api.list("Pod", addons.INGRESS_NAMESPACE)])
            node = node or _lacking(pods)
        except (Unmeasurable, RunbookError) as problem:
            return ClusterStatus(self.provider, running=False, detail=problem.observed, parts=parts)
        from runbook.cluster.embedded import certificates

        detail = node or f"node {self.name} is Ready at {self.ingress_address()}"
        return ClusterStatus(
            self.provider,
            running=not node,
            detail=detail,
            version=version,
            parts=parts,
            wants_up=certificates.ending(self.folder / "pki"),
        )

    def kubeconfig(self) -> Kubeconfig:
        return Kubeconfig(self.settings.state / "kubeconfig", self.name)

    @property
    def audit_log(self) -> Path:
        """What the API server was asked to do: one JSON line for each request."""
        return self.folder / components.AUDIT_LOG.relative_to("/")

    def ingress_address(self, port: int = 80) -> str:  # noqa: ARG002 - the same for each
        if (found := addresses.known(self.folder)) is None:
            raise Unmeasurable(
                "there is no node", wanted="a node, which has an address", hint="inv cluster.up"
            )
        return found.node

    def machine_address(self) -> str:
        """This machine's end of the link to the node."""
        if (found := addresses.known(self.folder)) is None:
            raise Unmeasurable(
                "there is no node", wanted="a node, which has an address", hint="inv cluster.up"
            )
        return found.host

    def ingress_port(self, port: int = 80) -> int:
        return port

    def docker_environment(self) -> Mapping[str, str]:
        from runbook.cluster.embedded.engine import Engine

        return Engine(self.settings).environment()

    def holdings(self, references: Collection[str] = ()) -> Holdings:  # noqa: ARG002 - it tells all
        return Holdings.of(self.name, self.image_ids())

    def image_ids(self) -> Mapping[str, str]:
        self._require_running()
        return images.held(self.sandbox)

    def containers(self) -> Mapping[str, int]:
        self._require_running()
        return images.processes(self.sandbox)

    def run_on_node(self, argv: Sequence[str], timeout: float) -> str:
        return self.sandbox.run(argv, timeout)

    def load_images(self, references: Sequence[str], progress: Progress) -> None:
        self._require_running()
        images.load_from_engine(self.sandbox, references, self.docker_environment(), progress)

    def pod_image(self, reference: str) -> str:
        return reference

    def forget_images(self, references: Sequence[str]) -> None:
        self._require_running()
        images.forget(self.sandbox, references)

    def load_program(self, image: ScratchImage, progress: Progress) -> None:
        """Bring an image that holds one program of the toolchain into the node."""
        self._require_running()
        self._load([image], progress)

    def _configuration(self) -> Configuration:
        return Configuration(
            name=self.name,
            folder=self.folder,
            addresses=addresses.of_node(self.name, self.folder),
            pause=self._scratch("pause").reference,
            outside=self._outside,
        )

    @property
    def _outside(self) -> bool:
        """Pods get a way out of this machine where a real database or model is to be reached, and only there."""
        asked = self.settings
        return bool(
            asked.database_url.get_secret_value()
            or asked.openai_api_key.get_secret_value()
            or asked.openai_base_url
        )

    @cached_property
    def _binary(self) -> Binaries:
        if self._binary_given is not None:
            return self._binary_given
        from runbook.cluster.embedded.toolchain import Toolchain

        return Toolchain(self.settings).binary

    @cached_property
    def _api(self) -> Api:
        from runbook.clients.kube.api import Api

        return Api(self.settings, self)

    def _scratch(self, name: str) -> ScratchImage:
        return ScratchImage(name, self._binary(name))

    @property
    def _since(self) -> str:
        """When the sandbox was started, as the API writes times: what is older tells of another life."""
        return datetime.fromtimestamp(int(self.sandbox.started()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _end_abandoned(self) -> None:
        """A node whose state folder was deleted under it cannot be repaired: end it, and begin again.

        Its link goes with its network, a moment later.
        """
        if not self.sandbox.abandoned():
            return
        self.sandbox.stop()

        def gone() -> None:
            if owner := link.foreign(self.name, self.sandbox):
                raise NotYet(f"interface {link.interface(self.name)} of {owner} is there")

        eventually(gone, timeout=GONE_SECONDS, every=0.05, wanted="the link of the old node gone")

    def _clean_slate(self) -> None:
        """No pod outlives the sandbox: neither do the addresses that they held."""
        shutil.rmtree(self.folder / "var/lib/cni", ignore_errors=True)
        if not (self.folder / "var/lib/etcd").exists():  # another cluster than the one that was pinned
            (self.settings.state / "pinned.json").unlink(missing_ok=True)

    def _load(self, wanted: Sequence[ScratchImage], progress: Progress) -> None:
        def containerd_serves() -> None:
            if not (self.folder / "var/lib/containerd").exists():
                raise NotYet("containerd is starting")
            try:
                images.held(self.sandbox)
            except RunbookError as error:
                raise NotYet(f"containerd does not answer: {error.observed}") from error

        eventually(
            containerd_serves,
            timeout=30,
            every=0.1,
            slowest=0.5,
            wanted="containerd to answer",
            hint="inv cluster.status",
        )
        images.load_scratch(self.sandbox, wanted, progress)

    def _ask_ingress(self) -> int:
        import httpx

        try:
            return httpx.get(f"http://{self.ingress_address()}/", timeout=2.0, trust_env=False).status_code
        except httpx.HTTPError as error:
            raise NotYet(f"{self.ingress_address()}:80 gives no answer ({type(error).__name__})") from error

    def _look_for_leftovers(self) -> None:
        if found := self.leftovers():
            raise NotYet(f"still there: {'; '.join(found[:5])}")

    def _require_running(self) -> None:
        if not self.sandbox.running():
            raise Unmeasurable("the node is not running", wanted="a running node", hint="inv cluster.up")


def _told(pods: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {f"pod {pod['metadata']['name']}": addons.pod_problem(pod, "", "") or "Ready" for pod in pods}


def _lacking(pods: Sequence[Mapping[str, Any]]) -> str:
    """What the node cannot do without and has no Ready pod of; empty when nothing is."""
    for what, label in addons.NEEDED.items():
        own = [pod for pod in pods if (pod["metadata"].get("labels") or {}).get("k8s-app") == label]
        if not any(not addons.pod_problem(pod, "", "") for pod in own):
            return f"{what} has no Ready pod"
    return ""
