"""What pods and Deployments say about themselves: pure reading of API objects, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]

HOPELESS = frozenset({"ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError"})
"""Reasons of a waiting container that no further waiting cures: someone must change something."""

STUBBORN = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "CrashLoopBackOff", "CreateContainerError", "RunContainerError"}
)
"""Reasons that may cure themselves once or twice, and mean a fault when they last."""


def name(thing: Object) -> str:
    return str(thing["metadata"]["name"])


def condition(thing: Object, kind: str) -> Object:
    """The condition of that type, or an empty mapping."""
    for entry in (thing.get("status") or {}).get("conditions") or []:
        if entry.get("type") == kind:
            found: Object = entry
            return found
    return {}


def component(pod: Object) -> str:
    """Which part of the application a pod is, by its label."""
    return str((pod["metadata"].get("labels") or {}).get("app.kubernetes.io/name", ""))


def containers(pod: Object) -> dict[str, Object]:
    """Status of each long-running container by name: ordinary ones, and init containers that stay (sidecars)."""
    spec, status = pod["spec"], pod.get("status") or {}
    sidecars = {c["name"] for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"}
    told = {c["name"]: c for c in status.get("containerStatuses") or []}
    told |= {c["name"]: c for c in status.get("initContainerStatuses") or [] if c["name"] in sidecars}
    names = [c["name"] for c in spec["containers"]] + sorted(sidecars)
    return {each: told.get(each, {}) for each in names}


def ready_count(pod: Object) -> str:
    """Such as 1/1: ready containers of all long-running ones, as `kubectl get pods` shows it."""
    known = containers(pod)
    return f"{sum(bool(c.get('ready')) for c in known.values())}/{len(known)}"


def restarts(pod: Object) -> int:
    return sum(int(c.get("restartCount", 0)) for c in containers(pod).values())


def waiting_reasons(pod: Object) -> set[str]:
    """Reasons of all waiting containers, init containers included."""
    status = pod.get("status") or {}
    told = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    return {str(c["state"]["waiting"].get("reason", "")) for c in told if "waiting" in (c.get("state") or {})}


def finished(pod: Object) -> bool:
    """A pod of a job that came to its end."""
    return (pod.get("status") or {}).get("phase") == "Succeeded"


def terminating(thing: Object) -> bool:
    return "deletionTimestamp" in thing["metadata"]


def pod_problem(pod: Object) -> str:
    """Empty for a pod that runs with all containers ready; otherwise the reason, nearest cause first."""
    if terminating(pod):
        return f"pod {name(pod)} is being deleted"
    status = pod.get("status") or {}
    told = [_container_problem(c) for c in _all_statuses(pod)]
    causes = "; ".join(text for text in told if text)
    if status.get("phase") == "Running" and condition(pod, "Ready").get("status") == "True" and not causes:
        return ""
    unscheduled = condition(pod, "PodScheduled")
    if unscheduled.get("status") == "False":
        causes = str(unscheduled.get("message") or unscheduled.get("reason", "not scheduled"))
    if not causes:
        causes = str(condition(pod, "Ready").get("message") or status.get("message") or "not Ready yet")
    return f"pod {name(pod)} is {status.get('phase', 'unknown')}: {causes}"


def _all_statuses(pod: Object) -> list[Object]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _container_problem(status: Object) -> str:
    """State, reason, message and last exit code of a container that is not as it should be."""
    state = status.get("state") or {}
    text = ""
    if "waiting" in state:
        text = _reason(state["waiting"])
    elif "terminated" in state and int(state["terminated"].get("exitCode", 0)) != 0:
        text = f"{_reason(state['terminated'])}, exit code {state['terminated']['exitCode']}"
    elif "running" in state and not status.get("ready"):
        text = "runs and is not ready"
    if not text:
        return ""
    last = (status.get("lastState") or {}).get("terminated")
    if last:
        text += f", last ended {last.get('reason', '')} with exit code {last.get('exitCode')}"
    return f"container {status['name']} {text}"


def _reason(state: Object) -> str:
    told = str(state.get("reason", "waiting"))
    message = str(state.get("message", "")).strip()
    return f"{told} ({message})" if message else told


def deployment_problem(deployment: Object) -> str:
    """Empty when the newest template is fully rolled out and nothing of an older one is left."""
    status = deployment.get("status") or {}
    wanted = int(deployment["spec"].get("replicas", 1))
    who = f"Deployment {name(deployment)}"
    if int(status.get("observedGeneration", 0)) < int(deployment["metadata"]["generation"]):
        return f"{who}: its newest template is not observed yet"
    counts = {key: int(status.get(key, 0)) for key in ("updatedReplicas", "replicas", "availableReplicas")}
    if wanted == 0 or counts["updatedReplicas"] < wanted or counts["availableReplicas"] < wanted:
        if not wanted:
            return f"{who} is scaled to 0"
        refused = condition(deployment, "ReplicaFailure")
        reason = f" ({refused.get('message')})" if refused.get("status") == "True" else ""
        return (
            f"{who}: {counts['updatedReplicas']} of {wanted} updated,"
            f" {counts['availableReplicas']} available{reason}"
        )
    if counts["replicas"] > counts["updatedReplicas"]:
        return f"{who}: {counts['replicas'] - counts['updatedReplicas']} old replicas still run"
    return ""


def describe(problems: Sequence[str]) -> str:
    """Problems in one sentence, each once."""
    return "; ".join(dict.fromkeys(text for text in problems if text))


def stateful_set_problem(stateful_set: Object) -> str:
    """Empty when every replica runs the newest template and is ready."""
    status = stateful_set.get("status") or {}
    wanted = int(stateful_set["spec"].get("replicas", 1))
    who = f"StatefulSet {name(stateful_set)}"
    if int(status.get("observedGeneration", 0)) < int(stateful_set["metadata"]["generation"]):
        return f"{who}: its newest template is not observed yet"
    current = status.get("currentRevision") == status.get("updateRevision")
    ready = int(status.get("readyReplicas", 0))
    if ready < wanted or not current:
        return f"{who}: {ready} of {wanted} ready{'' if current else ', an older template still runs'}"
    return ""


def rollout_problem(owner: Object) -> str:
    """The problem of a Deployment or a StatefulSet, told apart by what only the latter has."""
    return stateful_set_problem(owner) if "serviceName" in owner["spec"] else deployment_problem(owner)
