"""The chart: rendered and parsed before the deployment, asked of the live objects after it.

A claim (see `claims`) becomes two checks: `rendered` examines the chart under its default values and under the
development values, `deployed` examines what the API server holds.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from runbook.app.application import COMPONENTS
from runbook.app.blueprint import chart_of
from runbook.checks.chart.claims import Absent, Claim, Object, Scene, Seen
from runbook.checks.chart.rendering import (
    DIRECT,
    HOST,
    MESHED,
    NAMESPACE,
    RELEASE,
    Mode,
    as_written,
    host_of,
    render,
    variants,
)
from runbook.clients.helm import NO_VALUES
from runbook.clients.kube.kinds import full_name
from runbook.engine.errors import CommandFailed, Unmeasurable
from runbook.engine.step import Check, Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World


def rendered(claim: Claim, *modes: Mode) -> Check:
    """The claim holds for the chart as it renders: with its defaults, and with the development values, in each mode."""

    def check(world: World) -> Outcome:
        problems, observed = [], ""
        chart = chart_of(world)
        for title, values in [each for mode in modes or (DIRECT,) for each in variants(chart, mode)]:
            try:
                objects = render(world, title, values)
            except CommandFailed as error:
                problems.append(f"with {title} the chart does not render: {error.observed}")
                continue
            seen = _examine(claim, Scene(_finder(objects), host_of(values), NAMESPACE))
            observed = seen.observed
            problems += [f"with {title}: {problem}" for problem in seen.problems]
        return _judge(claim, Seen(observed, problems), hint=f"helm template {RELEASE} {chart}")

    return check


def rendered_with(file: str, *claims: Claim) -> Check:
    """The claims hold for the chart as it renders with that values file, as it is written."""
    wanted = "; ".join(claim.wanted for claim in claims)

    def check(world: World) -> Outcome:
        chart, values = chart_of(world), as_written(world, file)
        hint = f"helm template {RELEASE} {chart} --values {chart / file}"
        try:
            objects = render(world, file, values)
        except CommandFailed as error:
            return failed(f"the chart does not render: {error.observed}", wanted=wanted, hint=hint)
        scene = Scene(_finder(objects), host_of(values), NAMESPACE)
        seen = [_examine(claim, scene) for claim in claims]
        if problems := [problem for each in seen for problem in each.problems]:
            return failed("; ".join(problems), wanted=wanted, hint=hint)
        return passed(", ".join(each.observed for each in seen if each.observed), wanted=wanted)

    return check


def deployed(claim: Claim, *, production: Claim | None = None) -> Check:
    """The claim holds for the live objects; in production another one, where it is given."""

    def check(world: World) -> Outcome:
        settings = world.settings
        asked = production if production is not None and settings.production else claim

        def find(kind: str, name: str) -> Object | None:
            return world.api.get(kind, name, None if kind == "Namespace" else settings.namespace)

        seen = _examine(asked, Scene(find, settings.host, settings.namespace))
        return _judge(asked, seen, hint=asked.look.format(namespace=settings.namespace))

    return check


def manifest(claim: Claim, path: str) -> Check:
    """The claim holds for the objects of one manifest file of the project, which holds nothing else."""

    def check(world: World) -> Outcome:
        file = world.settings.project / path
        try:
            objects = [each for each in yaml.safe_load_all(file.read_text()) if each]
        except FileNotFoundError:
            seen = Seen("", [f"there is no file {path}"])
        except yaml.YAMLError as error:
            seen = Seen("", [f"{path} is not valid YAML: {' '.join(str(error).split())}"])
        else:
            seen = _examine(claim, Scene(_finder(objects), HOST, NAMESPACE))
            if len(objects) != 1:
                seen = Seen(seen.observed, [*seen.problems, f"{path} holds {len(objects)} objects, not one"])
        return _judge(claim, seen, hint=f"kubectl apply --dry-run=client --filename {path}")

    return check


def metadata(*, name: str, version: str, app_version: str) -> Check:
    """Chart.yaml, as Helm reads it, names chart and application so. Source: T020."""
    wanted = f"name {name}, version {version}, appVersion {app_version}, a sub-chart per component"

    def check(world: World) -> Outcome:
        path = chart_of(world) / "Chart.yaml"
        if not path.is_file():
            return failed(f"there is no {path}", wanted=wanted, hint=f"git checkout -- {path}")
        found: dict[str, Any] = yaml.safe_load(path.read_text()) or {}
        facts = {
            "apiVersion": (found.get("apiVersion"), "v2"),
            "name": (found.get("name"), name),
            "version": (str(found.get("version")), version),
            "appVersion": (str(found.get("appVersion")), app_version),
        }
        problems = [f"{key} is {seen}, not {value}" for key, (seen, value) in facts.items() if seen != value]
        listed = {str(each.get("name")) for each in found.get("dependencies") or []}
        problems += [f"sub-chart {each.name} is not listed" for each in COMPONENTS if each.name not in listed]
        if problems:
            return failed("; ".join(problems), wanted=wanted, hint=f"helm show chart {path.parent}")
        return passed(f"{name} {version}, application {app_version}, sub-charts {', '.join(sorted(listed))}")

    return check


def lints(*stand_ins: str) -> Check:
    """No error and no warning by `helm lint --strict`: the chart with each values file in both modes, and stand-ins.

    Source: T024.
    """
    wanted = "no error and no warning"

    def check(world: World) -> Outcome:
        own = chart_of(world)
        charts = [
            (f"{own.name} with {title}", own, values)
            for mode in (DIRECT, MESHED)
            for title, values in variants(own, mode)
        ]
        charts += [(name, world.settings.project / "charts" / name, NO_VALUES) for name in stand_ins]
        problems = [
            f"{title}: {each.severity}: {each.message}"
            for title, chart, values in charts
            for each in world.helm.lint(chart, values)
            if each.severity != "info"
        ]
        if problems:
            return failed("; ".join(problems), wanted=wanted, hint=f"helm lint --strict {chart_of(world)}")
        return passed(f"{len(charts)} times linted, nothing found", wanted=wanted)

    return check


def helpers_are_shared(world: World) -> Outcome:
    """A change of one shared template reaches every object and selector: a mark planted in a copy of the chart shows.

    Source: T023. Asked by experiment, because a file may define helpers that nothing uses.
    """
    wanted = "names and labels of all objects come from the shared templates"
    mark = ("todo.runbook/mark", "planted")
    planted = (
        '{{- define "todo-app.selectorLabels" -}}\n'
        "app.kubernetes.io/name: {{ .Chart.Name }}\napp.kubernetes.io/instance: {{ .Release.Name }}\n"
        f"{mark[0]}: {mark[1]}\n"
        "{{- end }}\n"
        '{{- define "todo-app.service" -}}{{ .Chart.Name }}-planted{{- end }}\n'
    )
    with tempfile.TemporaryDirectory(prefix="todo-chart-") as folder:
        copy = Path(folder) / "todo-app"
        shutil.copytree(chart_of(world), copy)
        # Of templates with one name the file that sorts first wins.
        (copy / "templates" / "_0-planted.tpl").write_text(planted)
        objects = world.helm.template(copy, release=RELEASE, namespace=NAMESPACE)
    if not objects:
        raise Unmeasurable(
            "the chart renders no object", wanted=wanted, hint=f"helm template {chart_of(world)}"
        )
    problems = []
    for each in objects:
        title = f"{each['kind']} {each['metadata']['name']}"
        places = [("labels", each["metadata"].get("labels")), *_selectors(each)]
        problems += [
            f"{title}: {place} are its own" for place, labels in places if mark not in (labels or {}).items()
        ]
        if each["kind"] == "Service" and not each["metadata"]["name"].endswith("-planted"):
            problems.append(f"{title}: its name is its own")
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint='include "todo-app.labels" in that template')
    return passed(f"a mark in the shared templates reached all {len(objects)} objects", wanted=wanted)


def _finder(objects: list[Any]) -> Callable[[str, str], Object | None]:
    index = {(full_name(each), (each.get("metadata") or {}).get("name")): each for each in objects}
    return lambda kind, name: index.get((kind, name))


def _examine(claim: Claim, scene: Scene) -> Seen:
    try:
        return claim.examine(scene)
    except Absent as absent:
        return Seen("", [str(absent)])


def _judge(claim: Claim, seen: Seen, *, hint: str) -> Outcome:
    if seen.problems:
        return failed("; ".join(seen.problems), wanted=claim.wanted, hint=hint)
    return passed(seen.observed, wanted=claim.wanted)


def _selectors(each: Object) -> list[tuple[str, Any]]:
    spec = each.get("spec") or {}
    if each["kind"] == "Deployment":
        labels = spec["template"]["metadata"].get("labels")
        return [("selector labels", spec["selector"].get("matchLabels")), ("pod labels", labels)]
    return [("selector labels", spec.get("selector"))] if each["kind"] == "Service" else []
