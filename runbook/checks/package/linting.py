"""Helm's linter on the chart: with every values file, each of them in every way in which it is meant to be used."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from runbook.app.blueprint import chart_of
from runbook.checks.chart.rendering import variants
from runbook.clients.helm import Values
from runbook.clients.helm_lines import Finding
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

REDIS_ON: dict[str, Any] = {"enabled": True}
MODES: Mapping[str, dict[str, Any]] = {
    "as it is": {},
    "without Dapr": {"global": {"dapr": {"enabled": False}}},
    "with Dapr": {"global": {"dapr": {"enabled": True}}, "redis": REDIS_ON},
}
"""In these every values file is used."""

MEANT: Mapping[str, dict[str, Any]] = {
    "with a Redis that persists": {
        "redis": {**REDIS_ON, "persistence": {"enabled": True, "className": "fast"}}
    },
    "without Ingress": {"frontend": {"ingress": {"enabled": False}}},
    "with a certificate": {
        "global": {"scheme": "https"},
        "frontend": {"ingress": {"tls": {"secretName": "tls"}}},
    },
    "with mail": {"frontend": {"mail": {"host": "mail.example.org", "from": "a@example.org", "user": "a"}}},
    "by digest": {"backend": {"image": {"digest": f"sha256:{'0' * 64}"}}},
    "without policies": {"global": {"networkPolicy": {"enabled": False}}},
    "without migrations": {"backend": {"migrations": {"enabled": False}}},
}
"""What README.md names besides, over the defaults."""

MISSPELT: tuple[dict[str, Any], ...] = (
    {"globl": {}},
    {"global": {"dapr": {"enabeld": True}}},
    {"frontend": {"replicaCuont": 2}},
    {"frontend": {"ingress": {"tls": {"secret": "tls"}}}},
    {"backend": {"migrations": {"on": True}}},
    {"mcp-server": {"image": {"tagg": "1"}}},
    {"redis": {"persistance": {"enabled": True}}},
)
"""The control: the linter asks the schema at every depth, and the schema refuses these."""


def clean(world: World) -> Outcome:
    """No error and no warning by `helm lint --strict`, in every combination; each misspelt key is refused.

    Source: T097.
    """
    chart = chart_of(world)
    wanted = "no error and no warning in any combination, and every misspelt key refused"
    hint = f"helm lint --strict {chart}"
    ways = [
        (f"{title} {name}", Values(values.files, overrides))
        for title, values in variants(chart)
        for name, overrides in MODES.items()
    ]
    ways += [(f"defaults {name}", Values(overrides=overrides)) for name, overrides in MEANT.items()]
    misspelt = [Values(overrides=each) for each in MISSPELT]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        asked = [*(values for _, values in ways), *misspelt]
        found = list(pool.map(lambda values: _loud(world, values), asked))
    problems = [
        f"{title}: {each.severity}: {each.message}"
        for (title, _), findings in zip(ways, found, strict=False)
        for each in findings
    ]
    taken = [values for values, findings in zip(misspelt, found[len(ways) :], strict=True) if not findings]
    problems += [f"the schema takes the misspelt {values.stdin()}" for values in taken]
    if problems:
        return failed("; ".join(dict.fromkeys(problems)), wanted=wanted, hint=hint)
    return passed(
        f"{len(ways)} combinations linted, nothing found; {len(MISSPELT)} misspelt keys refused",
        wanted=wanted,
    )


def _loud(world: World, values: Values) -> list[Finding]:
    return [each for each in world.helm.lint(chart_of(world), values) if each.severity != "info"]
