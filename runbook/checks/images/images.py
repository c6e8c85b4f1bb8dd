"""Images: made from these very sources, small enough, and the very same ones in the node and in the pods.

Identity everywhere: a digest over the sources is the image's label, and the image's id is compared in the engine, in
the node and in the running pods. "An image of that name exists" may be yesterday's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from runbook.app.application import COMPONENTS
from runbook.app.blueprint import holdings
from runbook.app.image_specs import NUMERIC_USER, SOURCE_DIGEST, Base, Image
from runbook.app.provenance import base_references, wanted_digest
from runbook.clients.kube import workloads
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Check, Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.clients.docker import EngineFacts, ImageFacts
    from runbook.world import World

MB = 1_000_000
DESKTOP = "docker-desktop"
"""The name that Docker Desktop's machine gives itself."""

SHOWN = 5
"""Files or layers that an outcome names, of many."""


def runs_as_numeric_user(image: Image, base: Base) -> Check:
    """The same of the built image: its account is the numeric one, and its layers start with those of the base.

    Source: T013, T015, T035.
    """
    wanted = f"an image that runs as {NUMERIC_USER}, on the base that {base.argument} names"

    def check(world: World) -> Outcome:
        facts = _held(world, image)
        if facts.user != NUMERIC_USER:
            seen = f"as user {facts.user}" if facts.user else "as root: it names no user"
            return failed(
                f"{facts.reference} runs {seen}", wanted=wanted, hint=f"edit {image.context}/Dockerfile"
            )
        reference = base_references(world, (base,))[base.argument]
        below = world.docker.image(reference)
        if below is not None and facts.layers[: len(below.layers)] != below.layers:
            return failed(f"{facts.reference} is not made on {reference}", wanted=wanted, hint="inv build")
        return passed(f"{facts.reference} runs as {facts.user} on {reference}", wanted=wanted, base=reference)

    return check


def built_from_these_sources(image: Image) -> Check:
    """The image's label carries the digest of today's sources, build arguments and bases. Source: T016, T017, T036."""

    def check(world: World) -> Outcome:
        reference = image.reference(world.settings.tag)
        digest = wanted_digest(world, image)
        wanted, hint = f"{reference} with source digest {_short(digest)}", "inv build"
        facts = world.docker.image(reference)
        if facts is None:
            return failed(f"the build engine holds no {reference}", wanted=wanted, hint=hint)
        carried = facts.labels.get(SOURCE_DIGEST, "")
        if carried != digest:
            told = f"source digest {_short(carried)}" if carried else "no source digest"
            return failed(f"{reference} carries {told}: it is of other sources", wanted=wanted, hint=hint)
        return passed(
            f"{reference} is made of these sources ({_short(digest)})",
            wanted=wanted,
            digest=digest,
            id=facts.id,
        )

    return check


def smaller_than(image: Image, *, megabytes: int) -> Check:
    """The image's unpacked bytes stay strictly below the limit, in MB of 10^6 bytes. Source: T018, T019, T037."""
    wanted = f"less than {megabytes} MB (unpacked, 10^6 bytes)"

    def check(world: World) -> Outcome:
        facts = _held(world, image)
        observed = f"{facts.reference} has {facts.size / MB:.1f} MB"
        if 0 < facts.size < megabytes * MB:
            return passed(observed, wanted=wanted, bytes=facts.size)
        if facts.size <= 0:
            raise Unmeasurable(
                f"the engine tells no size of {facts.reference}", wanted=wanted, hint="inv build"
            )
        layers = sorted(world.docker.layers(facts.reference), key=lambda layer: -layer.size)
        largest = "; ".join(f"{layer.size / MB:.1f} MB {layer.made_by[:60]}" for layer in layers[:SHOWN])
        return failed(
            f"{observed}; largest layers: {largest}",
            wanted=wanted,
            hint=f"docker image history {facts.reference}",
            bytes=facts.size,
            layers=[{"bytes": layer.size, "made_by": layer.made_by} for layer in layers],
        )

    return check


def engine_is_the_clusters(world: World) -> Outcome:
    """The engine that we build with is the one whose images the cluster runs.

    Where the node runs Docker (minikube) the daemon is the node's own and gives the node's name; where the node is a
    container (kind, minikube), it is one of that engine; the embedded node takes its images from an engine of this
    machine. Elsewhere the cluster names the engine, or the registry; one that has neither fails. Source: T045.
    """
    wanted = "one build engine, which the cluster takes its images from"
    way = ", ".join(world.cluster.holdings().nodes)
    engine = world.docker.engine()
    nodes = {str(node["metadata"]["name"]): _runtime(node) for node in world.api.list("Node")}
    if not nodes:
        raise Unmeasurable("the cluster has no node", wanted=wanted, hint="inv cluster.status")
    evidence = {"engine": engine.id, "address": engine.address, "nodes": nodes}
    runtimes = ", ".join(f"{name} ({runtime})" for name, runtime in nodes.items())
    if world.cluster.provider == "existing":
        told = f"engine {engine.version} at {engine.address} feeds {way}, which {runtimes} take images from"
        return passed(told, wanted=wanted, **evidence)
    if any(runtime.startswith("docker:") for runtime in nodes.values()):
        if engine.name not in nodes:
            return failed(
                f"we build on {engine.name} at {engine.address}, and the cluster's node is {runtimes}",
                wanted=wanted,
                hint=f"eval $(minikube -p {world.cluster.name} docker-env)",
                **evidence,
            )
        return passed(f"the engine is the node's own: {engine.name}", wanted=wanted, **evidence)
    if elsewhere := _elsewhere(world, engine, nodes):
        return failed(
            f"we build on {engine.name} at {engine.address}, and {elsewhere}",
            wanted=wanted,
            hint="unset DOCKER_HOST DOCKER_CONTEXT; inv setup",
            **evidence,
        )
    return passed(f"engine {engine.version} at {engine.address} feeds {runtimes}", wanted=wanted, **evidence)


