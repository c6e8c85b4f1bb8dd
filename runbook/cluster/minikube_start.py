"""How a new minikube profile is started: who may, how large, and with which network and runtime."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from runbook.clients.process.commands import Commands
from runbook.clients.process.environment import given
from runbook.cluster import Progress, capacity, docker
from runbook.cluster.capacity import Capacity
from runbook.engine.errors import RunbookError, UsageError
from runbook.engine.settings import Settings

CPUS, MEMORY = 4, 8192
"""What the list asks for (T043); MB as minikube counts them."""
LEAST_CPUS, LEAST_MEMORY = 2, 1800
"""With less `minikube start` refuses (its `minimumCPUS` and `minUsableMem`)."""
SPARE = 512
"""MB that are left to what else runs on Docker's machine, where it has no more than is asked for."""

CNI = "calico"
"""Enforces NetworkPolicy in every version of minikube. kindnet does in recent ones. Whether the chosen one really does
is proved by a canary, not by its name."""
ENFORCING = ("calico", "cilium", "kindnet")
HEEDLESS = ("flannel", "bridge", "false")
"""Networks that let every connection pass, whatever NetworkPolicy says."""

ALWAYS = ("--embed-certs=true", "--interactive=false", "--wait=all", "--wait-timeout=10m")
"""Ready is more than minikube's own default, which waits neither for the node nor for DNS."""


def obstacle(settings: Settings, commands: Commands) -> str:
    """Why `minikube start` cannot work here, in a few words; "" where it can."""
    if _root_refused(settings):
        return _refusal(settings)
    try:
        return _too_small(_room(settings, commands))
    except RunbookError as problem:
        return problem.observed


def demand_user(settings: Settings) -> None:
    """Raises `UsageError` for root, before minikube refuses it."""
    if _root_refused(settings):
        raise UsageError(
            _refusal(settings),
            wanted="an ordinary user of the group docker",
            hint="call inv as that user, or TODO_CLUSTER=embedded, or export MINIKUBE_FORCE=true",
        )


def arguments(settings: Settings, commands: Commands, progress: Progress) -> list[str]:
    """What a new profile is to be like. Raises `UsageError` where more is asked for than there is."""
    cpus, memory = _size(settings, _room(settings, commands), progress)
    words = [
        f"--cpus={cpus}",
        f"--memory={memory}",
        f"--driver={settings.driver}",
        f"--container-runtime={settings.runtime}",
        f"--cni={_network(settings, progress)}",
    ]
    if settings.driver == "docker" and settings.http_port and not docker.place(commands).here:
        # The node's own address is not reached from here, only what Docker publishes.
        words.append(f"--ports=127.0.0.1:{settings.http_port}:80")
    if settings.kubernetes_version:
        words.append(f"--kubernetes-version={settings.kubernetes_version}")
    if settings.node_image:
        words.append(f"--base-image={settings.node_image}")
    return words


def _network(settings: Settings, progress: Progress) -> str:
    """The word or the manifest for --cni."""
    named = CNI if settings.cni == "auto" else settings.cni
    if named in HEEDLESS:
        progress(f"the network {named} does not enforce NetworkPolicy: the steps that prove it will not pass")
    if named in ENFORCING or named in HEEDLESS:
        return named
    manifest = Path(named).expanduser()
    if not manifest.is_file():
        raise UsageError(
            f"cni is set to {named}, which is not a file",
            wanted=f"{', '.join(ENFORCING)}, or the manifest of a network",
            hint="unset TODO_CNI",
        )
    return str(manifest.resolve())


def _size(settings: Settings, room: Capacity, progress: Progress) -> tuple[int, int]:
    """CPUs and MB: as set, else as the list asks for, or as much as there is."""
    if problem := _too_small(room):
        raise UsageError(
            problem,
            wanted=f"{LEAST_CPUS} CPUs and {LEAST_MEMORY + SPARE} MB for minikube",
            hint="give Docker more, or TODO_CLUSTER=embedded (as root on Linux)",
        )
    for name, asked, there in (
        ("cpus", settings.cpus, room.cpus),
        ("memory", settings.memory, room.memory),
    ):
        if there and asked > there:
            raise UsageError(
                f"{name} is set to {asked}, and {room}",
                wanted=f"at most {there}",
                hint=f"unset TODO_{name.upper()}: then it is what there is",
            )
    cpus = settings.cpus or min(CPUS, room.cpus or CPUS)
    memory = settings.memory or min(MEMORY, room.memory - SPARE if room.memory else MEMORY)
    if (cpus < CPUS and not settings.cpus) or (memory < MEMORY and not settings.memory):
        progress(f"{room}: the node gets {cpus} CPUs and {memory} MB, not {CPUS} and {MEMORY}")
    return cpus, memory


def _room(settings: Settings, commands: Commands) -> Capacity:
    return capacity.of_docker(commands) if settings.driver == "docker" else capacity.of_this_machine()


def _too_small(room: Capacity) -> str:
    if (room.cpus and room.cpus < LEAST_CPUS) or (room.memory and room.memory < LEAST_MEMORY + SPARE):
        return f"{room}, too little for minikube"
    return ""


def _refusal(settings: Settings) -> str:
    return f"minikube's {settings.driver} driver refuses root"


def _root_refused(settings: Settings) -> bool:
    forced = given("MINIKUBE_FORCE").lower() in {"1", "t", "true"}
    linux = platform.system() == "Linux"
    return linux and os.geteuid() == 0 and settings.driver not in {"none", "podman"} and not forced
