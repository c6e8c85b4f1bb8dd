"""What sentry, Dapr's certificate authority, counts of its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.app.application import DAPR_NAMESPACE
from runbook.clients.kube import pod_http, workloads
from runbook.engine.errors import Unmeasurable

if TYPE_CHECKING:
    from runbook.world import World

LABELS = "app=dapr-sentry"
METRICS_PORT = 9090
PREFIX = "dapr_sentry_cert_sign_"


def signatures(world: World) -> dict[str, float]:
    """Counters of certificate requests since sentry's pods started, by name: received, success, failure.

    Raises `Unmeasurable` where sentry does not tell.
    """
    pods = [
        pod for pod in world.api.list("Pod", DAPR_NAMESPACE, labels=LABELS) if not workloads.pod_problem(pod)
    ]
    if not pods:
        raise Unmeasurable("sentry does not run", wanted="a ready pod of dapr-sentry", hint="inv dapr")
    found: dict[str, float] = {}
    for pod in pods:
        try:
            for key, figure in _counters(pod_http.ask(world.api, pod, METRICS_PORT, "/metrics").text):
                found[key] = found.get(key, 0.0) + figure
        except ValueError as problem:
            raise Unmeasurable(
                f"sentry's counters cannot be read: {problem}",
                wanted=f"metrics of pod {workloads.name(pod)} on port {METRICS_PORT}",
                hint=f"kubectl --namespace {DAPR_NAMESPACE} logs {workloads.name(pod)}",
            ) from None
    return found


def _counters(text: str) -> list[tuple[str, float]]:
    """Of the Prometheus text format only what is needed here: a name, perhaps labels, and a figure."""
    found = []
    for line in text.splitlines():
        if line.startswith(PREFIX):
            name, _, figure = line.rpartition(" ")
            found.append((name.partition("{")[0].removeprefix(PREFIX), float(figure)))
    return found
