"""How much a new cluster may take: what Docker has where the node is a container, else what this machine has."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runbook.clients.process.commands import Commands

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Capacity:
    """`cpus` counts cores, `memory` MiB; 0 where it is not known. `owner` is whose they are: Docker, this machine."""

    owner: str
    cpus: int
    memory: int

    def __str__(self) -> str:
        return f"{self.owner} has {self.cpus} CPUs and {self.memory} MB"


def of_docker(commands: Commands) -> Capacity:
    """What the machine has that containers run on, which may be a virtual one.

    Raises `Unmeasurable` where no daemon answers.
    """
    from runbook.cluster import docker

    said = docker.information(commands)
    return Capacity("Docker", _number(said.get("NCPU")), _number(said.get("MemTotal")) // MIB)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def of_this_machine() -> Capacity:
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB
    except (ValueError, OSError):  # a system that does not tell
        memory = 0
    return Capacity("this machine", os.cpu_count() or 0, memory)
