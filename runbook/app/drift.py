"""Where live objects differ from the manifest that a release installed: someone's hand, or something that was lost.

Only what the manifest says is compared; what the API adds to it (defaults, status) is not. Quantities are left out: the
API writes them in another form (1000m becomes 1), and the steps on resources judge them by value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runbook.clients.kube import workloads
from runbook.clients.kube.kinds import full_name

if TYPE_CHECKING:
    from runbook.clients.kube.api import Api

Object = Mapping[str, Any]

QUANTITIES = frozenset({"resources", "sizeLimit"})
SHOWN = 5
"""Differences that are told of one release."""

_LEVELS = (
    "metadata.labels",
    "spec",
    "data",
    "rules",
    "roleRef",
    "subjects",
    "automountServiceAccountToken",
)
"""What of an object is compared, besides its being there."""


def differences(api: Api, manifest: Sequence[Object], namespace: str, shown: int | None = SHOWN) -> list[str]:
    """What is missing or different, one sentence each; at most `shown` of them, or with None all."""
    found: list[str] = []
    live: dict[str, dict[str, Object]] = {}
    for wanted in manifest:
        kind, name = full_name(wanted), workloads.name(wanted)
        if kind not in live:
            live[kind] = {workloads.name(each): each for each in api.list(kind, namespace)}
        there = live[kind].get(name)
        if there is None:
            found.append(f"{wanted['kind']} {name} of the release is not there")
            continue
        for level in _LEVELS:
            told = list(_compare(_at(wanted, level), _at(there, level), level))
            if told and wanted["kind"] == "Secret" and level == "data":
                told = ["data is not what the release made"]  # no value of a Secret is shown
            found += [f"{wanted['kind']} {name}: {difference}" for difference in told]
    if shown is not None and len(found) > shown:
        return [*found[:shown], f"and {len(found) - shown} more differences"]
    return found


def _at(thing: Object, path: str) -> Any:
    value: Any = thing
    for key in path.split("."):
        value = (value or {}).get(key)
    return value


def _compare(wanted: Any, there: Any, path: str) -> Iterator[str]:
    """Differences of all that `wanted` says. What is empty in it may be absent: the API drops such fields."""
    if not wanted and not there:
        return
    if isinstance(wanted, Mapping) and isinstance(there, Mapping):
        for key, value in wanted.items():
            if key not in QUANTITIES:
                yield from _compare(value, there.get(key), f"{path}.{key}")
    elif isinstance(wanted, list) and isinstance(there, list) and len(wanted) == len(there):
        for number, (one, other) in enumerate(_pairs(wanted, there)):
            label = one.get("name", number) if isinstance(one, Mapping) else number
            yield from _compare(one, other, f"{path}[{label}]")
    elif wanted != there:
        yield f"{path} is {_short(there)}, the release says {_short(wanted)}"


def _pairs(wanted: list[Any], there: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Entries side by side: by name where they have one, else by place."""
    if all(isinstance(each, Mapping) and "name" in each for each in [*wanted, *there]):
        named = {each["name"]: each for each in there}
        yield from ((each, named.get(each["name"])) for each in wanted)
    else:
        yield from zip(wanted, there, strict=True)


def _short(value: Any) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
