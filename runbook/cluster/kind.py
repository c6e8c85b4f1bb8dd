"""kind: a node in a Docker container. Its own network enforces NetworkPolicy from kind 0.24 on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from runbook.cluster import ClusterStatus, Kubeconfig, Progress
from runbook.cluster.existing import Existing
from runbook.errors import RunbookError
from runbook.settings import Settings
from runbook.world.commands import Commands

CREATE_SECONDS = 600.0
ASK_SECONDS = 60.0
LEDGER_KIND = "kind cluster"
ADDRESS = "127.0.0.1"

_CONFIGURATION = {
    "kind": "Cluster",
    "apiVersion": "kind.x-k8s.io/v1alpha4",
    "nodes": [
        {
            "role": "control-plane",
            "labels": {"ingress-ready": "true"},
            "extraPortMappings": [
                {"containerPort": 80, "hostPort": 80, "listenAddress": ADDRESS, "protocol": "TCP"}
            ],
        }
    ],
}


class Kind(Existing):
    """Implements `runbook.cluster.Cluster`. The ingress controller is looked for, not installed: kind brings none."""

    provider = "kind"

    def __init__(self, settings: Settings, commands: Commands | None = None) -> None:
        super().__init__(settings)
        self.name = settings.cluster_name
        self._commands = commands or Commands(settings)

    def up(self, progress: Progress) -> None:
        """Create the cluster unless it is there."""
        if self.name in self._names():
            self._kind("export", "kubeconfig", "--name", self.name, *self._file)
            return
        self._ledger.add(LEDGER_KIND, self.name)
        progress("kind create cluster")
        self._kind(
            "create",
            "cluster",
            "--name",
            self.name,
            "--config=-",
            "--wait=180s",
            *self._file,
            stdin=yaml.safe_dump(_CONFIGURATION),
            timeout=CREATE_SECONDS,
        )

    def down(self, progress: Progress) -> None:
        """Delete the cluster if we made it, and look whether it is gone."""
        if not self._ledger.holds(LEDGER_KIND, self.name):
            progress(f"kind cluster {self.name} was not made by us: left as it is")
            return
        progress("kind delete cluster")
        self._kind("delete", "cluster", "--name", self.name, *self._file, timeout=CREATE_SECONDS)
        if self.name in self._names():
            raise RunbookError(
                f"kind still has the cluster {self.name}", hint=f"kind delete cluster --name {self.name}"
            )
        self._ledger.strike(LEDGER_KIND, self.name)
        for file in ("kubeconfig", "pinned.json"):
            (self.settings.state / file).unlink(missing_ok=True)

    def status(self) -> ClusterStatus:
        if self.name not in self._names():
            return ClusterStatus(self.provider, running=False, detail=f"there is no kind cluster {self.name}")
        return super().status()

    def kubeconfig(self) -> Kubeconfig:
        return Kubeconfig(self.settings.state / "kubeconfig", f"kind-{self.name}")

    def ingress_address(self) -> str:
        return ADDRESS

    def image_ids(self) -> Mapping[str, str]:
        """What crictl lists inside the node."""
        command = ["docker", "exec", f"{self.name}-control-plane", "crictl", "images", "--output=json"]
        listed = json.loads(self._commands.run(command, timeout=ASK_SECONDS).stdout)
        return {
            str(reference).removeprefix("docker.io/").removeprefix("library/"): str(image["id"])
            for image in listed.get("images", [])
            for reference in image.get("repoTags") or []
        }

    def load_images(self, references: Sequence[str], progress: Progress) -> None:
        from runbook.cluster.embedded.images import engine_ids

        there, wanted = self.image_ids(), engine_ids(references, self.docker_environment())
        if differing := [reference for reference in references if there.get(reference) != wanted[reference]]:
            progress(f"kind load docker-image {' '.join(differing)}")
            self._kind("load", "docker-image", *differing, "--name", self.name, timeout=CREATE_SECONDS)

    def forget_images(self, references: Sequence[str]) -> None:
        there = self.image_ids()
        if known := [reference for reference in references if reference in there]:
            command = ["docker", "exec", f"{self.name}-control-plane", "crictl", "rmi", *known]
            self._commands.run(command, timeout=ASK_SECONDS)

    @property
    def _file(self) -> tuple[str, str]:
        return ("--kubeconfig", str(self.kubeconfig().path))

    @property
    def _ledger(self) -> Any:
        from runbook.actions.ledger import Ledger

        return Ledger(self.settings)

    def _names(self) -> list[str]:
        return self._kind("get", "clusters").split()

    def _kind(self, *arguments: str, timeout: float = ASK_SECONDS, stdin: str | None = None) -> str:
        self.settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._commands.run(["kind", *arguments], timeout=timeout, stdin=stdin).stdout
