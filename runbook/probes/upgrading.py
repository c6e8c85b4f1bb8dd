"""The live release changed on purpose and brought back: by another tag, by a broken revision, by a rollback."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from runbook.actions.package import release
from runbook.actions.package.helm_release import install
from runbook.app import blueprint
from runbook.app.application import COMPONENTS, MCP_SERVER, REDIS, SELECTOR
from runbook.app.blueprint import Blueprint
from runbook.app.release_state import DEPLOYED, is_current, problems
from runbook.clients.helm import Values, merged
from runbook.clients.kube import workloads
from runbook.clients.kube.releases import DIGEST_LABEL, Revision, newest, revisions
from runbook.engine.errors import RunbookError, Unmeasurable

if TYPE_CHECKING:
    from runbook.world import World

LABEL = MARK = "todo.runbook/drill"
"""Of an image that a drill made; and, as an annotation, of a pod that it changed."""

DEADLINE = 30.0
"""Seconds that Helm waits for a revision which never becomes ready."""


@dataclass(frozen=True, slots=True)
class Running:
    """A pod of the application: its own identity, and the image that its container was made from."""

    pod: str
    component: str
    image: str
    image_id: str


def running(world: World) -> frozenset[Running]:
    """The pods of the application that are not being removed."""
    found = []
    held = world.cluster.holdings()
    for pod in world.api.list("Pod", world.settings.namespace, labels=SELECTOR):
        if workloads.terminating(pod):
            continue
        component = workloads.component(pod)
        spec: dict[str, Any] = next(
            (each for each in pod["spec"]["containers"] if each["name"] == component), {}
        )
        status = workloads.containers(pod).get(component) or {}
        image_id = held.id(str(status.get("imageID", "")), str(pod["spec"].get("nodeName", "")))
        found.append(Running(str(pod["metadata"]["uid"]), component, str(spec.get("image", "")), image_id))
    return frozenset(found)


def images(pods: frozenset[Running]) -> dict[str, set[tuple[str, str]]]:
    """Component -> image and its id, of all its pods."""
    found: dict[str, set[tuple[str, str]]] = {}
    for each in pods:
        found.setdefault(each.component, set()).add((each.image, each.image_id))
    return found


@dataclass(frozen=True, slots=True)
class Start:
    """The release before it is changed, and what it takes to come back."""

    wanted: Blueprint
    revision: Revision
    pods: frozenset[Running]

    def changed(self, overrides: Mapping[str, Any]) -> Blueprint:
        """The same release with other values. Its digest is nobody's: a deploy repairs what a killed drill left."""
        values = Values(self.wanted.values.files, merged(self.wanted.values.overrides or {}, overrides))
        return replace(self.wanted, values=values, digest=f"drill-{uuid4().hex[:12]}")

    def differences(self, world: World) -> list[str]:
        """In what the release and its pods are no longer as they were: manifest, digest, images."""
        last = newest(world.api, self.wanted.release, self.wanted.namespace)
        found = problems(world, self.wanted, last)
        if last is not None and last.manifest() != self.revision.manifest():
            found.append(
                f"the manifest of revision {last.revision} is not that of revision {self.revision.revision}"
            )
        if images(running(world)) != images(self.pods):
            found.append("the pods run other images than before")
        return found


def begin(world: World) -> Start:
    """Raises `Unmeasurable` unless the release is the one of this chart, and deployed: there must be a way back."""
    wanted = blueprint.application(world)
    last = newest(world.api, wanted.release, wanted.namespace)
    told = problems(world, wanted, last)
    if told or last is None:
        raise Unmeasurable(
            "; ".join(told), wanted="the deployed release, as a place to come back to", hint="inv deploy"
        )
    return Start(wanted, last, running(world))


@contextmanager
def restored(world: World) -> Iterator[Start]:
    """Hand over the release as it is; afterwards bring it back, whatever was made of it."""
    start = begin(world)
    try:
        yield start
    finally:
        world.progress("bringing the release back")
        world.clients.memory.forget()
        if not is_current(world, start.wanted):
            release.roll_out(world, start.wanted)
        release.wait(world)


def roll_out(world: World, start: Start, overrides: Mapping[str, Any]) -> None:
    """The release with other values, and ready pods, as `inv deploy` does it. Raises `RunbookError` where it fails."""
    release.roll_out(world, start.changed(overrides))


def roll_back(world: World, start: Start) -> None:
    """`helm rollback` to the revision from before, and ready pods."""
    wanted = start.wanted
    world.progress(f"helm rollback {wanted.release} {start.revision.revision}")
    world.helm.rollback(wanted.release, start.revision.revision, wanted.namespace)
    release.wait(world)


