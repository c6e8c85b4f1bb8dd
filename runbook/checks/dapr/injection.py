"""The sidecars: one in each pod of the application, of the control plane that runs now, and nothing besides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runbook.app import blueprint
from runbook.app.application import COMPONENTS, SELECTOR, SIDECAR
from runbook.app.release_state import problems as release_problems
from runbook.app.sidecars import application_pods, sidecar_of, stale
from runbook.checks.chart.quantities import quantity
from runbook.clients.kube import workloads
from runbook.clients.kube.releases import newest
from runbook.engine.step import Check, Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

Object = Mapping[str, Any]

MTLS = "--enable-mtls"
ENABLED = "dapr.io/enabled"


def released(world: World) -> Outcome:
    """The live release is that of this chart with Dapr on, and all its pods were made with today's control plane.

    Source: T087.
    """
    settings = world.settings
    wanted = f"release {settings.release} deployed with Dapr, every pod rolled out with its sidecar"
    mode = blueprint.mode(world)
    if not mode.dapr:
        return failed("the release is deployed without Dapr", wanted=wanted, hint="inv dapr")
    last = newest(world.api, settings.release, settings.namespace)
    problems = release_problems(world, blueprint.application(world, mode), last)
    deployments = world.api.list("Deployment", settings.namespace, labels=SELECTOR)
    problems += [workloads.deployment_problem(each) for each in deployments]
    problems += stale(world)
    if text := workloads.describe(problems):
        return failed(text, wanted=wanted, hint="inv dapr")
    assert last is not None
    return passed(
        f"revision {last.revision} of {settings.release} is deployed with Dapr, {len(deployments)} Deployments"
        " are rolled out",
        wanted=wanted,
        revision=last.revision,
    )


def injected(world: World) -> Outcome:
    """Each pod of the application holds its own container and daprd, which has mutual TLS on and never crashed.

    Containers are counted by name, in `containers` and `initContainers`: newer versions inject daprd as the latter.

    Source: T088, D-01, D-25.
    """
    space = world.settings.namespace
    wanted = f"in each pod of the application its container and {SIDECAR}, no more; it never crashed; {MTLS}"
    pods = application_pods(world)
    problems = [
        f"there is no pod of {component.name}"
        for component in COMPONENTS
        if component.name not in {workloads.component(pod) for pod in pods}
    ]
    problems += _misplaced(world)
    problems += [problem for pod in pods for problem in _pod_problems(pod)]
    problems += stale(world)
    if text := workloads.describe(problems):
        return failed(text, wanted=wanted, hint=f"kubectl --namespace {space} get pods; inv dapr")
    told = ", ".join(
        f"{workloads.component(pod)} {'+'.join(sorted(workloads.containers(pod)))}" for pod in pods
    )
    return passed(
        f"{told}; no sidecar crashed",
        wanted=wanted,
        pods={
            workloads.name(pod): {
                "uid": pod["metadata"]["uid"],
                "containers": sorted(workloads.containers(pod)),
                "restarts": workloads.restarts(pod),
                "arguments": sidecar_of(pod).get("args"),
            }
            for pod in pods
        },
    )


def _pod_problems(pod: Object) -> list[str]:
    name, own = workloads.name(pod), workloads.component(pod)
    containers = [c["name"] for c in pod["spec"]["containers"]]
    beside = [c["name"] for c in pod["spec"].get("initContainers") or []]
    found = []
    if sorted([*containers, *beside]) != sorted([own, SIDECAR]):
        listed = ", ".join(sorted([*containers, *beside]))
        found.append(f"pod {name} has the containers {listed}, not {own} and {SIDECAR}")
    found.append(workloads.pod_problem(pod))
    found.append(_crash(pod))
    if sidecar := sidecar_of(pod):
        arguments = sidecar.get("args") or []
        if MTLS not in arguments:
            found.append(f"{SIDECAR} of pod {name} runs without {MTLS}")
        wanted_id = f"todo-{own}"
        if wanted_id not in arguments:
            found.append(f"{SIDECAR} of pod {name} does not run as {wanted_id}")
    return found


def _crash(pod: Object) -> str:
    """A sidecar that ended by itself; one that went with its node, which says "Unknown", is none."""
    status = workloads.containers(pod).get(SIDECAR) or {}
    last = (status.get("lastState") or {}).get("terminated") or {}
    if not status.get("restartCount") or last.get("reason") == "Unknown":
        return ""
    ended = f"{last.get('reason', 'no reason given')}, exit code {last.get('exitCode')}"
    return f"{SIDECAR} of pod {workloads.name(pod)} restarted {status['restartCount']} times ({ended})"


def _misplaced(world: World) -> list[str]:
    """Annotations on the Deployment itself do nothing: the injector reads those of the pod."""
    return [
        f"{ENABLED} is on Deployment {workloads.name(each)} itself, where nothing reads it, and not on its pods"
        for each in world.api.list("Deployment", world.settings.namespace, labels=SELECTOR)
        if (each["metadata"].get("annotations") or {}).get(ENABLED)
        and not (each["spec"]["template"]["metadata"].get("annotations") or {}).get(ENABLED)
    ]


def limited(requests: Mapping[str, str], limits: Mapping[str, str]) -> Check:
    """Each sidecar that runs asks for this and is limited to that: what the injector made of the annotations.

    Source: T084, AS-014.
    """
    figures = {"requests": requests, "limits": limits}
    told = "; ".join(f"{kind} {', '.join(each.values())}" for kind, each in figures.items())

    def check(world: World) -> Outcome:
        wanted = f"in each sidecar that runs {told}"
        problems, seen = [], 0
        for pod in application_pods(world):
            resources = sidecar_of(pod).get("resources")
            if not sidecar_of(pod):
                problems.append(f"pod {workloads.name(pod)} has no sidecar")
                continue
            seen += 1
            problems += [
                f"the sidecar of {workloads.name(pod)} {kind} {name} of {has or 'nothing'}, not {figure}"
                for kind, each in figures.items()
                for name, figure in each.items()
                for has in [str(((resources or {}).get(kind) or {}).get(name, ""))]
                if not has or quantity(has) != quantity(figure)
            ]
        if problems:
            return failed("; ".join(problems), wanted=wanted, hint="inv dapr", sidecars=seen)
        return passed(f"{seen} sidecars run with {told}", wanted=wanted, sidecars=seen)

    return check
