"""The chart's README: its table describes every value, none that does not exist, and each default as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from runbook.app.blueprint import chart_of
from runbook.checks.chart.rendering import read_values
from runbook.clients.helm import merged
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

ROW = re.compile(r"^\| `(?P<path>[^`]+)` \| `(?P<default>[^`]*)` \| (?P<what>.*?) ?\|$")
"""A value, its default as YAML, and what it is for."""

Place = tuple[str, ...]


def complete(world: World) -> Outcome:
    """Both ways: each value has one row with its default, and each row has a value.

    Values are those of values.yaml, of the sub-charts' own where they have some, and all that the schema takes.

    Source: T094.
    """
    chart = chart_of(world)
    wanted = "one row for every value, with its default, and no other row"
    try:
        rows = [match for line in _table(chart / "README.md") if (match := ROW.match(line))]
    except OSError as problem:
        return failed(f"the chart has no README: {problem}", wanted=wanted, hint=f"git status {chart}")
    values = _values(chart)
    if not rows or not values:
        raise Unmeasurable(
            f"{len(rows)} rows and {len(values)} values were found",
            wanted=wanted,
            hint=f"less {chart / 'README.md'}",
        )
    described: dict[Place, re.Match[str]] = {}
    problems = []
    for row in rows:
        place = tuple(row["path"].split("."))
        if place in described:
            problems.append(f"{row['path']} is described twice")
        described[place] = row
        problems += _row_problems(row, place, values)
    leaves = dict(_leaves(values))
    for place in (*leaves, *(each for each in _schema_leaves(chart) if each not in leaves)):
        covering = [each for each in described if place[: len(each)] == each]
        if not covering:
            known = (
                "" if _at(values, place) is not _NOTHING else " (the schema takes it, values.yaml has it not)"
            )
            problems.append(f"{'.'.join(place)} is not described{known}")
        if len(covering) > 1:
            problems.append(f"{'.'.join(place)} is described by {len(covering)} rows")
    if problems:
        return failed(
            "; ".join(problems), wanted=wanted, hint=f"diff {chart / 'values.yaml'} {chart / 'README.md'}"
        )
    return passed(f"{len(rows)} rows describe {len(leaves)} values, each with its default", wanted=wanted)


def _table(file: Path) -> Iterator[str]:
    """The lines of the section on values."""
    inside = False
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            inside = line == "## Values"
        elif inside:
            yield line


def _row_problems(row: re.Match[str], place: Place, values: Mapping[str, Any]) -> Iterator[str]:
    found = _at(values, place)
    if found is _NOTHING:
        yield f"{row['path']} is described and does not exist"
        return
    try:
        default = yaml.safe_load(row["default"])
    except yaml.YAMLError:
        yield f"the default of {row['path']} is not valid YAML: {row['default']}"
        return
    if default != found or type(default) is not type(found):
        yield f"the default of {row['path']} is {json.dumps(found)}, not {row['default']}"
    if not row["what"].strip():
        yield f"nothing is said of {row['path']}"


def _values(chart: Path) -> dict[str, Any]:
    """The parent's values over those of each sub-chart, as Helm merges them."""
    found: dict[str, Any] = {
        each.parent.name: read_values(each) for each in sorted(chart.glob("charts/*/values.yaml"))
    }
    return merged(found, read_values(chart / "values.yaml"))


_NOTHING = object()


def _at(values: Any, place: Place) -> Any:
    for key in place:
        if not isinstance(values, Mapping) or key not in values:
            return _NOTHING
        values = values[key]
    return values


def _leaves(values: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """What is no mapping, and empty mappings."""
    if isinstance(values, Mapping) and values:
        for key, value in values.items():
            yield from _leaves(value, (*place, str(key)))
    else:
        yield place, values


def _schema_leaves(chart: Path) -> Iterator[Place]:
    """The values that the schema names, wherever they have one."""
    try:
        schema = json.loads((chart / "values.schema.json").read_text())
    except (OSError, ValueError) as problem:
        raise Unmeasurable(
            f"the schema cannot be read: {problem}", wanted="values.schema.json", hint=f"git status {chart}"
        ) from None
    yield from _named(schema, schema, ())


def _named(schema: Mapping[str, Any], node: Mapping[str, Any], place: Place) -> Iterator[Place]:
    if reference := node.get("$ref"):
        node = schema["definitions"][str(reference).rpartition("/")[2]]
    properties = node.get("properties") or {}
    if not properties and place:
        yield place
    for key, below in properties.items():
        if not (key == "global" and place):  # Helm hands the global values to every sub-chart
            yield from _named(schema, below, (*place, key))
