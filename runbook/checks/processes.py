"""What the running process of each container is and may do, as the kernel tells it: not what its manifest promises.

One command in each container, all at the same time. A container with neither a shell nor an interpreter is looked at
from the node, where the cluster lets us; elsewhere it stays unmeasured, and says so.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.cluster import NodeAccess
from runbook.errors import RunbookError, Unmeasurable
from runbook.step import Outcome, failed, passed, unproven
from runbook.world import workloads

if TYPE_CHECKING:
    from runbook.world import World

Object = Mapping[str, Any]

SECONDS = 15.0
"""For one look into a container."""

UNLIMITED = Decimal("Infinity")
HUGE = 1 << 60
"""Version 1 control groups write a number near 2^63 where memory has no limit."""

PLACES = (
    ("containers", "containerStatuses", ""),
    ("initContainers", "initContainerStatuses", "init"),
    ("ephemeralContainers", "ephemeralContainerStatuses", "ephemeral"),
)


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod: ordinary, init (sidecars among them) or ephemeral."""

    pod: Object
    spec: Object
    status: Object
    role: str = ""

    @property
    def title(self) -> str:
        """Such as backend-6f7/backend, or backend-6f7/early (init)."""
        role = f" ({self.role})" if self.role else ""
        return f"{workloads.name(self.pod)}/{self.spec['name']}{role}"

    @property
    def id(self) -> str:
        """The runtime's id; empty before it was started."""
        return str(self.status.get("containerID", "")).rpartition("//")[2]

    @property
    def running(self) -> bool:
        return "running" in (self.status.get("state") or {})

    @property
    def ended(self) -> bool:
        """Its process is over, as that of an init container is; a pod that waits for it is another matter."""
        return "terminated" in (self.status.get("state") or {}) or workloads.finished(self.pod)

    def effective(self) -> dict[str, Any]:
        """The security context that holds for it: its own, over the pod's."""
        return {
            **(self.pod["spec"].get("securityContext") or {}),
            **(self.spec.get("securityContext") or {}),
        }

    def empty_folders(self) -> list[str]:
        """Where an emptyDir is mounted to be written to."""
        empty = {volume["name"] for volume in self.pod["spec"].get("volumes") or [] if "emptyDir" in volume}
        return sorted(
            str(mount["mountPath"])
            for mount in self.spec.get("volumeMounts") or []
            if mount["name"] in empty and not mount.get("readOnly")
        )


@dataclass(frozen=True, slots=True)
class Process:
    """Process 1 of a container."""

    uids: tuple[int, ...]
    """Real, effective, saved and file-system id."""
    gids: tuple[int, ...]
    capabilities: Mapping[str, int]
    """Inheritable, permitted, effective, bounding and ambient set, by their names in /proc."""
    no_new_privileges: bool
    seccomp: int
    """2 is a filter."""
    writes: Mapping[str, str]
    """Folder -> "written", or the error's name."""
    token: bool
    """There is something where Kubernetes puts a token for its API."""
    memory: Decimal
    cpus: Decimal
    seen_from: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Unseen:
    """Why a container's process could not be looked at."""

    reason: str


def of_namespace(world: World) -> list[Container]:
    """Every container of every pod of the application's namespace, but of pods that are on their way out.

    Raises `Unmeasurable` where there is none.
    """
    namespace = world.settings.namespace
    pods = [pod for pod in world.api.list("Pod", namespace) if not workloads.terminating(pod)]
    found = [container for pod in pods for container in _containers(pod)]
    if not found:
        raise Unmeasurable(
            f"namespace {namespace} has no container", wanted="the application's pods", hint="inv deploy"
        )
    return found


def _containers(pod: Object) -> list[Container]:
    found = []
    for place, statuses, role in PLACES:
        told = {each["name"]: each for each in (pod.get("status") or {}).get(statuses) or []}
        for spec in pod["spec"].get(place) or []:
            title = "sidecar" if role == "init" and spec.get("restartPolicy") == "Always" else role
            found.append(Container(pod, spec, told.get(spec["name"], {}), title))
    return found


def counted(containers: Sequence[Container]) -> str:
    """Such as 4 containers of 3 pods (1 sidecar)."""
    pods = len({str(each.pod["metadata"].get("uid", "")) for each in containers})
    roles = [each.role for each in containers if each.role]
    kinds = ", ".join(f"{roles.count(role)} {role}" for role in dict.fromkeys(roles))
    number = f"{len(containers)} container{'s' if len(containers) != 1 else ''} of {pods} pod{'s' if pods != 1 else ''}"
    return f"{number} ({kinds})" if kinds else number


def look(world: World, containers: Sequence[Container]) -> dict[str, Process | Unseen]:
    """The process of each container by its title, without those that have ended; each is looked at once in a run."""
    alive = [each for each in containers if not each.ended]
    with ThreadPoolExecutor(max(1, len(alive))) as pool:
        seen = pool.map(lambda each: _remembered(world, each), alive)
        return {each.title: process for each, process in zip(alive, seen, strict=True)}


