"""The application brought onto the cluster: namespaces, Secrets, stand-ins, release, and pods that are ready."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.actions.cluster import namespace, rollout
from runbook.actions.database import roles
from runbook.actions.images import builds
from runbook.actions.package import stand_ins
from runbook.actions.package.helm_release import go_back, install
from runbook.actions.security import backing_services, secrets, web
from runbook.app import blueprint
from runbook.app import image_specs as sources
from runbook.app.application import (
    COMPONENTS,
    DATABASE_NAMESPACE,
    DATABASE_RELEASE,
    MODEL_NAMESPACE,
    MODEL_RELEASE,
    SELECTOR,
)
from runbook.app.release_state import is_current
from runbook.clients.kube import releases, workloads
from runbook.clients.kube.diagnosis import bundle
from runbook.clients.kube.readiness import FirstReady
from runbook.engine import state_file
from runbook.engine.errors import RunbookError, UsageError
from runbook.engine.redaction import redacted

if TYPE_CHECKING:
    from runbook.app.blueprint import Blueprint, Mode
    from runbook.world import World


def deploy(world: World) -> None:
    """Make the live release that of this very chart, with these images and Secrets, and wait until its pods are ready.

    Nothing is written where nothing changed. When a new revision does not become ready, evidence is gathered first,
    then the revision before is restored.

    Source: T048.
    """
    refuse_foreign(world)
    refuse_other_environment(world)
    world.api.guard()
    backing_services.check(world)
    namespace.ensure(world)
    world.cluster.enable_ingress(world.progress)  # one that reads our namespace alone can do so from now on
    secrets.ensure(world)
    if world.settings.production:
        _prepare_production(world)
    stand_ins.ensure(world)
    roles.mend(world)
    bring(world)


def refuse_foreign(world: World) -> None:
    """Raise `Foreign` where a namespace or a release that a deploy would make or change is somebody else's."""
    namespace.refuse_foreign(world)
    settings = world.settings
    for name, space in (
        (settings.release, settings.namespace),
        (DATABASE_RELEASE, DATABASE_NAMESPACE),
        (MODEL_RELEASE, MODEL_NAMESPACE),
    ):
        if world.api.get("Namespace", space) is not None:
            releases.refuse_foreign(settings, world.api, name, space)


def _prepare_production(world: World) -> None:
    """What the production values call for besides: the certificate of the host, and Redis with its password."""
    from runbook.actions.dapr import redis

    web.ensure(world)
    redis.ensure_secret(world)
    builds.load_into_cluster(sources.REDIS)(world)
    world.clients.memory.forget()  # the registry holds another image now


def refuse_other_environment(world: World) -> None:
    """Raise `UsageError` where the live release is of development and the settings are of production, or vice versa."""
    if problem := blueprint.environment_problem(world):
        raise UsageError(
            f"{problem}; it was left as it is",
            wanted="a release of the same environment, or none",
            hint=f"--env {blueprint.environment(world)}, or TODO_NAMESPACE=<another name>, or first: inv cleanup",
        )


def bring(world: World, mode: Mode | None = None) -> None:
    """The release alone, in the mode that it has or in another one; nothing is written where nothing changed."""
    refuse_other_environment(world)
    wanted = blueprint.application(world, mode)
    if not is_current(world, wanted):
        roll_out(world, wanted)


def roll_out(world: World, wanted: Blueprint) -> None:
    """A new revision and pods that are ready; else evidence, the revision before, and the reason raised."""
    world.progress(f"helm upgrade --install {wanted.release}")
    try:
        install(world, wanted)
        wait(world)
    except RunbookError as problem:
        kept = _keep_evidence(world, wanted)
        done = go_back(world, wanted)
        problem.observed = f"{problem.observed}; {done}; evidence: {kept}"
        raise


def wait(world: World) -> None:
    """Wait until all pods of the application are ready (SC-001)."""
    rollout.settle(
        world,
        world.settings.namespace,
        labels=SELECTOR,
        names=[component.name for component in COMPONENTS],
        timeout=world.settings.ready_timeout,
    )


def ready(world: World) -> None:
    """Wait until all pods are ready; recreate those of which nobody knows that they were in time (SC-001), and wait."""
    wait(world)
    settings = world.settings
    pods = world.api.list("Pod", settings.namespace, labels=SELECTOR)
    seconds = FirstReady(settings).seconds(pods)
    late = [pod for pod in pods if seconds.get(workloads.name(pod), 0.0) > settings.ready_timeout]
    for kind in ("Deployment", "StatefulSet"):
        names = {workloads.name(each) for each in world.api.list(kind, settings.namespace, labels=SELECTOR)}
        if names := names & {workloads.component(pod) for pod in late}:
            world.progress(f"recreating the pods of {', '.join(sorted(names))}")
            rollout.restart(world, settings.namespace, sorted(names), kind)
    if late:
        wait(world)


def _keep_evidence(world: World, wanted: Blueprint) -> Path:
    """Pods, events and logs as they are now: a rollback or an uninstall would take them away."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path = world.settings.state / "evidence" / f"failed-{wanted.release}-{stamp}.json"
    state_file.write_json(path, redacted(bundle(world.api, wanted.namespace)))
    return path