def _elsewhere(world: World, engine: EngineFacts, nodes: Iterable[str]) -> str:
    """Where the cluster's node runs, if that is not where the engine is; empty where it is, or nothing tells."""
    provider, settings = world.cluster.provider, world.settings
    if provider == "embedded":
        own = engine.address.startswith("unix://") or engine.name in (os.uname().nodename, DESKTOP)
        return "" if own else f"the node runs on this machine, {os.uname().nodename}"
    if provider == "kind" or (provider == "minikube" and settings.driver == "docker"):
        missing = [name for name in nodes if not world.docker.runs(name)]
        return f"it runs no container {', '.join(missing)}, which the cluster's nodes are" if missing else ""
    return ""


def held_by_node(*images: Image) -> Check:
    """Every node, or their registry, holds the very images that the engine built. Source: T046."""

    def check(world: World) -> Outcome:
        references = [image.reference(world.settings.tag) for image in images]
        wanted, hint = f"the engine's {', '.join(references)} in the node", "inv deploy"
        there = world.cluster.holdings(references)
        if not there.nodes:
            raise Unmeasurable("no node shows its images", wanted=wanted, hint="inv cluster.status")
        ids, problems = {}, []
        for image in images:
            facts = _held(world, image)
            ids[facts.reference] = facts.id
            problems += there.problems(facts.reference, facts.identities)
        if problems:
            return failed("; ".join(problems), wanted=wanted, hint=hint, engine=ids)
        holders = ", ".join(there.nodes)
        told = f"{holders} {'hold' if len(there.nodes) > 1 else 'holds'} {len(ids)} images of the engine, id by id"
        return passed(told, wanted=wanted, ids=ids, nodes=list(there.nodes))

    return check


def pods_run(*images: Image) -> Check:
    """The pods that run now were started from these very images. Source: T046."""

    def check(world: World) -> Outcome:
        wanted = "running containers whose image id is that of the image built from these sources"
        problems, running = [], {}
        for image in images:
            facts, component = _held(world, image), _component(image)
            seen = _running_ids(world, component)
            running[component] = sorted(min(names) for names in seen)
            if not seen:
                raise Unmeasurable(
                    f"no container {component} runs",
                    wanted=wanted,
                    hint=f"kubectl -n {world.settings.namespace} get pods",
                )
            if other := [names for names in seen if not names & facts.identities]:
                problems.append(
                    f"{component} runs {_short(min(other[0]))}, not {facts.reference} {_short(facts.id)}"
                )
        if problems:
            return failed("; ".join(problems), wanted=wanted, hint="inv deploy", running=running)
        return passed(
            f"{', '.join(running)} run the images built from these sources", wanted=wanted, running=running
        )

    return check


def _held(world: World, image: Image) -> ImageFacts:
    reference = image.reference(world.settings.tag)
    facts = world.docker.image(reference)
    if facts is None:
        raise Unmeasurable(f"the build engine holds no {reference}", wanted=reference, hint="inv build")
    return facts


def _component(image: Image) -> str:
    return next(
        (part.name for part in COMPONENTS if part.image == image.name), image.name.removeprefix("todo-")
    )


def _running_ids(world: World, component: str) -> set[frozenset[str]]:
    """All digests of each image that a container runs; a pod that is leaving does not count."""
    found = set()
    held = holdings(world)
    for pod in world.api.list("Pod", world.settings.namespace, labels=f"app.kubernetes.io/name={component}"):
        if workloads.terminating(pod):
            continue
        for status in (pod.get("status") or {}).get("containerStatuses") or []:
            if status["name"] == component and "running" in (status.get("state") or {}):
                node = str((pod.get("spec") or {}).get("nodeName", ""))
                if names := held.identities(str(status.get("imageID", "")), node):
                    found.add(names)
    return found


def _runtime(node: dict[str, object]) -> str:
    status = node.get("status")
    information = status.get("nodeInfo") if isinstance(status, dict) else None
    return str((information or {}).get("containerRuntimeVersion", "unknown runtime"))


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
