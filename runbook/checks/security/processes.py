"""What the running process of each container is and may do, as the kernel tells it: not what its manifest promises.

One command in each container, all at the same time. A container with neither a shell nor an interpreter is looked at
from the node, where the cluster lets us; elsewhere it stays unmeasured, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from runbook.checks.security.inside import Process, Unseen, look_inside
from runbook.clients.kube import workloads
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Outcome, failed, passed, unproven
from runbook.netpol.traffic.visitors import LABEL as VISITOR

if TYPE_CHECKING:
    from runbook.world import World

Object = Mapping[str, Any]

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


def of_namespace(world: World) -> list[Container]:
    """Every container of every pod of the application's namespace, but of pods that are on their way out.

    The pods by which T078 tries the network at the same time come and go by themselves, and are left aside too.
    Raises `Unmeasurable` where there is none.
    """
    namespace = world.settings.namespace
    pods = [
        pod
        for pod in world.api.list("Pod", namespace)
        if not workloads.terminating(pod) and VISITOR not in (pod["metadata"].get("labels") or {})
    ]
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
    return world.once(key, lambda: look_inside(world, container))


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
