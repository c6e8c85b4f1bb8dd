"""A minikube profile as minikube and Docker tell of it: is it there, does it run, who made it, what is left of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from runbook.clients.process.commands import CommandResult, Commands
from runbook.engine.errors import CommandFailed, Unmeasurable
from runbook.engine.redaction import redact
from runbook.engine.settings import Settings
from runbook.ownership.installation import LABEL

ASK_SECONDS = 60.0

NO_PROFILE = 85
"""The exit status of each command for a profile that does not exist (minikube's `ExGuestNotFound`)."""

KUBELET_LABELS = "node-labels"
"""The kubelet's option that labels its node. minikube keeps it with the profile: there the label is found without the
node, also while it does not run or Docker is away."""

DOCKER_LABEL = "name.minikube.sigs.k8s.io"
"""What minikube writes on containers, volumes and networks of a profile."""

_REASON = re.compile(r"Exiting due to (?P<reason>[A-Z][A-Z0-9_]+): (?P<said>.*)")

_WAYS = {
    "DRV_AS_ROOT": "call inv as an ordinary user of the group docker, or TODO_CLUSTER=embedded",
    "RSRC_INSUFFICIENT_CORES": "TODO_CPUS=2 inv deploy, or give Docker more CPUs",
    "RSRC_DOCKER_CORES": "give Docker more CPUs, or TODO_CLUSTER=embedded (as root on Linux)",
    "RSRC_OVER_ALLOC_MEM": "TODO_MEMORY=4096 inv deploy",
    "RSRC_DOCKER_STORAGE": "docker system prune, or give Docker more disk",
    "RSRC_INSUFFICIENT_STORAGE": "docker system prune, or give Docker more disk",
    "GUEST_DRIVER_MISMATCH": "TODO_DRIVER=<the profile's driver>, or another profile: TODO_CLUSTER_NAME=<name>",
    "K8S_OLD_UNSUPPORTED": "TODO_KUBERNETES_VERSION=stable inv deploy",
    "K8S_DOWNGRADE_UNSUPPORTED": "another profile: TODO_CLUSTER_NAME=<name>",
}
"""minikube's reason for giving up -> the way out; the command that failed would fail again."""


class State(Enum):
    """`UNREADABLE`: minikube knows the profile and cannot look at it, because its container or Docker is away."""

    ABSENT = "absent"
    STOPPED = "stopped"
    RUNNING = "running"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Profile:
    """`parts`: what `minikube status` says of its control plane. `config`: what minikube keeps of the profile."""

    state: State
    parts: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kubeconfig_stale(self) -> bool:
        return self.parts.get("Kubeconfig", "Configured") != "Configured"

    @property
    def driver(self) -> str:
        return str(self.config.get("Driver") or "")

    @property
    def installation(self) -> str:
        """The id of the installation that made it; "" for a profile of somebody else."""
        options = (self.config.get("KubernetesConfig") or {}).get("ExtraOptions") or []
        for option in options:
            if (option.get("Component"), option.get("Key")) == ("kubelet", KUBELET_LABELS):
                labels = dict(each.partition("=")[::2] for each in str(option.get("Value", "")).split(","))
                return labels.get(LABEL, "")
        return ""


class MinikubeCommand:
    """The `minikube` command for one profile, with a kubeconfig of our own."""

    def __init__(self, settings: Settings, kubeconfig: Path, commands: Commands) -> None:
        self._settings = settings
        self._name = settings.cluster_name
        self._environment = {"KUBECONFIG": str(kubeconfig), "MINIKUBE_WANTUPDATENOTIFICATION": "false"}
        self._commands = commands

    def installed(self) -> bool:
        return self._commands.find("minikube") is not None

    def ask(self, *arguments: str, timeout: float = ASK_SECONDS) -> CommandResult:
        """What a command said, whatever its exit status. Raises `CommandMissing` and `TimedOut`."""
        self._settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        command: list[str | Path] = ["minikube", "--profile", self._name, *arguments]
        return self._commands.run(command, timeout=timeout, env=self._environment, check=False)

    def run(self, *arguments: str, timeout: float = ASK_SECONDS) -> str:
        """Standard output. Raises `CommandFailed` with minikube's own reason, and with a way out where one is known."""
        result = self.ask(*arguments, timeout=timeout)
        if result.code == 0:
            return result.stdout
        reason, said = _why(f"{result.stdout}\n{result.stderr}")
        raise CommandFailed(
            f"`minikube {arguments[0]}` ended with exit status {result.code}: {said}",
            wanted="exit status 0",
            hint=_WAYS.get(reason) or self._way(said),
        )

    def json(self, *arguments: str) -> dict[str, Any]:
        said = self.run(*arguments)
        try:
            document: dict[str, Any] = json.loads(said)
        except ValueError as error:
            raise Unmeasurable(
                f"`minikube {' '.join(arguments)}` wrote no JSON",
                wanted="JSON",
                hint=f"minikube -p {self._name} status",
            ) from error
        return document

    def profile(self) -> Profile:
        """The profile now: by the exit status, by what `status` says, and by the list of profiles."""
        answer = self.ask("status", "--output=json")
        if answer.code == NO_PROFILE:
            return Profile(State.ABSENT)
        nodes = _nodes(answer.stdout)
        known, config = self._kept()
        if nodes:
            state = State.RUNNING if all(map(_runs, nodes)) else State.STOPPED
            parts = {
                name: str(nodes[0].get(name, "unknown"))
                for name in ("Host", "Kubelet", "APIServer", "Kubeconfig")
            }
            return Profile(state, parts, config)
        if known is False:
            return Profile(State.ABSENT)
        return Profile(State.UNREADABLE, {"Host": "unknown"}, config)

    def leftovers(self) -> list[str]:
        """What Docker still holds of the profile. Raises `Unmeasurable` where Docker does not answer."""
        found = []
        for kind, asked in (("container", ("ps", "--all")), ("volume", ("volume", "ls"))):
            command = ["docker", *asked, "--quiet", "--filter", f"label={DOCKER_LABEL}={self._name}"]
            answer = self._commands.run(command, timeout=ASK_SECONDS, check=False)
            if answer.code != 0:
                raise Unmeasurable(
                    f"Docker does not answer: what is left of minikube's profile {self._name} cannot be seen",
                    wanted="a Docker daemon that answers",
                    hint="docker info",
                )
            found += [f"{kind} {each}" for each in answer.stdout.split()]
        return found

    def _kept(self) -> tuple[bool | None, dict[str, Any]]:
        """Whether the list of profiles names it (None: the list cannot be read), and what minikube keeps of it."""
        answer = self.ask("profile", "list", "--light", "--output=json")
        try:
            listed = json.loads(answer.stdout)
            rows = [row for kind in ("valid", "invalid") for row in listed.get(kind) or []]
        except (ValueError, AttributeError):
            return None, {}
        for row in rows:
            if row.get("Name") == self._name:
                return True, row.get("Config") or {}
        return False, {}

    def _way(self, said: str) -> str:
        if "memory" in said:
            return _WAYS["RSRC_OVER_ALLOC_MEM"]
        return f"minikube -p {self._name} logs --problems, or another cluster: TODO_CLUSTER=embedded or kind"


def _nodes(said: str) -> list[dict[str, Any]]:
    """The nodes in what `status --output=json` wrote: one object, a list of several, or `null`."""
    for line in said.splitlines():
        try:
            document = json.loads(line)
        except ValueError:
            continue
        nodes = document if isinstance(document, list) else [document]
        if nodes and all(isinstance(node, dict) and "Host" in node for node in nodes):
            return nodes
    return []


def _runs(node: Mapping[str, Any]) -> bool:
    """A worker's API server is Irrelevant."""
    return (
        node.get("Host") == "Running"
        and node.get("Kubelet") == "Running"
        and (node.get("APIServer") == "Running" or bool(node.get("Worker")))
    )


def _why(said: str) -> tuple[str, str]:
    """minikube's reason for giving up and its sentence, else the last lines that are not its box of advice."""
    found = _REASON.search(said)
    if found:
        return found["reason"], redact(found.group().strip())
    lines = [line.strip() for line in said.splitlines() if line.strip() and line.strip()[0] not in "│╭╰*"]
    return "", redact(" | ".join(lines[-4:])) or "no output"
