"""minikube: the cluster of a laptop. Its own commands do the work; the Docker driver runs it in a container."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from runbook.cluster import ClusterStatus, Kubeconfig, Progress
from runbook.cluster.holdings import Holdings
from runbook.environment import of_child
from runbook.errors import CommandFailed, RunbookError, Unmeasurable
from runbook.settings import Settings
from runbook.world.commands import Commands

START_SECONDS = 900.0
"""The first start downloads about a gigabyte."""
LOAD_SECONDS = 600.0
ASK_SECONDS = 60.0
LEDGER_KIND = "minikube profile"


class Minikube:
    """Implements `runbook.cluster.Cluster`. The profile has the cluster's name; a user's own is used, not deleted."""

    provider = "minikube"

    def __init__(self, settings: Settings, commands: Commands | None = None) -> None:
        self.settings = settings
        self.name = settings.cluster_name
        self._commands = commands or Commands(settings)

    @staticmethod
    def usable() -> bool:
        """Whether minikube is installed and a Docker daemon answers."""
        if shutil.which("minikube") is None or shutil.which("docker") is None:
            return False
        try:
            asked = subprocess.run(
                ["docker", "version", "--format", "{{.Server.Version}}"],
                capture_output=True,
                timeout=10,
                check=False,
                env=of_child(["docker"]),
            )
        except subprocess.TimeoutExpired:
            return False
        return asked.returncode == 0 and bool(asked.stdout.strip())

    def up(self, progress: Progress) -> None:
        """Start the profile unless it runs. Calico, because the default network lets NetworkPolicy pass unheeded."""
        state = self._state()
        if state is not None and _runs(state):
            if not self.kubeconfig().path.exists():
                self._minikube("update-context")
            return
        if state is None:
            self._ledger.add(
                LEDGER_KIND, self.name
            )  # before the profile is there: an interrupted start counts too
        progress("minikube start" + ("" if state else " (the first start downloads the node image)"))
        self._minikube(
            "start",
            "--cpus=4",
            "--memory=8192",
            "--driver=docker",
            "--cni=calico",
            "--embed-certs=true",
            "--interactive=false",
            timeout=START_SECONDS,
        )

    def down(self, progress: Progress) -> None:
        """Delete the profile if we made it, and look whether it is gone; a user's own profile is left as it is."""
        if self._ledger.holds(LEDGER_KIND, self.name):
            progress("minikube delete")
            self._minikube("delete", timeout=LOAD_SECONDS)
            if self._state() is not None:
                raise RunbookError(
                    f"minikube still has the profile {self.name}",
                    wanted="no such profile",
                    hint=f"minikube delete -p {self.name}",
                )
            self._ledger.strike(LEDGER_KIND, self.name)
        elif shutil.which("minikube") is not None and self._state() is not None:
            progress(f"minikube profile {self.name} was not made by us: left as it is")
        for file in ("kubeconfig", "pinned.json"):
            (self.settings.state / file).unlink(missing_ok=True)

    def status(self) -> ClusterStatus:
        """As `minikube status` tells."""
        state = self._state()
        if state is None:
            return ClusterStatus(self.provider, running=False, detail=f"there is no profile {self.name}")
        parts = {
            name: str(state.get(name, "unknown")) for name in ("Host", "Kubelet", "APIServer", "Kubeconfig")
        }
        detail = f"profile {self.name} runs" if _runs(state) else f"profile {self.name} does not run"
        return ClusterStatus(self.provider, running=_runs(state), detail=detail, parts=parts)

    def kubeconfig(self) -> Kubeconfig:
        """A file of our own; the user's kubeconfig and current context stay as they are."""
        return Kubeconfig(self.settings.state / "kubeconfig", self.name)

    def enable_ingress(self, progress: Progress) -> None:
        """Enable the addon, which brings ingress-nginx, unless it is enabled."""
        listed = self._json("addons", "list", "--output=json")
        if listed.get("ingress", {}).get("Status") != "enabled":
            progress("minikube addons enable ingress")
            self._minikube("addons", "enable", "ingress", timeout=LOAD_SECONDS)

    def ingress_address(self) -> str:
        """The node's address; where Docker runs in a machine of its own (macOS), what `minikube tunnel` opens."""
        if platform.system() == "Linux":
            return self._minikube("ip").strip()
        return "127.0.0.1"

    def docker_environment(self) -> Mapping[str, str]:
        """The Docker daemon inside the node, so that what is built there runs there.

        Until the profile runs there is none, and the user's own builds; T046 brings or builds the images anew.
        """
        try:
            found = self._json("docker-env", "--output=json")
        except CommandFailed:
            return {}
        wanted = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "MINIKUBE_ACTIVE_DOCKERD")
        environment = {name: str(found[name]) for name in wanted if found.get(name)}
        if "DOCKER_HOST" not in environment:
            raise Unmeasurable(
                f"`minikube docker-env` names no DOCKER_HOST for profile {self.name}",
                wanted="a profile with the docker runtime",
                hint=f"minikube -p {self.name} docker-env",
            )
        return environment

    def holdings(self, references: Collection[str] = ()) -> Holdings:  # noqa: ARG002 - it tells all
        return Holdings.of(self.name, self.image_ids())

    def image_ids(self) -> Mapping[str, str]:
        """What the node's runtime lists."""
        found = {}
        listed = json.loads(self._minikube("image", "ls", "--format=json") or "[]")
        for image in listed or []:
            for reference in image.get("repoTags") or []:
                short = str(reference).removeprefix("docker.io/").removeprefix("library/")
                found[short] = f"sha256:{str(image['id']).removeprefix('sha256:')}"
        return found

    def load_images(self, references: Sequence[str], progress: Progress) -> None:
        """Images built in the node's own daemon are there already; others come through an archive on standard input."""
        there = self.image_ids()
        if missing := [reference for reference in references if reference not in there]:
            progress(f"minikube image load {' '.join(missing)}")
            for reference in missing:
                self._minikube("image", "load", "--daemon=true", reference, timeout=LOAD_SECONDS)
            there = self.image_ids()
            if still := [reference for reference in missing if reference not in there]:
                raise RunbookError(
                    f"minikube does not list {', '.join(still)} after loading",
                    wanted="the image in the node",
                    hint="inv build",
                )

    def forget_images(self, references: Sequence[str]) -> None:
        there = self.image_ids()
        if known := [reference for reference in references if reference in there]:
            self._minikube("image", "rm", *known)

    @property
    def _ledger(self) -> Any:
        from runbook.actions.ledger import Ledger

        return Ledger(self.settings)

    def _state(self) -> dict[str, Any] | None:
        """What `minikube status` says as JSON; None where there is no such profile. Its exit code is a bit field."""
        said = self._minikube("status", "--output=json", check=False)
        for line in said.splitlines() or [said]:
            try:
                document = json.loads(line)
            except ValueError:
                continue
            if isinstance(document, list):  # one entry a node: the first is the control plane
                document = document[0] if document else {}
            if isinstance(document, dict) and "Host" in document:
                return document
        return None

    def _json(self, *arguments: str) -> dict[str, Any]:
        said = self._minikube(*arguments)
        try:
            document: dict[str, Any] = json.loads(said)
        except ValueError as error:
            raise Unmeasurable(
                f"`minikube {' '.join(arguments)}` wrote no JSON",
                wanted="JSON",
                hint=f"minikube -p {self.name} status",
            ) from error
        return document

    def _minikube(self, *arguments: str, timeout: float = ASK_SECONDS, check: bool = True) -> str:
        """Standard output of a minikube command for our profile, with a kubeconfig of our own."""
        self.settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        environment = {"KUBECONFIG": str(self.kubeconfig().path), "MINIKUBE_WANTUPDATENOTIFICATION": "false"}
        command: list[str | Path] = ["minikube", "--profile", self.name, *arguments]
        return self._commands.run(command, timeout=timeout, env=environment, check=check).stdout


def _runs(state: Mapping[str, Any]) -> bool:
    return all(state.get(part) == "Running" for part in ("Host", "Kubelet", "APIServer"))
