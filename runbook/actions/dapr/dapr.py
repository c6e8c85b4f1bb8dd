"""Dapr's control plane: its release with our values, its resource definitions, its namespace; and its removal.

Only what we use runs: operator, injector and sentry. Actors (placement) and jobs (scheduler) are off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import yaml

from runbook.actions.cluster import namespace, rollout
from runbook.actions.dapr import dapr_source
from runbook.actions.dapr_ownership import (
    CRD,
    KIND,
    foreign,
    left,
    mark,
    our_definitions,
    refuse_foreign,
    refuse_used,
)
from runbook.actions.package.helm_release import DEPLOYED, HOOKS, repair
from runbook.app.application import DAPR_NAMESPACE, DAPR_RELEASE
from runbook.app.drift import differences
from runbook.app.sidecars import TRUST_BUNDLE
from runbook.clients import dapr_cli
from runbook.clients.helm import Values
from runbook.clients.kube import workloads
from runbook.clients.kube.releases import Revision, are_ours, newest, revisions
from runbook.ownership import installation
from runbook.ownership.ledger import Ledger

if TYPE_CHECKING:
    from pathlib import Path

    from runbook.actions.dapr.dapr_source import Source
    from runbook.world import World

DIGEST = "todo.runbook/digest"
"""Annotation of a resource definition: of which file it is."""

CERTIFICATE_LIFETIME = "24h"
CLOCK_SKEW = "15m"
SERVICES = ("dapr-operator", "dapr-sentry", "dapr-sidecar-injector")
"""The Deployments of the control plane."""

READY_SECONDS = 180.0
CLI_SECONDS = 300.0


def values(world: World, source: Source) -> dict[str, Any]:
    """The chart's values. Pods without a sidecar must not slip through: the webhook fails closed, for our namespace."""
    own = {"image": {"name": source.image}} if source.image else {}
    pull = world.settings.pull_secret if source.image and world.settings.registry else ""
    resources = {
        "requests": {"cpu": "20m", "memory": "48Mi"},
        "limits": {"cpu": "500m", "memory": "192Mi"},
    }
    part = {"resources": resources, **own}
    injector = {
        **part,
        **({"injectorImage": {"name": source.image}} if source.image else {}),
        "webhookFailurePolicy": "Fail",
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": world.settings.namespace}},
        "sidecarDropALLCapabilities": True,
        "sidecarImagePullPolicy": "IfNotPresent",
    }
    return {
        "global": {
            "tag": source.version,
            "imagePullPolicy": "IfNotPresent",
            "seccompProfile": "RuntimeDefault",
            "mtls": {
                "enabled": True,
                "workloadCertTTL": CERTIFICATE_LIFETIME,
                "allowedClockSkew": CLOCK_SKEW,
            },
            **({"imagePullSecrets": [{"name": pull}]} if pull else {}),
            "actors": {"enabled": False},
            "scheduler": {"enabled": False},
            "ha": {"enabled": False},
        },
        "dapr_operator": part,
        "dapr_sentry": part,
        "dapr_sidecar_injector": injector,
        # A role that reads every Secret of namespace default, of no use to us.
        "dapr_rbac": {"secretReader": {"enabled": False}},
    }


def problems(world: World) -> list[str]:
    """None where the control plane is installed in the pinned version with our values, and nobody changed it since."""
    if others := foreign(world):
        return others
    source = dapr_source.source(world)
    last = newest(world.api, DAPR_RELEASE, DAPR_NAMESPACE)
    if last is None:
        return [f"there is no release {DAPR_RELEASE} in namespace {DAPR_NAMESPACE}"]
    if last.status != DEPLOYED:
        return [f"revision {last.revision} of release {DAPR_RELEASE} is {last.status}"]
    found = _release_problems(last, values(world, source), source.version)
    found += [problem for each in definitions(source.chart) if (problem := _definition_problem(world, each))]
    found.append(namespace.problem_of(world, _namespace(world), world.api.get("Namespace", DAPR_NAMESPACE)))
    # Sentry fills the trust bundle, which the chart makes empty; T080 judges what is in it.
    objects = [each for each in last.manifest() if each["metadata"]["name"] != TRUST_BUNDLE]
    found += differences(world.api, objects, DAPR_NAMESPACE)
    return [problem for problem in found if problem]


def install(world: World) -> None:
    """Install, upgrade or repair it. Does not wait until it is ready.

    Raises `Foreign`, before the first write, where somebody else's Dapr is anywhere on the cluster.
    """
    refuse_foreign(world)
    world.api.guard()
    source = dapr_source.prepare(world)
    Ledger(world.settings).add(KIND, DAPR_RELEASE)
    namespace.have(world, _namespace(world))
    for each in definitions(source.chart):  # Helm never upgrades these
        _define(world, each)
    mark(world)
    repair(world, DAPR_RELEASE, DAPR_NAMESPACE)
    wanted = values(world, source)
    if not source.image and _by_its_cli(world):  # it knows Dapr's own repository only
        world.progress(f"dapr init -k (Dapr {source.version})")
        _init(world, source.version, wanted)
        mark(world)
        return
    world.progress(f"helm upgrade --install {DAPR_RELEASE} (Dapr {source.version})")
    world.helm.upgrade(DAPR_RELEASE, source.chart, DAPR_NAMESPACE, values=Values((), wanted), timeout=HOOKS)


