"""Dapr's control plane: installed as pinned, ready, closed when it fails, with an issuer that lasts."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from runbook.app.application import DAPR_NAMESPACE
from runbook.app.dapr import control_plane
from runbook.app.dapr import source as dapr_source
from runbook.app.sidecars import INJECTOR, TRUST_BUNDLE
from runbook.clients import dapr_cli
from runbook.clients.kube import workloads
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from runbook.world import World

VERSION_LABEL = "app.kubernetes.io/version"
LASTS = timedelta(days=30)
"""What sentry's own certificate must be good for, at least: sidecars do not outlive it."""


def installed(world: World) -> Outcome:
    """The release of the pinned version is deployed with our values, its definitions and objects are as installed.

    Source: T079.
    """
    version = dapr_source.version()
    wanted = f"Dapr {version} in namespace {DAPR_NAMESPACE} with our values"
    try:
        problems = control_plane.problems(world)
    except Unmeasurable as problem:
        if problem.hint != "inv dapr":
            raise
        problems = [problem.observed]
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint="inv dapr")
    built = ", built from its Go module," if dapr_source.source(world).image else ""
    return passed(
        f"Dapr {version}{built} is deployed in namespace {DAPR_NAMESPACE}", wanted=wanted, version=version
    )


def ready(world: World) -> Outcome:
    """Each service is ready in the pinned version; the webhook fails closed; the issuer lasts over 30 days.

    Where the Dapr CLI is installed it must agree. Source: T080. Of certificates only public
    parts are read.
    """
    version = dapr_source.version()
    wanted = (
        f"{', '.join(control_plane.SERVICES)} ready as {version}, webhook that fails closed,"
        f" issuer good for {LASTS.days} days"
    )
    hint = f"kubectl --namespace {DAPR_NAMESPACE} get pods,events"
    there = {workloads.name(each): each for each in world.api.list("Deployment", DAPR_NAMESPACE)}
    problems = [f"there is no Deployment {name}" for name in control_plane.SERVICES if name not in there]
    for name in control_plane.SERVICES:
        if name in there:
            problems += [workloads.deployment_problem(there[name]), _other_version(there[name], version)]
    pods = [pod for pod in world.api.list("Pod", DAPR_NAMESPACE) if not workloads.terminating(pod)]
    problems += [workloads.pod_problem(pod) for pod in pods]
    problems += _webhook_problems(world)
    if dapr_cli.speaks_of_our_cluster(world.commands, world.cluster):
        problems += dapr_cli.unhealthy(world.commands, world.cluster, control_plane.SERVICES)
    text = workloads.describe(problems)
    if text:
        return failed(text, wanted=wanted, hint=hint)
    issuer = issuer_certificate(world)
    left = issuer.not_valid_after_utc - datetime.now(UTC)
    if left <= LASTS:
        return failed(
            f"the issuer's certificate ends at {issuer.not_valid_after_utc:%Y-%m-%d}",
            wanted=wanted,
            hint="dapr mtls renew-certificate -k --restart, or inv dapr.remove and inv dapr",
        )
    return passed(
        f"{len(pods)} pods of Dapr {version} are Ready; a pod without its sidecar is refused;"
        f" the issuer is good for {left.days} days",
        wanted=wanted,
        pods={workloads.name(pod): workloads.ready_count(pod) for pod in pods},
        issuer=f"{issuer.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
    )


def issuer_certificate(world: World) -> Certificate:
    """Sentry's own certificate. Its Secret holds the key too, which is not looked at. Raises `Unmeasurable`."""
    from cryptography.x509 import load_pem_x509_certificates

    secret = world.api.get("Secret", TRUST_BUNDLE, DAPR_NAMESPACE)
    encoded = ((secret or {}).get("data") or {}).get("issuer.crt", "")
    try:
        return load_pem_x509_certificates(base64.b64decode(encoded))[0]
    except (ValueError, IndexError) as problem:
        raise Unmeasurable(
            f"Secret {TRUST_BUNDLE} of namespace {DAPR_NAMESPACE} holds no certificate of the issuer: {problem}",
            wanted="issuer.crt",
            hint=f"kubectl --namespace {DAPR_NAMESPACE} logs deployment/dapr-sentry",
        ) from None


def _other_version(deployment: dict[str, Any], version: str) -> str:
    labels = deployment["spec"]["template"]["metadata"].get("labels") or {}
    found = labels.get(VERSION_LABEL)
    return "" if found == version else f"Deployment {workloads.name(deployment)} is of version {found}"


def _webhook_problems(world: World) -> list[str]:
    """A pod of ours that asks for a sidecar must get one or not start; other namespaces are left in peace."""
    found = world.api.get("MutatingWebhookConfiguration", INJECTOR)
    hooks = (found or {}).get("webhooks") or []
    if not hooks:
        return [f"there is no webhook {INJECTOR}"]
    ours = {"kubernetes.io/metadata.name": world.settings.namespace}
    problems = []
    for hook in hooks:
        if hook.get("failurePolicy") != "Fail":
            problems.append(f"webhook {hook['name']} has failurePolicy {hook.get('failurePolicy')}, not Fail")
        if (hook.get("namespaceSelector") or {}).get("matchLabels") != ours:
            problems.append(f"webhook {hook['name']} is not for namespace {world.settings.namespace} alone")
        if not (hook.get("clientConfig") or {}).get("caBundle"):
            problems.append(f"webhook {hook['name']} has no CA bundle: the injector has not come up")
    return problems
