"""The production values asked of the real API server without writing: by Helm, and object by object with all admission.

Helm's own dry run looks kinds up and asks for no admission. The namespace of production is not there, and an object
can be asked about in an existing one only. So each object is asked about in the live namespace, under a name of its
own: that namespace is labelled as the other would be, which is checked first.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from runbook.app import namespaces
from runbook.app.blueprint import PRODUCTION, chart_of
from runbook.checks.chart.rendering import as_written
from runbook.clients.kube import workloads
from runbook.clients.kube.kinds import full_name
from runbook.clients.kube.releases import revisions
from runbook.engine.errors import CommandFailed, Unmeasurable
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.clients.kube.reviews import Admission
    from runbook.world import World

Object = dict[str, Any]

SPACE = "todo-prod"
SUFFIX = "-dry-run"
CONTROL = "Deployment"
"""A kind of which there are live objects."""

AT_A_TIME = 8


def accepted(world: World) -> Outcome:
    """Every object and every pod of it is admitted without a warning, a privileged pod is not, and nothing is written.

    Source: T100.
    """
    settings = world.settings
    chart, values = chart_of(world), as_written(world, PRODUCTION)
    wanted = f"every object for namespace {SPACE} admitted without a warning, and nothing written"
    hint = f"helm upgrade --install {settings.release} {chart} --values {chart / PRODUCTION}"
    hint += f" --namespace {SPACE} --dry-run=server"
    before = _there(world)
    if problems := _unlike(world):
        return failed("; ".join(problems), wanted=wanted, hint="inv deploy")
    try:
        lasting, hooks = world.helm.dry_run(settings.release, chart, SPACE, values=values)
    except CommandFailed as error:
        away = "no matches for kind" in error.observed and "dapr.io" in error.observed
        return failed(error.observed, wanted=wanted, hint="inv dapr" if away else hint)
    objects = [_moved(each, settings.namespace) for each in (*lasting, *hooks)]
    pods = [pod for each in objects for pod in _pods(each)]
    if not objects or not pods:
        raise Unmeasurable(
            f"Helm would make {len(objects)} objects with {len(pods)} pods", wanted=wanted, hint=hint
        )
    asked = [*_namespaces(world), *objects, *pods]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        answers = list(pool.map(world.api.reviews.admission, asked))
        refusal = world.api.reviews.admission(_privileged(pods[0]))
    problems = [told for each, answer in zip(asked, answers, strict=True) for told in _told(each, answer)]
    if refusal.accepted or "PodSecurity" not in refusal.words:
        problems.append(f"a privileged pod is not refused by pod security: {refusal.words or 'accepted'}")
    problems += _written(world, objects, before)
    if problems:
        return failed("; ".join(dict.fromkeys(problems)), wanted=wanted, hint=hint)
    return passed(
        f"{len(objects)} objects and {len(pods)} pods would be admitted, without a warning; a privileged pod would not;"
        " nothing of it is there",
        wanted=wanted,
        objects=[f"{each['kind']} {each['metadata']['name'].removesuffix(SUFFIX)}" for each in objects],
    )


def _unlike(world: World) -> list[str]:
    """Why the live namespace cannot stand for that of production, or why the latter is not held to the standard."""
    own = namespaces.manifest(world)
    problems = [namespaces.lacking(own, world.api.get("Namespace", world.settings.namespace))]
    if (there := world.api.get("Namespace", SPACE)) is not None:
        problems.append(namespaces.lacking(namespaces.restricted(world, SPACE), there))
    return [problem for problem in problems if problem]


def _there(world: World) -> tuple[Any, ...]:
    """What there is of production now: its namespace, and the revisions of the release in it."""
    found = world.api.get("Namespace", SPACE)
    kept = revisions(world.api, world.settings.release, SPACE)
    return (found["metadata"]["uid"] if found else None, tuple((each.revision, each.status) for each in kept))


def _namespaces(world: World) -> list[Object]:
    """The namespace itself, where it is not there."""
    return [] if world.api.get("Namespace", SPACE) else [namespaces.restricted(world, SPACE)]


def _moved(thing: Object, space: str) -> Object:
    """The object under a name that nothing has, in the namespace that stands for the other."""
    moved = copy.deepcopy(thing)
    moved["metadata"] |= {"name": f"{workloads.name(thing)}{SUFFIX}", "namespace": space}
    return moved


def _pods(thing: Object) -> Iterator[Object]:
    """The pod that the object would make: pod security refuses pods, and of their owners it only warns."""
    template = (thing.get("spec") or {}).get("template")
    if not template:
        return
    spec = copy.deepcopy(template["spec"])
    # An account of another release is not there; admission wants one that is.
    spec["serviceAccountName"] = "default"
    claimed = [each["metadata"]["name"] for each in thing["spec"].get("volumeClaimTemplates") or []]
    spec["volumes"] = [*(spec.get("volumes") or []), *({"name": name, "emptyDir": {}} for name in claimed)]
    metadata = {
        **(template.get("metadata") or {}),
        **{key: thing["metadata"][key] for key in ("name", "namespace")},
    }
    yield {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _privileged(pod: Object) -> Object:
    """The control: the same pod, with what the standard forbids."""
    made = copy.deepcopy(pod)
    made["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    return made


def _told(thing: Mapping[str, Any], answer: Admission) -> list[str]:
    title = f"{thing['kind']} {workloads.name(thing).removesuffix(SUFFIX)}"
    if not answer.accepted:
        return [f"{title} is refused: {answer.words}"]
    return [f"{title} is admitted with a warning: {warning}" for warning in answer.warnings]


def _written(world: World, objects: Sequence[Object], before: tuple[Any, ...]) -> list[str]:
    """What is there now and was not before; that the same look finds the live Deployments is its control."""
    problems = [f"namespace {SPACE} or a release in it has changed"] if _there(world) != before else []
    space = world.settings.namespace
    live = {
        kind: {workloads.name(each) for each in world.api.list(kind, space)}
        for kind in {CONTROL, *(full_name(each) for each in objects)}
    }
    if not live[CONTROL]:
        raise Unmeasurable(
            f"namespace {space} shows no Deployment", wanted="the live ones, as a control", hint="inv deploy"
        )
    return problems + [
        f"{each['kind']} {workloads.name(each)} was written"
        for each in objects
        if workloads.name(each) in live[full_name(each)]
    ]
