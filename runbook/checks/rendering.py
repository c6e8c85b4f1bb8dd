"""The application's chart as Helm renders it: with its defaults, and with each values file that lies beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.checks.claims import Object
from runbook.errors import CommandFailed
from runbook.world.helm import Values

if TYPE_CHECKING:
    from runbook.world import World

HOST = "todo.local"
NAMESPACE = "todo"
RELEASE = "todo-app"


def chart_of(world: World) -> Path:
    """The folder of the application's chart."""
    return world.settings.project / "charts" / "todo-app"


@dataclass(frozen=True, slots=True)
class Mode:
    """How the components call each other; `label` says so in outcomes, empty for the chart's default."""

    label: str = ""
    overrides: Mapping[str, Any] | None = None


DIRECT = Mode()
MESHED = Mode(", Dapr on", {"global": {"dapr": {"enabled": True}}, "redis": {"enabled": True}})


def variants(chart: Path, mode: Mode = DIRECT) -> list[tuple[str, Values]]:
    """The ways in which the chart is rendered: its defaults, and each values file that lies beside them."""
    files = [(), *((file,) for file in sorted(chart.glob("values-*.yaml")))]
    return [
        (f"{each[0].name if each else 'defaults'}{mode.label}", Values(each, mode.overrides))
        for each in files
    ]


def render(world: World, title: str, values: Values) -> list[Any]:
    """The objects of the chart, rendered once per run; `title` says with which values."""
    chart = chart_of(world)
    return world.once(
        ("chart", chart, title),
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
