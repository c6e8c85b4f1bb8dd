"""What the sidecars have loaded: the state store in the backend's, and in no other."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from runbook.app.application import BACKEND, COMPONENTS, SIDECAR_PORT, STATE_STORE
from runbook.app.dapr import source as dapr_source
from runbook.app.sidecars import application_pods, of_component
from runbook.clients import dapr_cli
from runbook.clients.kube import pod_http, workloads
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

Object = Mapping[str, Any]

TYPE = "state.redis"
SCOPES = [BACKEND.app_id]
METADATA = "/v1.0/metadata"


def scoped(world: World) -> Outcome:
    """The component is there with its scope, loaded by the backend's sidecars and by no other one.

    Each sidecar is asked on its own loopback (/v1.0/metadata). That one has the component shows that the question
    finds it; where the Dapr CLI is installed its list must agree.

    Source: T092.
    """
    space = world.settings.namespace
    wanted = f"component {STATE_STORE} ({TYPE}) in the sidecars of {SCOPES[0]} and in no others"
    hint = f"kubectl --namespace {space} get components.dapr.io {STATE_STORE} --output yaml"
    problems = _definition_problems(world.api.get("Component.dapr.io", STATE_STORE, space))
    pods = application_pods(world)
    for component in COMPONENTS:
        of_component(pods, component)
    with ThreadPoolExecutor(len(pods)) as pool:
        answers = dict(
            zip(map(workloads.name, pods), pool.map(lambda pod: metadata(world, pod), pods), strict=True)
        )
    version = dapr_source.version()
    for pod in pods:
        name, answer = workloads.name(pod), answers[workloads.name(pod)]
        loaded = {each["name"]: each.get("type") for each in answer.get("components") or []}
        if workloads.component(pod) == BACKEND.name:
            if loaded.get(STATE_STORE) != TYPE:
                problems.append(f"the sidecar of pod {name} has not loaded {STATE_STORE}")
        elif STATE_STORE in loaded:
            problems.append(f"the sidecar of pod {name} has loaded {STATE_STORE}, which is not for it")
        if answer.get("runtimeVersion") != version:
            problems.append(
                f"the sidecar of pod {name} is Dapr {answer.get('runtimeVersion')}, not {version}"
            )
    if dapr_cli.speaks_of_our_cluster(
        world.commands, world.cluster
    ) and STATE_STORE not in dapr_cli.components(world.commands, world.cluster, world.settings.namespace):
        problems.append(f"`dapr components` does not list {STATE_STORE}")
    if text := workloads.describe(problems):
        return failed(text, wanted=wanted, hint=hint)
    without = len([pod for pod in pods if workloads.component(pod) != BACKEND.name])
    return passed(
        f"{STATE_STORE} ({TYPE}) is loaded by the {len(pods) - without} sidecars of {SCOPES[0]},"
        f" by none of the {without} others",
        wanted=wanted,
        sidecars={
            name: [each["name"] for each in answer.get("components") or []]
            for name, answer in answers.items()
        },
    )


def metadata(world: World, pod: Object) -> dict[str, Any]:
    """What a sidecar says of itself, asked on its loopback. Raises `Unmeasurable` where it does not answer so."""
    answer = pod_http.ask(world.api, pod, SIDECAR_PORT, METADATA)
    try:
        if answer.is_success:
            return dict(answer.json())
    except (ValueError, TypeError):
        pass
    raise Unmeasurable(
        f"the sidecar of pod {workloads.name(pod)} does not tell its metadata: {answer.status_code}",
        wanted=f"an object from {METADATA}",
        hint=f"kubectl --namespace {world.settings.namespace} logs {workloads.name(pod)} --container daprd",
    )


def _definition_problems(component: Object | None) -> list[str]:
    if component is None:
        return [f"there is no component {STATE_STORE}"]
    found = []
    if component["spec"].get("type") != TYPE:
        found.append(f"component {STATE_STORE} is of type {component['spec'].get('type')}, not {TYPE}")
    if component.get("scopes") != SCOPES:
        found.append(f"component {STATE_STORE} is for {component.get('scopes') or 'every app'}, not {SCOPES}")
    return found