def _remembered(world: World, container: Container) -> Process | Unseen:
    if not container.running:
        waiting = (container.status.get("state") or {}).get("waiting") or {}
        return Unseen(f"it does not run ({waiting.get('reason', 'not started')})")
    key = ("process", container.pod["metadata"].get("uid"), container.id)
    return world.once(key, lambda: _look(world, container))


def _look(world: World, container: Container) -> Process | Unseen:
    reason = ""
    folders = ["/", *container.empty_folders()]
    for name, argv in _inside():
        try:
            said = world.api.exec(
                workloads.name(container.pod),
                container.spec["name"],
                [*argv, *folders],
                container.pod["metadata"]["namespace"],
                timeout=SECONDS,
            )
        except Unmeasurable as problem:
            reason = problem.observed.rpartition("could not be started: ")[2]
            continue
        if said.code == 0:
            return read(said.stdout, f"{name} in the container")
        reason = f"{name} ended with status {said.code}"
    if isinstance(world.cluster, NodeAccess):
        return _from_node(world.cluster, container, folders)
    return Unseen(f"no program in it could look, and this cluster's node lets nobody in ({reason[-200:]})")


@cache
def _inside() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The programs that look, each with the words that run it; the shell first, which most images have."""
    folder = Path(__file__).with_name("inside")
    return (
        ("sh", ("sh", "-c", (folder / "look.sh").read_text(), "look")),
        ("python", ("python3", "-I", "-c", (folder / "look.py").read_text())),
        ("node", ("node", "-e", (folder / "look.js").read_text())),
    )


def _from_node(node: NodeAccess, container: Container, folders: list[str]) -> Process | Unseen:
    """By the node's own eyes, through the container's root as /proc shows it."""
    try:
        number = node.containers().get(container.id)
        if number is None:
            return Unseen("its process is not among those of the node")
        program = Path(__file__).with_name("inside") / "look.py"
        argv = [os.path.realpath(sys.executable), "-I", "-c", program.read_text(), str(number), *folders]
        return read(node.run_on_node(argv, SECONDS), "the node")
    except RunbookError as problem:
        return Unseen(f"the node does not show it: {problem.observed[:200]}")


def judge(
    containers: Sequence[Container],
    seen: Mapping[str, Process | Unseen],
    problems: Sequence[str],
    *,
    observed: str,
    wanted: str,
    hint: str,
) -> Outcome:
    """Failed by any problem; unproven where a process could not be looked at; else passed. Counts what was examined."""
    evidence = {
        "examined": counted(containers),
        "ended": [each.title for each in containers if each.ended],
        "processes": {
            title: asdict(each) | {"memory": str(each.memory), "cpus": str(each.cpus)}
            for title, each in seen.items()
            if isinstance(each, Process)
        },
    }
    if problems:
        return failed(workloads.describe(problems), wanted=wanted, hint=hint, **evidence)
    unseen = [
        f"{title} was not seen: {each.reason}" for title, each in seen.items() if isinstance(each, Unseen)
    ]
    if unseen or not seen:
        return unproven(
            "; ".join(unseen) or "no container runs", wanted=wanted, hint="kubectl get pods -A", **evidence
        )
    return passed(f"{counted(containers)}: {observed}", wanted=wanted, **evidence)


def read(text: str, seen_from: str = "") -> Process | Unseen:
    """What a look said: lines of /proc/1/status, and ours in the same form."""
    facts: dict[str, str] = {}
    writes: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key == "Write":
            result, _, folder = value.strip().partition(" ")
            writes[folder] = result
        else:
            facts[key] = value.strip()
    try:
        return Process(
            uids=tuple(int(number) for number in facts["Uid"].split()),
            gids=tuple(int(number) for number in facts["Gid"].split()),
            capabilities={key: int(facts[key], 16) for key in facts if key.startswith("Cap")},
            no_new_privileges=facts["NoNewPrivs"] == "1",
            seccomp=int(facts["Seccomp"]),
            writes=writes,
            token=facts["Token"] != "no",  # noqa: S105
            memory=_memory(facts.get("Memory", "")),
            cpus=_cpus(facts),
            seen_from=seen_from,
        )
    except (KeyError, ValueError) as problem:
        return Unseen(f"what was said of its process cannot be read: {problem!r}")


def _memory(text: str) -> Decimal:
    """Bytes; raises ValueError where nothing was said."""
    if text == "max":
        return UNLIMITED
    return UNLIMITED if int(text) > HUGE else Decimal(int(text))


def _cpus(facts: Mapping[str, str]) -> Decimal:
    """Processors, by version 2 (`max 100000`) or version 1 of control groups."""
    quota, _, period = facts.get("Cpu", "").partition(" ")
    if not quota:
        quota, period = facts["Quota"], facts["Period"]
    return UNLIMITED if quota in ("max", "-1") else Decimal(int(quota)) / Decimal(int(period))
