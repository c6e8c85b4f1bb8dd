"""What containers may do: asked of their manifests, their running processes and the API server's own standard."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runbook.app.application import REDIS, SIDECAR
from runbook.checks.security import processes
from runbook.checks.security.inside import Process, Unseen
from runbook.checks.security.processes import Container
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Outcome

if TYPE_CHECKING:
    from runbook.world import World

USER = 1000
OWN_IDS = frozenset({SIDECAR, REDIS})
"""Containers that are not ours to number: any user but root, and listed as such (D-42)."""

FILTERED = 2
"""Seccomp in /proc: a filter is on."""

SHARED = ("hostNetwork", "hostPID", "hostIPC")
STANDARD = "pod-security.kubernetes.io"
LEVEL = "restricted"
WEAK_NAMESPACE = "kube-system"
"""Whose pods no cluster holds to the restricted standard: the control of the question about ours."""

CONTROL = "standard-control"


def confined(world: World) -> Outcome:
    """No container shares the node's namespaces or files; each has a read-only root and a system call filter, live.

    Live means: a write to / ends with EROFS, one to each emptyDir works and is removed, and the kernel shows a filter.
    The API server itself finds nothing in these pods against the restricted standard.

    Source: T072.
    """
    containers = processes.of_namespace(world)
    seen = processes.look(world, containers)
    problems = [problem for each in containers for problem in _unconfined(each)]
    problems += [f"{title}: {problem}" for title, each in _known(seen) for problem in _unconfined_live(each)]
    problems += _against_the_standard(world)
    tried = sum(len(each.writes) for _, each in _known(seen))
    return processes.judge(
        containers,
        seen,
        problems,
        observed=f"root read-only, system calls filtered ({tried} writes tried), nothing against {LEVEL}",
        wanted="runAsNonRoot, a read-only root, seccomp RuntimeDefault; in the manifest and in the running process",
        hint=f"kubectl --namespace {world.settings.namespace} get pods --output yaml",
    )


def runs_as_user(world: World) -> Outcome:
    """All four user ids and all four group ids of every process of the application are 1000; no other is root.

    Source: T073, D-42.
    """
    containers = processes.of_namespace(world)
    seen = processes.look(world, containers)
    problems = [problem for each in containers for problem in _other_user(each)]
    others = []
    for title, process in _known(seen):
        own = title.partition("/")[2].partition(" ")[0] in OWN_IDS
        if own:
            others.append(f"{title} as {process.uids[0]}:{process.gids[0]}")
        for what, ids in (("user", process.uids), ("group", process.gids)):
            if (own and what == "user" and 0 in ids) or (not own and set(ids) != {USER}):
                problems.append(
                    f"{title}: the {what} ids of its process are {'/'.join(str(number) for number in ids)}"
                )
    listed = f"; by ids of their own: {', '.join(others)}" if others else ""
    return processes.judge(
        containers,
        seen,
        problems,
        observed=f"each process has user and group {USER}, real, effective, saved and for files{listed}",
        wanted=f"user and group {USER} for the application, any but root for {' and '.join(sorted(OWN_IDS))}",
        hint=f"kubectl --namespace {world.settings.namespace} get pods --output yaml",
    )


def gains_nothing(world: World) -> Outcome:
    """No process has a capability or can get one, and the namespace refuses a pod that asks for more.

    Live: the five capability sets are empty and NoNewPrivs is on. The namespace's labels are asked by behaviour, too: a
    dry run of a privileged pod is refused by the standard, while one of a good pod (the control) is accepted.

    Source: T074.
    """
    containers = processes.of_namespace(world)
    seen = processes.look(world, containers)
    problems = [problem for each in containers for problem in _privileged(each)]
    for title, process in _known(seen):
        problems += [
            f"{title}: its process has {name} {held:#x}"
            for name, held in process.capabilities.items()
            if held
        ]
        if not process.no_new_privileges:
            problems.append(f"{title}: its process can gain privileges (NoNewPrivs 0)")
    problems += _not_enforced(world)
    return processes.judge(
        containers,
        seen,
        problems,
        observed=f"no capability, no new privileges; {LEVEL} refuses a privileged pod and takes a good one",
        wanted="allowPrivilegeEscalation false, all capabilities dropped, live as well; a namespace that enforces it",
        hint=f"kubectl get namespace {world.settings.namespace} --show-labels",
    )


def _known(seen: Mapping[str, Process | Unseen]) -> list[tuple[str, Process]]:
    return [(title, each) for title, each in seen.items() if isinstance(each, Process)]


def _unconfined(container: Container) -> list[str]:
    effective, pod = container.effective(), container.pod["spec"]
    facts = {
        "runAsNonRoot is not true": effective.get("runAsNonRoot") is True,
        "readOnlyRootFilesystem is not true": effective.get("readOnlyRootFilesystem") is True,
        "seccomp is not RuntimeDefault": (effective.get("seccompProfile") or {}).get("type")
        == "RuntimeDefault",
        "procMount is not Default": effective.get("procMount", "Default") == "Default",
    }
    facts |= {f"{field} is set": not pod.get(field) for field in SHARED}
    facts |= {
        f"volume {volume['name']} is a hostPath": False
        for volume in pod.get("volumes") or []
        if "hostPath" in volume
    }
    facts |= {
        f"it takes port {port['hostPort']} of the node": False
        for port in container.spec.get("ports") or []
        if port.get("hostPort")
    }
    return [f"{container.title}: {problem}" for problem, good in facts.items() if not good]


def _unconfined_live(process: Process) -> list[str]:
    problems = (
        [] if process.seccomp == FILTERED else [f"its process has Seccomp {process.seccomp}, no filter"]
    )
    for folder, result in process.writes.items():
        if folder == "/" and result != "EROFS":
            problems.append(f"a write to / was answered {result}, not EROFS")
        elif folder != "/" and result != "written":
            problems.append(f"a write to its emptyDir {folder} failed: {result}")
    return problems if "/" in process.writes else [*problems, "no write to / was tried"]


def _other_user(container: Container) -> list[str]:
    if container.spec["name"] in OWN_IDS:
        return []
    effective = container.effective()
    return [
        f"{container.title}: {field} is {effective.get(field, 'not set')}"
        for field in ("runAsUser", "runAsGroup")
        if effective.get(field) != USER
    ]


def _privileged(container: Container) -> list[str]:
    effective = container.effective()
    capabilities = effective.get("capabilities") or {}
    facts = {
        "it is privileged": not effective.get("privileged"),
        "allowPrivilegeEscalation is not false": effective.get("allowPrivilegeEscalation") is False,
        "not all capabilities are dropped": "ALL" in (capabilities.get("drop") or []),
        f"capabilities are added: {capabilities.get('add')}": not capabilities.get("add"),
    }
    return [f"{container.title}: {problem}" for problem, good in facts.items() if not good]


def _against_the_standard(world: World) -> list[str]:
    """What the API server would warn of if it held the pods that run now to the standard.

    It looks at them only where level or version changes: so the newest version is asked for.
    """
    labels = {f"{STANDARD}/enforce": LEVEL, f"{STANDARD}/enforce-version": "latest"}
    if not world.api.reviews.relabelled(WEAK_NAMESPACE, labels).warnings:
        raise Unmeasurable(
            f"the API server finds nothing against {LEVEL} in {WEAK_NAMESPACE} either: it does not look",
            wanted="a cluster with the admission plugin PodSecurity",
            hint=f"kubectl label --dry-run=server --overwrite namespace {WEAK_NAMESPACE} {STANDARD}/enforce={LEVEL}",
        )
    answer = world.api.reviews.relabelled(world.settings.namespace, labels)
    return [f"against the {LEVEL} standard: {warning}" for warning in answer.warnings]


def _not_enforced(world: World) -> list[str]:
    namespace = world.settings.namespace
    found = world.api.get("Namespace", namespace)
    labels = ((found or {}).get("metadata") or {}).get("labels") or {}
    problems = []
    for mode in ("enforce", "audit", "warn"):
        level, version = labels.get(f"{STANDARD}/{mode}"), labels.get(f"{STANDARD}/{mode}-version", "")
        if level != LEVEL:
            problems.append(f"namespace {namespace}: {mode} is {level or 'not set'}, not {LEVEL}")
        elif not re.fullmatch(r"v1\.\d+", version):
            problems.append(f"namespace {namespace}: the version of {mode} is {version or 'not pinned'}")
    good = world.api.reviews.admission(pod(namespace))
    if not good.accepted:
        raise Unmeasurable(
            f"a pod as the standard wants it is refused as well: {good.words[:300]}",
            wanted="a good pod accepted, as a control",
            hint=f"kubectl --namespace {namespace} get events",
        )
    bad = world.api.reviews.admission(pod(namespace, privileged=True, allowPrivilegeEscalation=True))
    if bad.accepted:
        problems.append(f"namespace {namespace} takes a privileged pod")
    elif "PodSecurity" not in bad.words:
        problems.append(f"a privileged pod is refused, though not by the standard: {bad.words[:200]}")
    return problems


def pod(namespace: str, **context: Any) -> dict[str, Any]:
    """A pod for dry runs: it keeps to the restricted standard, but for the given fields of its security context."""
    names: Sequence[str] = ("cpu", "memory", "ephemeral-storage")
    figures = dict(zip(names, ("10m", "16Mi", "1Mi"), strict=True))
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": CONTROL, "namespace": namespace},
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [
                {
                    "name": CONTROL,
                    "image": "control:none",
                    "resources": {"requests": figures, "limits": figures},
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": USER,
                        "readOnlyRootFilesystem": True,
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                        "seccompProfile": {"type": "RuntimeDefault"},
                        **context,
                    },
                }
            ],
        },
    }
