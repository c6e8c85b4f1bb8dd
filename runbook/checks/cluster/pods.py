"""The application's pods: running, ready, quick to get there, and the fingerprint of what runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from runbook.app import blueprint
from runbook.app.application import (
    COMPONENTS,
    DATABASE_NAMESPACE,
    MODEL_NAMESPACE,
    SECRET,
    SELECTOR,
    SIDECAR,
)
from runbook.app.secrets import secret_data
from runbook.clients.kube import workloads
from runbook.clients.kube.diagnosis import why
from runbook.clients.kube.readiness import FirstReady
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

FIVE_MINUTES = 300.0
"""Seconds (SC-001): a setting may make it less, and a longer patience of a deploy is not a longer limit."""


def all_ready(world: World) -> Outcome:
    """Each pod of the application runs with all containers ready, and took no longer than SC-001 allows.

    Raises `Unmeasurable` where a pod restarted before anybody saw it become ready: the API server keeps the last time
    only. Source: T049.
    """
    limit = min(world.settings.ready_timeout, FIVE_MINUTES)
    wanted = f"frontend, backend and mcp-server Running with all containers ready within {limit:g} s"
    namespace = world.settings.namespace
    hint = f"kubectl -n {namespace} get pods,events"
    pods = [
        pod for pod in world.api.list("Pod", namespace, labels=SELECTOR) if not workloads.terminating(pod)
    ]
    deployments = world.api.list("Deployment", namespace, labels=SELECTOR)
    if not pods and not deployments:
        return failed(
            f"namespace {namespace} has no pod of the application", wanted=wanted, hint="inv deploy"
        )
    problems = _missing(deployments) + [workloads.deployment_problem(each) for each in deployments]
    problems += [workloads.pod_problem(pod) or _container_set_problem(pod) for pod in pods]
    seconds = FirstReady(world.settings).seconds(pods)
    late = {pod: took for pod, took in seconds.items() if took > limit}
    restarted = {workloads.name(pod) for pod in pods if workloads.restarts(pod)}
    problems += [
        f"pod {pod} became Ready {took:.0f} s after its creation"
        for pod, took in late.items()
        if pod not in restarted
    ]
    problems += _stale_images(world, pods)
    text = workloads.describe(problems)
    if late and not text:
        raise Unmeasurable(
            f"{', '.join(f'pod {pod}' for pod in late)}: restarted since, so its first readiness is not known",
            wanted=wanted,
            hint="inv deploy, which recreates the pods",
        )
    if text:
        causes = [why(world.api, pod) for pod in pods if workloads.pod_problem(pod)]
        return failed(
            workloads.describe([text, *causes]), wanted=wanted, hint=hint, pods=_evidence(pods, seconds)
        )
    slowest = max(seconds.values(), default=0.0)
    told = ", ".join(f"{workloads.component(pod)} {workloads.ready_count(pod)}" for pod in pods)
    return passed(
        f"{told}; the slowest was Ready after {slowest:.0f} s", wanted=wanted, pods=_evidence(pods, seconds)
    )


def _missing(deployments: list[dict[str, Any]]) -> list[str]:
    there = {workloads.component(each) for each in deployments}
    return [f"there is no Deployment of {each.name}" for each in COMPONENTS if each.name not in there]


def _container_set_problem(pod: Mapping[str, Any]) -> str:
    """Containers are counted by name: exactly the application's own, and the sidecar where it is asked for."""
    wanted = {workloads.component(pod)}
    if (pod["metadata"].get("annotations") or {}).get("dapr.io/enabled") == "true":
        wanted.add(SIDECAR)
    found = set(workloads.containers(pod))
    if found == wanted:
        return ""
    return f"pod {workloads.name(pod)} has containers {', '.join(sorted(found))}, wanted {', '.join(sorted(wanted))}"


def _stale_images(world: World, pods: list[dict[str, Any]]) -> list[str]:
    """Pods whose container does not run the image that the node holds under its tag now."""
    held = blueprint.holdings(world)
    problems = []
    for pod in pods:
        for spec in pod["spec"]["containers"]:
            status = workloads.containers(pod).get(spec["name"]) or {}
            node = str(pod["spec"].get("nodeName", ""))
            running = held.identities(str(status.get("imageID", "")), node)
            now = held.wanted(spec["image"], node)
            if running and now and not running & now:
                problems.append(
                    f"pod {workloads.name(pod)} runs {spec['image']} as {min(running)[:19]},"
                    f" while its node now holds {min(now)[:19]} under that name"
                )
    return problems


def _evidence(pods: list[dict[str, Any]], seconds: Mapping[str, float]) -> list[dict[str, Any]]:
    return [
        {
            "pod": workloads.name(pod),
            "uid": pod["metadata"]["uid"],
            "ready": workloads.ready_count(pod),
            "restarts": workloads.restarts(pod),
            "seconds": round(seconds.get(workloads.name(pod), 0.0), 1),
            "images": {c: str(s.get("imageID", "")) for c, s in workloads.containers(pod).items()},
        }
        for pod in pods
    ]


def fingerprint(world: World) -> str:
    """The inputs of a proof by the running application, as one value: the proof is carried while they are the same.

    By content: images, mode, where the database is, and of every workload of application, database and model its
    replicas, arguments and variables (pool sizes and the model's address among them). Not pods, revisions and
    credentials, which may change without a difference; that the application answers now is for a canary to say.
    """
    settings = world.settings
    pods = world.api.list("Pod", settings.namespace, labels=SELECTOR)
    if not pods:
        raise Unmeasurable(f"namespace {settings.namespace} has no pod of the application", hint="inv deploy")
    spaces = (settings.namespace, DATABASE_NAMESPACE, MODEL_NAMESPACE)
    beside = [pod for space in spaces[1:] for pod in world.api.list("Pod", space)]
    running = [
        pod for pod in [*pods, *beside] if not workloads.terminating(pod) and not workloads.finished(pod)
    ]
    content = {
        "provider": world.cluster.provider,
        "images": sorted({image for pod in running for image in _images(pod)}),
        "mode": asdict(blueprint.mode(world)),
        "database": _database(world),
        "workloads": sorted(
            (
                _workload(kind, each)
                for kind in ("Deployment", "StatefulSet")
                for space in spaces
                for each in world.api.list(kind, space)
            ),
            key=str,
        ),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _images(pod: Mapping[str, Any]) -> list[str]:
    found = (str(status.get("imageID", "")) for status in workloads.containers(pod).values())
    return [image for image in found if image]


def _workload(kind: str, each: Mapping[str, Any]) -> list[Any]:
    spec = each["spec"]
    containers = ((spec.get("template") or {}).get("spec") or {}).get("containers") or []
    return [
        kind,  # the items of a list do not name it
        each["metadata"]["name"],
        spec.get("replicas", 1),
        [[part.get("args"), part.get("env")] for part in containers],
    ]


def _database(world: World) -> list[str]:
    """Host, port and database; nothing of who connects."""
    from runbook.clients.database import parameters_of

    url = secret_data.read(world, SECRET, world.settings.namespace).get("database-url", "")
    place = parameters_of(url, f"database-url in Secret {SECRET}") if url else {}
    return [str(place.get(each, "")) for each in ("host", "port", "dbname")]
