"""What the sidecars have loaded: the state store in the backend's, and in no other."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from runbook.actions import dapr_source
from runbook.application import BACKEND, COMPONENTS, SIDECAR_PORT, STATE_STORE
from runbook.errors import RunbookError, Unmeasurable
from runbook.sidecars import application_pods
from runbook.step import Outcome, failed, passed
from runbook.world import workloads

if TYPE_CHECKING:
    from runbook.world import World

Object = Mapping[str, Any]

TYPE = "state.redis"
SCOPES = [BACKEND.app_id]
ASK_SECONDS = 5.0


def scoped(world: World) -> Outcome:
    """The component is there with its scope, loaded by the backend's sidecars and by no other one.

    Each sidecar is asked on its own loopback (/v1.0/metadata). That one has the component shows that the question
    finds it; where the Dapr CLI is installed its list must agree.

    Source: T092, AS-014, DAP-11.
    """
    space = world.settings.namespace
    wanted = f"component {STATE_STORE} ({TYPE}) in the sidecars of {SCOPES[0]} and in no others"
    hint = f"kubectl --namespace {space} get components.dapr.io {STATE_STORE} --output yaml"
    problems = _definition_problems(world.api.get("Component.dapr.io", STATE_STORE, space))
    pods = application_pods(world)
    if missing := {c.name for c in COMPONENTS} - {workloads.component(pod) for pod in pods}:
        raise Unmeasurable(
            f"there is no pod of {', '.join(sorted(missing))}", wanted=wanted, hint="inv verify.step T088"
        )
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
    problems += _by_the_cli(world)
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
    """What a sidecar says of itself, asked on its loopback. Raises `Unmeasurable` where it does not answer."""
    import httpx

    name = workloads.name(pod)
    try:
        with world.api.port_forward(name, SIDECAR_PORT, world.settings.namespace) as port:
            answer = httpx.get(f"http://127.0.0.1:{port}/v1.0/metadata", timeout=ASK_SECONDS, trust_env=False)
            answer.raise_for_status()
            return dict(answer.json())
    except (httpx.HTTPError, ValueError) as problem:
        raise Unmeasurable(
            f"the sidecar of pod {name} does not tell its metadata: {problem}",
            wanted="an answer of /v1.0/metadata",
            hint=f"kubectl --namespace {world.settings.namespace} logs {name} --container daprd",
        ) from None


def _definition_problems(component: Object | None) -> list[str]:
    if component is None:
        return [f"there is no component {STATE_STORE}"]
    found = []
    if component["spec"].get("type") != TYPE:
        found.append(f"component {STATE_STORE} is of type {component['spec'].get('type')}, not {TYPE}")
    if component.get("scopes") != SCOPES:
        found.append(f"component {STATE_STORE} is for {component.get('scopes') or 'every app'}, not {SCOPES}")
    return found


def _by_the_cli(world: World) -> list[str]:
    """The list of `dapr components`, where there is a CLI: never the only proof."""
    import json

    if world.commands.find("dapr") is None:
        return []
    pinned = world.cluster.kubeconfig()
    argv = ["dapr", "components", "-k", "--namespace", world.settings.namespace, "--output", "json"]
    try:
        answer = world.commands.run(argv, timeout=15.0, env={"KUBECONFIG": str(pinned.path)})
        listed = {str(each.get("name")) for each in json.loads(answer.stdout or "[]")}
    except (RunbookError, ValueError) as problem:
        raise Unmeasurable(f"the Dapr CLI does not list components: {problem}", hint=" ".join(argv)) from None
    return [] if STATE_STORE in listed else [f"`dapr components` does not list {STATE_STORE}"]
