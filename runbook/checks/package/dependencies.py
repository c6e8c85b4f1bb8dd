"""The chart's dependencies: sub-charts on disk, each at its version, switched by its condition, known to Helm."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.app.application import COMPONENTS, REDIS
from runbook.app.blueprint import chart_of
from runbook.checks.chart.rendering import NAMESPACE, RELEASE, read_values
from runbook.clients.helm import Values
from runbook.engine.errors import CommandFailed, Unmeasurable
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

SUB_CHARTS = (*(component.name for component in COMPONENTS), REDIS)
IN_PLACE = frozenset({"ok", "unpacked"})
"""What Helm says of a sub-chart that it has: packed, or as a folder."""

NAME = "app.kubernetes.io/name"


def resolved(world: World) -> Outcome:
    """Chart.yaml lists each sub-chart once, at the version that lies in charts/, with a condition that switches it.

    Helm is asked what it makes of the list, and each condition is tried: on, its objects are there; off, none is.

    Source: T096, D-21.
    """
    chart = chart_of(world)
    wanted = f"sub-charts {', '.join(SUB_CHARTS)}, each at its version and with a condition that works"
    hint = f"helm dependency list {chart}"
    listed: list[dict[str, Any]] = read_values(chart / "Chart.yaml").get("dependencies") or []
    on_disk = {folder.name: read_values(folder / "Chart.yaml") for folder in _folders(chart)}
    if not listed:
        return failed("Chart.yaml lists no sub-chart", wanted=wanted, hint=hint)
    values = read_values(chart / "values.yaml")
    names = [str(each.get("name")) for each in listed]
    problems = [
        f"{name} is listed {names.count(name)} times"
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    problems += [f"sub-chart {name} is not listed" for name in SUB_CHARTS if name not in names]
    problems += [f"charts/{name} is not listed" for name in on_disk if name not in names]
    for each in listed:
        problems += _problems(each, on_disk.get(str(each.get("name"))), values)
    problems += [
        f"Helm says of {name}: {status}"
        for name, status in _as_helm_says(world, chart, names).items()
        if status not in IN_PLACE
    ]
    if not problems:
        problems = [problem for name in names for problem in _switched(world, chart, name)]
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=hint)
    return passed(
        ", ".join(f"{each['name']} {each['version']}" for each in listed)
        + "; each goes and comes with its condition",
        wanted=wanted,
    )


def _folders(chart: Path) -> list[Path]:
    return sorted(path.parent for path in chart.glob("charts/*/Chart.yaml"))


def _problems(
    entry: Mapping[str, Any], there: Mapping[str, Any] | None, values: Mapping[str, Any]
) -> list[str]:
    name, condition = str(entry.get("name")), str(entry.get("condition") or "")
    if there is None:
        return [f"there is no charts/{name}"]
    problems = []
    if str(there.get("version")) != str(entry.get("version")):
        problems.append(f"{name} is listed as {entry.get('version')} and is {there.get('version')}")
    if there.get("name") != name:
        problems.append(f"charts/{name} calls itself {there.get('name')}")
    if there.get("type", "application") != "application":
        problems.append(f"{name} is a chart of type {there.get('type')}")
    value: Any = values
    for key in condition.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(value, bool):
        problems.append(f"its condition {condition or '(none)'} is not a switch in values.yaml: {name}")
    return problems


def _as_helm_says(world: World, chart: Path, names: list[str]) -> dict[str, str]:
    told = world.helm.dependency_states(chart)
    if not told:
        raise Unmeasurable(
            "helm dependency list names nothing", wanted="its list", hint=f"helm dependency list {chart}"
        )
    return {name: told.get(name, "nothing") for name in dict.fromkeys([*names, *told])}


def _switched(world: World, chart: Path, name: str) -> list[str]:
    """What is wrong when it is switched on, and off."""
    problems = []
    for on in (True, False):
        values = Values(overrides={name: {"enabled": on}})
        try:
            objects = world.helm.template(chart, release=RELEASE, namespace=NAMESPACE, values=values)
        except CommandFailed as error:
            problems.append(
                f"with {name} {'on' if on else 'off'} the chart does not render: {error.observed}"
            )
            continue
        count = sum((each["metadata"].get("labels") or {}).get(NAME) == name for each in objects)
        if on != (count > 0):
            problems.append(f"with {name} switched {'on' if on else 'off'} it has {count} objects")
    return problems
