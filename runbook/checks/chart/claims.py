"""Claims about objects: one assertion serves the rendered chart and the live cluster alike.

A claim examines what a `Scene` shows and returns what it saw and what is wrong; it never asks where the objects
come from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runbook.app.application import Component

Object = Mapping[str, Any]


class Absent(Exception):
    """The scene does not hold an object that a claim is about."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"there is no {kind} {name}")


@dataclass(frozen=True, slots=True)
class Scene:
    """Objects by kind and name, and the names that the application goes by."""

    find: Callable[[str, str], Object | None]
    host: str
    namespace: str

    def the(self, kind: str, name: str) -> Object:
        """The object. Raises `Absent`."""
        found = self.find(kind, name)
        if found is None:
            raise Absent(kind, name)
        return found


@dataclass(frozen=True, slots=True)
class Seen:
    """What a claim saw in a few words, and what of it is not as wanted."""

    observed: str
    problems: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """`look` is a command that shows the live objects which the claim is about; {namespace} is filled in."""

    wanted: str
    look: str
    examine: Callable[[Scene], Seen]


def quietly(claim: Claim) -> Claim:
    """The same claim, of which only problems are told: for one among many."""
    return replace(claim, examine=lambda scene: Seen("", claim.examine(scene).problems))


def namespace(labels: Mapping[str, str]) -> Claim:
    """The namespace carries these labels. Source: T042."""

    def examine(scene: Scene) -> Seen:
        found = scene.the("Namespace", scene.namespace)["metadata"].get("labels") or {}
        problems = [
            f"label {key} is {found.get(key, 'not set')}, not {value}"
            for key, value in labels.items()
            if found.get(key) != value
        ]
        return Seen(
            f"namespace {scene.namespace}, {figures({key: found.get(key) for key in labels})}", problems
        )

    return Claim(
        f"namespace todo with {figures(labels)}", "kubectl get namespace {namespace} --show-labels", examine
    )


def look(kind: str, name: str) -> str:
    """The command that shows one live object."""
    return f"kubectl --namespace {{namespace}} get {kind} {name} --output yaml"


def pod_spec(scene: Scene, component: Component) -> Object:
    """The pod template of a component's Deployment. Raises `Absent`."""
    spec: Object = scene.the("Deployment", component.name)["spec"]["template"]["spec"]
    return spec


def container_of(pod: Object, component: Component) -> Object:
    """The component's own container. Raises `Absent`."""
    for container in pod["containers"]:
        if container["name"] == component.name:
            found: Object = container
            return found
    raise Absent("container", component.name)


def port_of(container: Object, wanted: object) -> int | None:
    """The number of a declared container port, by its number or name."""
    for port in container.get("ports") or []:
        if wanted in (port["containerPort"], port.get("name")):
            return int(port["containerPort"])
    return None


def figures(named: Mapping[str, object] | None) -> str:
    """Named figures in a few words."""
    return ", ".join(f"{name}={figure}" for name, figure in (named or {}).items()) or "nothing"