def marked(world: World, space: str) -> bool:
    """Whether a pod of the MCP server carries the drill's annotation."""
    pods = world.api.list("Pod", space, labels=f"app.kubernetes.io/name={MCP_SERVER.name}")
    return any(
        MARK in (each["metadata"].get("annotations") or {})
        for each in pods
        if not workloads.terminating(each)
    )


@dataclass(frozen=True, slots=True)
class Attempt:
    """An upgrade to values that cannot work: how it ended, what Helm recorded, and what runs then."""

    error: RunbookError | None
    made: tuple[Revision, ...]
    evidence: bool
    """Files of evidence were kept of it."""
    pods: frozenset[Running]


def attempt(world: World, start: Start, overrides: Mapping[str, Any], *, by_helm: bool) -> Attempt:
    """Upgrade to broken values, by Helm's own flag or as `inv deploy` does it, and wait for ready pods."""
    before, known = len(since(world, start)), set(_evidence(world))
    world.progress("waiting for a broken upgrade to take itself back")
    error: RunbookError | None = None
    try:
        if by_helm:
            _upgrade_or_roll_back(world, start.changed(overrides))
        else:
            roll_out(world, start, overrides)
    except RunbookError as problem:
        error = problem
    made, kept = since(world, start)[before:], bool(set(_evidence(world)) - known)
    if error is not None and made and made[-1].status == DEPLOYED:
        release.wait(world)
    return Attempt(error, tuple(made), kept, running(world))


def _upgrade_or_roll_back(world: World, wanted: Blueprint) -> None:
    world.helm.upgrade(
        wanted.release,
        wanted.chart,
        wanted.namespace,
        values=wanted.values,
        labels={DIGEST_LABEL: wanted.digest},
        wait=True,
        rollback=True,
        timeout=DEADLINE,
    )


def _evidence(world: World) -> list[Path]:
    return list((world.settings.state / "evidence").glob(f"failed-{world.settings.release}-*.json"))


def again(world: World, wanted: Blueprint) -> None:
    """One more revision of the same, and ready pods."""
    install(world, wanted)
    release.wait(world)


def since(world: World, start: Start) -> list[Revision]:
    """The revisions that were made after the start."""
    kept = revisions(world.api, start.wanted.release, start.wanted.namespace)
    return [each for each in kept if each.revision > start.revision.revision]


@contextmanager
def other_images(world: World) -> Iterator[tuple[str, dict[str, str]]]:
    """The application's images once more, under another tag and, by one label, with an identity of their own.

    In the engine and in the node; both forget them afterwards. Yields the tag, and component -> image id.
    """
    tag = f"{world.settings.tag}-drill"
    references = {each.name: f"{each.image}:{tag}" for each in COMPONENTS}
    try:
        for component in COMPONENTS:
            _derive(world, f"{component.image}:{world.settings.tag}", references[component.name])
        try:
            world.cluster.load_images(list(references.values()), world.progress)
        except Unmeasurable:
            raise
        except RunbookError as problem:
            raise Unmeasurable(problem.observed, wanted=problem.wanted, hint=problem.hint) from None
        held = world.cluster.holdings(list(references.values()))
        found = {name: held.image(reference) for name, reference in references.items()}
        yield tag, {name: image.id if image else "" for name, image in found.items()}
    finally:
        with suppress(RunbookError):  # a name that is left harms nobody, and the next drill takes it over
            world.cluster.forget_images(list(references.values()))
        for reference in references.values():
            world.docker.discard(reference)


def with_tag(tag: str, ids: Mapping[str, str], world: World) -> dict[str, Any]:
    """Values that give the application's images another tag (or digest, from a registry) and leave Redis its own."""
    overrides: dict[str, Any] = {"global": {"imageTag": tag}}
    if world.settings.registry:
        overrides |= {name: {"image": {"digest": digest}} for name, digest in ids.items()}
    if blueprint.mode(world).redis:
        overrides[REDIS] = {"image": {"tag": world.settings.tag}}
    return overrides


def _derive(world: World, reference: str, other: str) -> None:
    with tempfile.TemporaryDirectory(prefix="todo-tag-") as folder:
        file = Path(folder) / "Dockerfile"
        file.write_text(f"FROM {reference}\n")
        world.docker.build(
            Path(folder), other, file=file, labels={LABEL: uuid4().hex[:12]}, progress=world.progress
        )