def wait(world: World) -> None:
    """Until every service of the control plane is ready, by watch."""
    rollout.settle(world, DAPR_NAMESPACE, names=SERVICES, timeout=READY_SECONDS)


def remove(world: World) -> list[str]:
    """Uninstall the release, and take away what Helm leaves: definitions and namespace, as far as they are ours.

    Returns what is still there afterwards. Raises `Foreign` where somebody else works with our Dapr: with a definition
    the API server would delete all objects of its kind, whoever's they are.
    """
    if not left(world):
        return []
    refuse_used(world)
    world.api.guard(pinned=True)
    mark(world)
    if are_ours(world.settings, revisions(world.api, DAPR_RELEASE, DAPR_NAMESPACE)):
        world.progress(f"uninstalling {DAPR_RELEASE}")
        world.helm.uninstall(DAPR_RELEASE, DAPR_NAMESPACE)
    for each in our_definitions(world):
        world.api.delete(CRD, workloads.name(each), uid=str(each["metadata"]["uid"]))
    space = world.api.get("Namespace", DAPR_NAMESPACE)
    if space is not None and installation.owns(world.settings, space):
        world.api.delete("Namespace", DAPR_NAMESPACE, uid=str(space["metadata"]["uid"]))
        rollout.gone(world, [DAPR_NAMESPACE], timeout=READY_SECONDS)
    if not (there := left(world)):
        Ledger(world.settings).strike(KIND, DAPR_RELEASE)
    return there


def definitions(chart: Path) -> Iterator[dict[str, Any]]:
    """The chart's resource definitions, each marked with the digest of its file."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for file in sorted((chart / "crds").glob("*.yaml")):
        text = file.read_text()
        for each in filter(None, yaml.load_all(text, Loader=loader)):
            digest = hashlib.sha256(text.encode()).hexdigest()[:16]
            each["metadata"].setdefault("annotations", {})[DIGEST] = digest
            yield each


def _define(world: World, wanted: dict[str, Any]) -> None:
    """Have one definition: made where there is none, brought up to date where it is ours."""
    if not _definition_problem(world, wanted):
        return
    there = world.api.get(CRD, workloads.name(wanted))
    wanted["metadata"].setdefault("labels", {}).update(installation.labels(world.settings))
    if there is None:
        world.api.create(wanted)  # refused where somebody else was quicker
    else:
        wanted["metadata"]["uid"] = there["metadata"]["uid"]  # that very one, and no other of its name
        world.api.apply(wanted)


def _definition_problem(world: World, wanted: Mapping[str, Any]) -> str:
    """By digest, not by content: the operator writes its certificate into one of them."""
    name = str(wanted["metadata"]["name"])
    there = world.api.get(CRD, name)
    if there is None:
        return f"there is no definition {name}"
    digest = (there["metadata"].get("annotations") or {}).get(DIGEST)
    same = digest == wanted["metadata"]["annotations"][DIGEST]
    return "" if same else f"definition {name} is of another version"


def _release_problems(last: Revision, wanted: Mapping[str, Any], version: str) -> list[str]:
    found = [f"value {path} is not as wanted" for path in _lacking(wanted, last.values())]
    if last.chart_version() != version:
        found.append(f"Dapr {last.chart_version()} is installed, not {version}")
    return found


def _lacking(wanted: Mapping[str, Any], there: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The paths of values that a release was not given so."""
    for key, value in wanted.items():
        given = there.get(key)
        if isinstance(value, Mapping):
            yield from _lacking(value, given if isinstance(given, Mapping) else {}, f"{path}{key}.")
        elif given != value:
            yield f"{path}{key}"


def _namespace(world: World) -> dict[str, Any]:
    return namespace.restricted(world, DAPR_NAMESPACE)


def _by_its_cli(world: World) -> bool:
    """A first install on a laptop with the CLI, as the list has it; the CLI knows only the current context."""
    if world.cluster.provider == "embedded" or newest(world.api, DAPR_RELEASE, DAPR_NAMESPACE) is not None:
        return False
    return dapr_cli.speaks_of_our_cluster(world.commands, world.cluster)


def _init(world: World, version: str, wanted: Mapping[str, Any]) -> None:
    argv = [dapr_cli.NAME, "init", "-k", "--wait", "--timeout", f"{CLI_SECONDS:g}"]
    argv += ["--runtime-version", version, "--namespace", DAPR_NAMESPACE]
    for setting in _settings(wanted):
        argv += ["--set", setting]
    world.commands.run(argv, timeout=CLI_SECONDS + HOOKS, env=dapr_cli.environment(world.cluster))


def _settings(wanted: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Values as `--set` takes them; a dot within a key is escaped."""
    for key, value in wanted.items():
        place = f"{path}{key.replace('.', chr(92) + '.')}"
        if isinstance(value, Mapping):
            yield from _settings(value, f"{place}.")
        else:
            yield f"{place}={str(value).lower() if isinstance(value, bool) else value}"
