"""Mutual TLS as the sidecars hold it: one source of settings, one authority, an identity of its own for each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from runbook.app.application import DAPR_NAMESPACE
from runbook.app.sidecars import application_pods, sidecar_of, stale
from runbook.checks.dapr import mutual_tls
from runbook.clients.kube import workloads
from runbook.engine.step import Outcome, failed, passed
from runbook.probes.dapr import sentry

if TYPE_CHECKING:
    from runbook.world import World

Object = Mapping[str, Any]

LIFETIME, SKEW = "24h", "15m"
SENTRY = f"spiffe://cluster.local/ns/{DAPR_NAMESPACE}/dapr-sentry"
TOKEN = "dapr-identity-token"  # noqa: S105 - a volume's name
SETTINGS_WRITER_ALLOWANCE = timedelta(seconds=1)
"""Times of objects are in whole seconds."""

REFUSED = "failure_total"
"""Sentry's counter of requests for a certificate that it did not sign."""


def on(world: World) -> Outcome:
    """Mutual TLS is on in each sidecar: by the control plane's settings as they were when the pod was made, by the
    anchors that it trusts, by the token that it shows to sentry, and by sentry's count of certificates.

    A line of its log proves nothing: newer versions write none, and one of security in general stands there with mutual
    TLS off too. Source: T089, D-04.
    """
    wanted = f"one {mutual_tls.SYSTEM} with mutual TLS, {LIFETIME} and {SKEW}; each sidecar made after it, certified"
    hint = "inv dapr; kubectl get configurations.dapr.io --all-namespaces"
    settings = mutual_tls.configured(lifetime=LIFETIME, skew=SKEW)(world)
    if not settings.green:
        return settings
    pods = application_pods(world)
    changed = _changed(world)
    problems = stale(world)
    for pod in pods:
        problems += [f"the sidecar of pod {workloads.name(pod)} {each}" for each in _spec_problems(pod)]
        if changed and _time(pod["metadata"]["creationTimestamp"]) + SETTINGS_WRITER_ALLOWANCE < changed:
            problems.append(
                f"pod {workloads.name(pod)} is older than the last change of {mutual_tls.SYSTEM}:"
                " its sidecar holds to what was set before"
            )
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=hint)
    counters = sentry.signatures(world)
    if counters.get(REFUSED):
        return failed(
            f"sentry refused {counters[REFUSED]:g} certificates since it started",
            wanted=wanted,
            hint=f"kubectl --namespace {DAPR_NAMESPACE} logs deployment/dapr-sentry",
            counters=counters,
        )
    return passed(
        f"{settings.observed}; {len(pods)} sidecars made after it, with sentry's anchors and tokens for it",
        wanted=wanted,
        counters=counters,
    )


def _spec_problems(pod: Object) -> list[str]:
    sidecar = sidecar_of(pod)
    if not sidecar:
        return ["is not there"]
    found = [] if "--enable-mtls" in (sidecar.get("args") or []) else ["runs without --enable-mtls"]
    audiences = [
        source["serviceAccountToken"].get("audience")
        for volume in pod["spec"].get("volumes") or []
        if volume["name"] == TOKEN
        for source in (volume.get("projected") or {}).get("sources") or []
        if "serviceAccountToken" in source
    ]
    if audiences != [SENTRY]:
        found.append(f"shows a token for {', '.join(map(str, audiences)) or 'nobody'}, not for {SENTRY}")
    return found


def _changed(world: World) -> datetime | None:
    """When the control plane's settings were last written."""
    system = world.api.get("Configuration.dapr.io", mutual_tls.SYSTEM, DAPR_NAMESPACE) or {}
    metadata = system.get("metadata") or {}
    times = [str(each["time"]) for each in metadata.get("managedFields") or [] if each.get("time")]
    times += [str(metadata["creationTimestamp"])] if metadata.get("creationTimestamp") else []
    return max(map(_time, times), default=None)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
