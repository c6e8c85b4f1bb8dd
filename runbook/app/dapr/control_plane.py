"""Dapr's control plane as it has to be: the values of its chart, its definitions, and what is otherwise on the cluster.

Only what we use runs: operator, injector and sentry. Actors (placement) and jobs (scheduler) are off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import yaml

from runbook.app import namespaces
from runbook.app.application import DAPR_NAMESPACE, DAPR_RELEASE
from runbook.app.dapr import source as dapr_source
from runbook.app.dapr.ownership import CRD, foreign
from runbook.app.drift import differences
from runbook.app.release_state import DEPLOYED
from runbook.app.sidecars import TRUST_BUNDLE
from runbook.clients.kube.releases import Revision, newest

if TYPE_CHECKING:
    from pathlib import Path

    from runbook.app.dapr.source import Source
    from runbook.world import World

DIGEST = "todo.runbook/digest"
"""Annotation of a resource definition: of which file it is."""

CERTIFICATE_LIFETIME = "24h"
CLOCK_SKEW = "15m"
SERVICES = ("dapr-operator", "dapr-sentry", "dapr-sidecar-injector")
"""The Deployments of the control plane."""


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
    found += [problem for each in definitions(source.chart) if (problem := definition_problem(world, each))]
    found.append(
        namespaces.problem_of(world, wanted_namespace(world), world.api.get("Namespace", DAPR_NAMESPACE))
    )
    # Sentry fills the trust bundle, which the chart makes empty; T080 judges what is in it.
    objects = [each for each in last.manifest() if each["metadata"]["name"] != TRUST_BUNDLE]
    found += differences(world.api, objects, DAPR_NAMESPACE)
    return [problem for problem in found if problem]


def definitions(chart: Path) -> Iterator[dict[str, Any]]:
    """The chart's resource definitions, each marked with the digest of its file."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for file in sorted((chart / "crds").glob("*.yaml")):
        text = file.read_text()
        for each in filter(None, yaml.load_all(text, Loader=loader)):
            digest = hashlib.sha256(text.encode()).hexdigest()[:16]
            each["metadata"].setdefault("annotations", {})[DIGEST] = digest
            yield each


def definition_problem(world: World, wanted: Mapping[str, Any]) -> str:
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


def wanted_namespace(world: World) -> dict[str, Any]:
    return namespaces.restricted(world, DAPR_NAMESPACE)
