"""The chart rendered with one values file: which objects come of it, where they go, and what the rules say of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runbook.app.application import (
    AUTHORITY,
    BACKEND,
    COMPONENTS,
    FRONTEND,
    REDIS,
    REDIS_KEY,
    REDIS_SECRET,
    SECRET,
)
from runbook.app.blueprint import chart_of
from runbook.checks.chart.rendering import NAMESPACE, RELEASE, as_written, containers, read_values, render
from runbook.checks.package import consistency
from runbook.engine.errors import CommandFailed
from runbook.engine.step import Check, Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

NAME = "app.kubernetes.io/name"
PARENT = RELEASE

SERVICE = frozenset({"Deployment", "Service", "ServiceAccount", "Role", "RoleBinding", "NetworkPolicy"})
"""What every component brings."""

KINDS: Mapping[str, frozenset[str]] = {
    **{component.name: SERVICE for component in COMPONENTS},
    FRONTEND.name: SERVICE | {"Ingress", "Job"},
    BACKEND.name: SERVICE | {"Job"},
    PARENT: frozenset({"NetworkPolicy"}),
}
"""Name of the sub-chart -> kinds of its objects, with one replica and without Dapr; the Jobs are hooks."""


def complete(file: str, *, replicas: int, meshed: bool, policy: str) -> Check:
    """Exactly the expected kinds from each sub-chart, none twice, all in the release's namespace, no Secret among them;
    images and replicas as wanted; and they agree with each other (see `consistency`).

    Source: T098, T099.
    """
    wanted = f"the objects of every sub-chart, {replicas} of each pod, images {policy}, references that lead somewhere"

    def check(world: World) -> Outcome:
        chart, values = chart_of(world), as_written(world, file)
        hint = f"helm template {RELEASE} {chart} --values {chart / file}"
        try:
            objects = render(world, file, values)
        except CommandFailed as error:
            return failed(f"the chart does not render: {error.observed}", wanted=wanted, hint=hint)
        registry = str((read_values(chart / file).get("global") or {}).get("imageRegistry") or "")
        problems = [
            *_kinds(objects, _expected(replicas, meshed)),
            *_places(objects),
            *_figures(objects, replicas, registry, policy),
            *consistency.problems(objects, _given(world)),
        ]
        if problems:
            return failed("; ".join(problems), wanted=wanted, hint=hint)
        counts = Counter(str(each["kind"]) for each in objects)
        return passed(
            f"{len(objects)} objects of {len(counts)} kinds in the release's namespace, which agree with each other",
            wanted=wanted,
            kinds=dict(counts),
        )

    return check


def _expected(replicas: int, meshed: bool) -> dict[str, frozenset[str]]:
    found = dict(KINDS)
    if replicas > 1:
        found |= {each.name: found[each.name] | {"PodDisruptionBudget"} for each in COMPONENTS}
    if meshed:
        found[PARENT] = found[PARENT] | {"Component", "Configuration"}
        found[REDIS] = frozenset({"StatefulSet", "Service", "ServiceAccount", "NetworkPolicy"})
    return found


def _kinds(objects: Sequence[Any], expected: Mapping[str, frozenset[str]]) -> list[str]:
    found: dict[str, set[str]] = {}
    for each in objects:
        owner = str((each["metadata"].get("labels") or {}).get(NAME, "nobody"))
        found.setdefault(owner, set()).add(str(each["kind"]))
    problems = []
    for owner in sorted({*found, *expected}):
        there, wanted = found.get(owner, set()), expected.get(owner, frozenset())
        problems += [f"{owner} has no {kind}" for kind in sorted(wanted - there)]
        problems += [f"{owner} has a {kind} that nobody expects" for kind in sorted(there - wanted)]
    return problems


def _places(objects: Sequence[Any]) -> list[str]:
    titles = [f"{each['kind']} {each['metadata']['name']}" for each in objects]
    problems = [f"{title} is there {count} times" for title, count in Counter(titles).items() if count > 1]
    problems += [
        f"{title} goes to namespace {each['metadata'].get('namespace')}"
        for title, each in zip(titles, objects, strict=True)
        if each["metadata"].get("namespace") != NAMESPACE
    ]
    return problems


def _figures(objects: Sequence[Any], replicas: int, registry: str, policy: str) -> list[str]:
    problems = [
        f"{each['metadata']['name']} has {each['spec'].get('replicas')} replicas, not {replicas}"
        for each in objects
        if each["kind"] == "Deployment" and each["spec"].get("replicas") != replicas
    ]
    for title, _, container in containers(list(objects)):
        image, found = str(container["image"]), container.get("imagePullPolicy")
        if image.rpartition("/")[0] != registry:
            problems.append(f"{title}: {image} is not of {registry or 'the node'}")
        if found != policy:
            problems.append(f"{title}: its image is pulled {found}, not {policy}")
    return problems


def _given(world: World) -> dict[str, frozenset[str]]:
    """What the runbook makes beside the release: the application's Secret, as its template shows it, and the rest."""
    template = world.settings.project / "k8s" / "secrets-template.yaml"
    keys = frozenset(read_values(template).get("stringData") or {})
    return {SECRET: keys, REDIS_SECRET: frozenset({REDIS_KEY}), AUTHORITY: frozenset({"ca.crt"})}
