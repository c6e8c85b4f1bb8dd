"""The application's chart as Helm renders it: with its defaults, and with each values file that lies beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from runbook.app.blueprint import chart_of
from runbook.checks.chart.claims import Object
from runbook.clients.helm import Values
from runbook.engine.errors import CommandFailed, Unmeasurable

if TYPE_CHECKING:
    from runbook.world import World

HOST = "todo.local"
NAMESPACE = "todo"
RELEASE = "todo-app"


@dataclass(frozen=True, slots=True)
class Mode:
    """How the components call each other; `label` says so in outcomes, empty for the chart's default."""

    label: str = ""
    overrides: Mapping[str, Any] | None = None


DIRECT = Mode("", {"global": {"dapr": {"enabled": False}}})
MESHED = Mode(", Dapr on", {"global": {"dapr": {"enabled": True}}, "redis": {"enabled": True}})


def variants(chart: Path, mode: Mode = DIRECT) -> list[tuple[str, Values]]:
    """The ways in which the chart is rendered: its defaults, and each values file that lies beside them."""
    files = [(), *((file,) for file in sorted(chart.glob("values-*.yaml")))]
    return [
        (f"{each[0].name if each else 'defaults'}{mode.label}", Values(each, mode.overrides))
        for each in files
    ]


def as_written(world: World, file: str) -> Values:
    """That values file and nothing else. Raises `Unmeasurable` where the chart has none of that name."""
    path = chart_of(world) / file
    if not path.is_file():
        raise Unmeasurable(f"there is no {path}", wanted="the values file", hint=f"git status {path.parent}")
    return Values((path,))


def host_of(values: Values) -> str:
    """The host that the chart must serve with these values: the list's own, unless they name another."""
    given = [read_values(file) for file in values.files]
    for each in reversed([*given, values.overrides or {}]):
        if host := (each.get("global") or {}).get("host"):
            return str(host)
    return HOST


def read_values(file: Path) -> dict[str, Any]:
    """What a values file says. Raises `Unmeasurable` where it cannot be read."""
    try:
        found = yaml.safe_load(file.read_text()) or {}
    except (OSError, yaml.YAMLError) as problem:
        told = " ".join(str(problem).split())
        raise Unmeasurable(f"{file} cannot be read: {told}", wanted="YAML", hint=f"git diff {file}") from None
    return found if isinstance(found, dict) else {}


def render(world: World, title: str, values: Values) -> list[Any]:
    """The objects of the chart, rendered once per run; `title` says with which values."""
    chart = chart_of(world)
    return world.once(
        ("chart", chart, title, json.dumps(values.overrides, sort_keys=True)),
        lambda: world.helm.template(chart, release=RELEASE, namespace=NAMESPACE, values=values),
    )


def renders(world: World, chart: Path, overrides: Mapping[str, Any]) -> bool:
    """Whether Helm takes these values at all."""
    try:
        world.helm.template(chart, release=RELEASE, namespace=NAMESPACE, values=Values(overrides=overrides))
    except CommandFailed:
        return False
    return True


def containers(objects: list[Any]) -> Iterator[tuple[str, Object, Object]]:
    """Each container with a title and the spec of the object that holds it."""
    for each in objects:
        template = (each.get("spec") or {}).get("template") or {}
        for container in (template.get("spec") or {}).get("containers") or []:
            yield f"{each['kind']} {each['metadata']['name']}", each["spec"], container
