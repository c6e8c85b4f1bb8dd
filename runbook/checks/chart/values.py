"""The values files of the chart: fit for production by default, fit for a local cluster by values-dev.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.app.blueprint import DEVELOPMENT, chart_of
from runbook.checks.chart.rendering import RELEASE, containers, render, renders, variants
from runbook.clients.helm import NO_VALUES, Values
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World


def fit_for_production(world: World) -> Outcome:
    """Without values files: images pulled by a fixed tag, two replicas, no secret in clear, no stand-in, and a schema.

    Source: T021.
    """
    wanted = (
        "fixed tags, images pulled, 2 or more replicas, secrets by reference, no stand-in, a strict schema"
    )
    chart = chart_of(world)
    problems = []
    examined = 0
    for title, pod, container in containers(render(world, "defaults", NO_VALUES)):
        examined += 1
        name, _, tag = str(container["image"]).rpartition(":")
        if not name or tag == "latest":
            problems.append(f"{title}: image {container['image']} has no fixed tag")
        if container.get("imagePullPolicy") == "Never":
            problems.append(f"{title}: its image is never pulled")
        for variable in container.get("env") or []:
            if _secretive(variable["name"]) and "value" in variable:
                problems.append(f"{title}: {variable['name']} is in plain text")
            if "offline-model" in str(variable.get("value")):
                problems.append(f"{title}: {variable['name']} names the offline model")
        if pod.get("replicas", 2) < 2:
            problems.append(f"{title}: one replica")
    if examined == 0:
        raise Unmeasurable("the defaults render no container", wanted=wanted, hint=f"helm template {chart}")
    if renders(world, chart, {"frontend": {"replicaCuont": 2}}):
        problems.append("the schema takes an unknown value (frontend.replicaCuont)")
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=f"helm template {RELEASE} {chart}")
    return passed(f"{examined} containers, all as wanted; an unknown value is refused", wanted=wanted)


def fit_for_development(world: World) -> Outcome:
    """With values-dev.yaml every image is the node's own: policy Never and the tag that is built here.

    A tag of one's own (TODO_TAG) is handed over as the deployment does it; else the file's tag has to be the right one.

    Source: T022.
    """
    wanted = f"imagePullPolicy Never and tag {world.settings.tag} for each container"
    chart = chart_of(world)
    values = dict(variants(chart))
    if DEVELOPMENT not in values:
        return failed(f"there is no {chart / DEVELOPMENT}", wanted=wanted, hint=f"git status {chart}")
    problems, told = [], []
    title, chosen = DEVELOPMENT, values[DEVELOPMENT]
    if world.settings.tag != Settings.model_fields["tag"].default:
        overrides = {"global": {"imageTag": world.settings.tag}}
        title, chosen = f"{DEVELOPMENT}, tag {world.settings.tag}", Values(chosen.files, overrides)
    for workload, _, container in containers(render(world, title, chosen)):
        image, policy = str(container["image"]), container.get("imagePullPolicy")
        told.append(f"{container['name']} {image}")
        if policy != "Never":
            problems.append(f"{workload}: imagePullPolicy is {policy}")
        if "/" in image or image.rpartition(":")[2] != world.settings.tag:
            problems.append(f"{workload}: {image} is not built here")
    if not told:
        raise Unmeasurable(
            f"{DEVELOPMENT} renders no container", wanted=wanted, hint=f"helm template {chart}"
        )
    if problems:
        command = f"helm template {RELEASE} {chart} --values {chart / DEVELOPMENT}"
        return failed("; ".join(problems), wanted=wanted, hint=command)
    return passed(", ".join(told), wanted=wanted)


def _secretive(variable: str) -> bool:
    return variable.endswith(("_KEY", "_SECRET", "_PASSWORD", "_TOKEN")) or variable == "DATABASE_URL"
