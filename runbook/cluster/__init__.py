"""The Cluster protocol: where the application runs. Steps never ask which provider it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from runbook.clients.holdings import Holdings
from runbook.clients.target import HTTP_PORT, Kubeconfig, Target

Progress = Callable[[str], None]
"""Told what is being waited for, in a few words; never a secret."""


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """`running`: the API server answers and the node is Ready. `parts` maps each component to a word on its state.

    Parts that do not run tell that the cluster is there: without any, there is none.
    """

    provider: str
    running: bool
    detail: str
    version: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    wants_up: str = ""
    """Why it wants `up`, though it runs: what would end it before long. Empty where nothing does."""


class Cluster(Target, Protocol):
    """One local Kubernetes. All methods are idempotent; errors are `RunbookError` with observed, wanted, hint."""

    name: str
    provider: str
    """embedded, minikube, kind or existing."""

    @property
    def builds_inside(self) -> bool:
        """Whether the node brings the build engine, which is another one before `up` than after it."""

    def up(self, progress: Progress) -> None:
        """Bring it to Ready, or repair it; a second call changes nothing."""

    def stop(self, progress: Progress) -> None:
        """End its processes and keep all of its data; `up` starts it again. Fine where it does not run.

        Raises `UsageError` for a cluster that this installation did not make.
        """

    def down(self, progress: Progress) -> None:
        """Remove all that `up` made and prove it gone; fine when there is nothing."""

    def is_ours(self) -> bool:
        """Whether this installation made it: by what it wrote at its creation, never by the name."""

    def status(self) -> ClusterStatus: ...

    def kubeconfig(self) -> Kubeconfig: ...

    def enable_ingress(self, progress: Progress) -> None:
        """Make an ingress controller serve IngressClass nginx (T044)."""

    def ingress_address(self, port: int = HTTP_PORT) -> str:
        """The IP address on which this machine reaches that port of the ingress controller."""

    def ingress_port(self, port: int = HTTP_PORT) -> int:
        """The port of that address: the same, unless another one is published or forwarded there."""

    def machine_address(self) -> str:
        """The IP address by which pods reach what listens on all addresses of this machine.

        Raises `UsageError` where there is none, `Unmeasurable` where the cluster is not up yet.
        """

    def docker_environment(self) -> Mapping[str, str]:
        """Environment (DOCKER_HOST, ...) of the build engine whose images this cluster runs (T045)."""

    def holdings(self, references: Collection[str] = ()) -> Holdings:
        """What the nodes hold, or the registry from which they take their images: at least of `references`."""

    def load_images(self, references: Sequence[str], progress: Progress) -> None:
        """Bring images of the build engine to the nodes; only those that differ on one of them (T046)."""

    def pod_image(self, reference: str) -> str:
        """What a pod names so that it runs this image: the reference, or the registry's digest of it."""

    def forget_images(self, references: Sequence[str]) -> None:
        """Take these names out of the nodes; fine where they are not there."""


@runtime_checkable
class NodeAccess(Protocol):
    """A cluster on whose node programs can be run, so that processes are seen without any help of their containers."""

    def containers(self) -> Mapping[str, int]:
        """Container id -> its first process, as the node numbers it."""

    def run_on_node(self, argv: Sequence[str], timeout: float) -> str:
        """The standard output of a program on the node. Raises `CommandFailed` or `TimedOut`."""
