"""The chart with its production values: replicas that survive a node, pinned images, HTTPS, a lasting Redis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from runbook.app.application import COMPONENTS, FRONTEND, REDIS, Component
from runbook.app.blueprint import PRODUCTION, chart_of
from runbook.checks.chart.claims import Claim, Object, Scene, Seen, container_of, look, pod_spec
from runbook.checks.chart.rendering import RELEASE, as_written, containers, read_values, render
from runbook.clients.helm import Values
from runbook.engine.errors import CommandFailed
from runbook.engine.step import Check, Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

HOSTNAME = "kubernetes.io/hostname"
DIGEST = "sha256:" + "0" * 64
"""Of no image: it is only to be seen where it comes to."""


def replicated(component: Component, count: int) -> Claim:
    """So many replicas, on different nodes, of which one may be disrupted at a time.

    Source: T093.
    """

    def examine(scene: Scene) -> Seen:
        deployment = scene.the("Deployment", component.name)
        budget = scene.the("PodDisruptionBudget", component.name)["spec"]
        labels = deployment["spec"]["template"]["metadata"].get("labels") or {}
        problems = []
        if (found := deployment["spec"].get("replicas")) != count:
            problems.append(f"{component.name} has {found} replicas, not {count}")
        if not any(
            _apart(each, labels) for each in pod_spec(scene, component).get("topologySpreadConstraints") or []
        ):
            problems.append(f"the replicas of {component.name} may all be on one node")
        if not _selects(budget, labels):
            problems.append(f"the PodDisruptionBudget does not select the pods of {component.name}")
        if (allowed := _disruptions(budget, count)) != 1:
            problems.append(f"{allowed} pods of {component.name} may be disrupted at a time, not 1")
        return Seen(f"{found} of {component.name}", problems)

    return Claim(
        f"{count} replicas of {component.name} on different nodes, one of them dispensable",
        look("deployment,poddisruptionbudget", component.name),
        examine,
    )


def lasting_redis() -> Claim:
    """Redis writes what it stores to a claimed volume. Source: T093, D-06."""

    def examine(scene: Scene) -> Seen:
        spec = scene.the("StatefulSet", REDIS)["spec"]
        claimed = {each["metadata"]["name"] for each in spec.get("volumeClaimTemplates") or []}
        container = spec["template"]["spec"]["containers"][0]
        mounted = {
            each["mountPath"] for each in container.get("volumeMounts") or [] if each["name"] in claimed
        }
        problems = []
        if "/data" not in mounted:
            problems.append("the data of Redis is on no claimed volume")
        if "--appendonly" not in (container.get("args") or []):
            problems.append("Redis does not write what it stores")
        return Seen("Redis on a claim", problems)

    return Claim("Redis keeps its data on a claimed volume", look("statefulset", REDIS), examine)


def https() -> Claim:
    """The Ingress has a certificate for the host, and the application calls itself by https. Source: T093."""

    def examine(scene: Scene) -> Seen:
        tls = scene.the("Ingress", FRONTEND.name)["spec"].get("tls") or []
        environment = container_of(pod_spec(scene, FRONTEND), FRONTEND).get("env") or []
        url = next((each.get("value") for each in environment if each["name"] == "BETTER_AUTH_URL"), None)
        problems = []
        if not any(each.get("secretName") and scene.host in (each.get("hosts") or []) for each in tls):
            problems.append(f"the Ingress has no certificate for {scene.host}")
        if url != f"https://{scene.host}":
            problems.append(f"the application calls itself {url}")
        return Seen(f"https://{scene.host}", problems)

    return Claim("HTTPS by the Ingress", look("ingress", FRONTEND.name), examine)


def images_are_pinned(world: World) -> Outcome:
    """Every image comes from a registry by a fixed tag, is pulled anew, and can be pinned by digest as well.

    Source: T093.
    """
    chart, values = chart_of(world), as_written(world, PRODUCTION)
    wanted = "every image from a registry by a fixed tag or digest, pull policy Always"
    hint = f"helm template {RELEASE} {chart} --values {chart / PRODUCTION}"
    problems, seen = [], set()
    for title, _, container in containers(render(world, PRODUCTION, values)):
        image, policy = str(container["image"]), container.get("imagePullPolicy")
        registry, name, version = _parts(image)
        seen.add(registry)
        if not registry:
            problems.append(f"{title}: {image} comes from no registry")
        if version in ("", "latest"):
            problems.append(f"{title}: {image} is not pinned")
        if policy != "Always":
            problems.append(f"{title}: {name} is pulled {policy}")
    if not seen:
        problems.append("there is no container")
    overrides = {each: {"image": {"digest": DIGEST}} for each in (*(one.name for one in COMPONENTS), REDIS)}
    pinned = render(world, f"{PRODUCTION} by digest", Values(values.files, overrides))
    problems += [
        f"{title}: {container['image']} although a digest was given"
        for title, _, container in containers(pinned)
        if not str(container["image"]).endswith(f"@{DIGEST}")
    ]
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=hint)
    return passed(
        f"images of {', '.join(sorted(seen))} by tag, or by digest where one is given", wanted=wanted
    )


def says_only_what_differs(world: World) -> Outcome:
    """The production values repeat no default. Source: T093."""
    chart = chart_of(world)
    own, defaults = read_values(chart / PRODUCTION), read_values(chart / "values.yaml")
    wanted, hint = "only what differs from values.yaml", f"diff {chart / 'values.yaml'} {chart / PRODUCTION}"
    if repeated := sorted(_repeated(own, defaults)):
        return failed(f"the default is repeated: {', '.join(repeated)}", wanted=wanted, hint=hint)
    return passed("no default repeated", wanted=wanted)


def all_of(wanted: str, *checks: Check) -> Check:
    """Passed where all are, with what all of them saw; else all that failed, and the hint of the first."""

    def check(world: World) -> Outcome:
        outcomes = []
        for each in checks:
            try:
                outcomes.append(each(world))
            except CommandFailed as problem:
                outcomes.append(failed(problem.observed, wanted=problem.wanted, hint=problem.hint))
        red = [each for each in outcomes if not each.green]
        observed = "; ".join(dict.fromkeys(each.observed for each in red or outcomes))
        return failed(observed, wanted=wanted, hint=red[0].hint) if red else passed(observed, wanted=wanted)

    return check


def _apart(constraint: Object, labels: Mapping[str, Any]) -> bool:
    """Whether it keeps pods with these labels on different nodes."""
    return (
        constraint.get("topologyKey") == HOSTNAME
        and constraint.get("whenUnsatisfiable") == "DoNotSchedule"
        and constraint.get("maxSkew") == 1
        and ((constraint.get("labelSelector") or {}).get("matchLabels") or {}).items() <= labels.items()
    )


def _selects(budget: Object, labels: Mapping[str, Any]) -> bool:
    wanted = (budget.get("selector") or {}).get("matchLabels") or {}
    return bool(wanted) and wanted.items() <= labels.items()


def _disruptions(budget: Object, count: int) -> int:
    """How many pods of so many may be disrupted at a time."""
    if "maxUnavailable" in budget:
        return _figure(budget["maxUnavailable"], count)
    return count - _figure(budget.get("minAvailable", 0), count)


def _figure(given: Any, count: int) -> int:
    """A number of pods, or a share of them, which Kubernetes rounds up."""
    text = str(given)
    return -(-int(text[:-1]) * count // 100) if text.endswith("%") else int(text)


def _parts(image: str) -> tuple[str, str, str]:
    """Registry, name, and tag or digest; empty what is not there."""
    first, _, rest = image.partition("/")
    registry = first if rest and ("." in first or ":" in first) else ""
    name = rest if registry else image
    if "@" in name:
        name, _, version = name.partition("@")
    else:
        name, _, version = name.partition(":")
    return registry, name, version


def _repeated(own: Any, defaults: Any, path: str = "") -> Iterator[str]:
    if isinstance(own, Mapping) and isinstance(defaults, Mapping):
        for key, value in own.items():
            if key in defaults:
                yield from _repeated(value, defaults[key], f"{path}.{key}".lstrip("."))
    elif own == defaults:
        yield path
