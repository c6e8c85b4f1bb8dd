"""Pods that are sent for a survey and taken back: one like any stranger, one like a job, one in a foreign namespace.

They run the image that the backend's pod runs, which the node has already, under the restricted Pod Security Standard.
The pods belong to the scratch namespace, so that whatever ends the survey, deleting that one namespace ends them all;
by themselves they end after some minutes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from runbook.clients.kube import workloads
from runbook.engine.errors import RunbookError, TimedOut, Unmeasurable
from runbook.engine.waiting import NotYet, Sight, Subject, watching
from runbook.netpol.traffic.reach import source
from runbook.ownership import installation
from runbook.ownership.installation import namespace_problem

if TYPE_CHECKING:
    from runbook.world import World

Object = dict[str, Any]

LABEL = "todo.runbook/probe"
"""On everything that is made for a survey, so that others leave it out of account; its value names the survey."""

READY_SECONDS = 60.0
LIFETIME = 240
"""Seconds after which a visitor ends by itself, where nobody needs it for longer."""

ABANDONED = timedelta(minutes=30)
"""What is older was left by a survey that was killed."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A pod to be sent: where, how labelled, and the ports on which it answers."""

    name: str
    namespace: str = ""
    """Empty: the scratch namespace."""
    labels: tuple[tuple[str, str], ...] = ()
    ports: tuple[str, ...] = ("7777", "7777/udp")


@dataclass(frozen=True, slots=True)
class Visit:
    """The visitors while they are there: pods by the names that were asked for."""

    namespace: str
    survey: str
    pods: Mapping[str, Object]


def make_room(world: World, older: timedelta = ABANDONED) -> None:
    """Take back what a survey of ours that was killed has left.

    Whoever runs alone knows that none is at work, and takes all back, however old.
    """
    now = datetime.now(UTC)
    for kind in ("Pod", "Namespace"):
        for each in world.api.list(kind, labels=LABEL):
            metadata = each["metadata"]
            born = datetime.fromisoformat(metadata["creationTimestamp"])
            ours = installation.owns(world.settings, each)
            if ours and now - born >= older and not workloads.terminating(each):
                world.api.delete(kind, metadata["name"], metadata.get("namespace"), uid=metadata["uid"])


@contextmanager
def visiting(
    world: World, visitors: Sequence[Visitor], *, purpose: str, lifetime: int = LIFETIME
) -> Iterator[Visit]:
    """The visitors, running and answering, for as long as the context lasts.

    Raises `Unmeasurable` where they cannot be sent: no image to borrow, refused, not started in time.
    """
    image = _borrowed(world)
    survey = f"{purpose}-{secrets.token_hex(3)}"
    make_room(world)
    for each in sorted({each.namespace for each in visitors} - {""}):
        if problem := namespace_problem(world.settings, world.api.get("Namespace", each)):
            raise Unmeasurable(problem, wanted="a namespace of ours to send pods into")
    marks = installation.labels(world.settings)
    try:
        owner = world.api.create(_namespace(survey, marks))
        wanted = {each.name: _pod(each, image, marks | {LABEL: survey}, owner, lifetime) for each in visitors}
        for manifest in wanted.values():
            world.api.apply(manifest)
        yield Visit(survey, survey, _running(world, survey, wanted))
    finally:
        _take_back(world, survey, visitors)


def _take_back(world: World, survey: str, visitors: Sequence[Visitor]) -> None:
    """Deleted at once and in any case; the namespace is emptied by the cluster itself."""
    for each in visitors:
        if each.namespace:
            with suppress(RunbookError):
                world.api.delete("Pod", f"{survey}-{each.name}", each.namespace)
    with suppress(RunbookError):
        world.api.delete("Namespace", survey)


def _namespace(name: str, marks: Mapping[str, str]) -> Object:
    strict = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {LABEL: name, **marks, **strict}},
    }


def _borrowed(world: World) -> Object:
    """What the backend's pod says of its image: the one image with Python that is surely on the node."""
    pods = world.api.list("Pod", world.settings.namespace, labels="app.kubernetes.io/name=backend")
    for pod in pods:
        for container in pod["spec"]["containers"]:
            if container["name"] == "backend" and not workloads.terminating(pod):
                keys = ("image", "imagePullPolicy")
                return {
                    "container": {key: container[key] for key in keys if key in container},
                    "secrets": pod["spec"].get("imagePullSecrets") or [],
                }
    raise Unmeasurable(
        "there is no pod of the backend whose image the probes could run",
        wanted="the backend deployed",
        hint="inv deploy",
    )


def _pod(visitor: Visitor, image: Object, marks: Mapping[str, str], owner: Object, lifetime: int) -> Object:
    survey = marks[LABEL]
    script = ["python3", "-I", "-c", source("echo.py"), str(lifetime), *visitor.ports]
    container = {
        "name": "probe",
        **image["container"],
        "command": script,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "10m", "memory": "32Mi", "ephemeral-storage": "1Mi"},
            "limits": {"cpu": "500m", "memory": "128Mi", "ephemeral-storage": "16Mi"},
        },
    }
    metadata: Object = {
        "name": f"{survey}-{visitor.name}",
        "namespace": visitor.namespace or survey,
        "labels": {**marks, **dict(visitor.labels)},
        "ownerReferences": [
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"],
            }
        ],
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 0,
        "activeDeadlineSeconds": lifetime,
        "imagePullSecrets": image["secrets"],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "runAsGroup": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _running(world: World, survey: str, wanted: Mapping[str, Object]) -> Mapping[str, Object]:
    names = {manifest["metadata"]["name"]: name for name, manifest in wanted.items()}
    subject = Subject("Pod", None, labels=f"{LABEL}={survey}")

    def judge(sight: Sight) -> Mapping[str, Object]:
        found = {names[pod["metadata"]["name"]]: dict(pod) for pod in sight[subject]}
        waiting = [
            workloads.pod_problem(found[name]) if name in found else f"there is no pod {name} yet"
            for name in wanted
        ]
        if told := workloads.describe(waiting):
            raise NotYet(told)
        return found

    try:
        return watching(
            world.api,
            [subject],
            judge,
            timeout=READY_SECONDS,
            wanted="the pods of the survey Running",
            progress=world.progress,
            stopping=world.stopping,
        )
    except TimedOut as problem:
        raise Unmeasurable(
            f"the pods of the survey did not start {problem.observed}",
            wanted=problem.wanted,
            hint=f"kubectl get pods -A -l {LABEL}",
        ) from None
