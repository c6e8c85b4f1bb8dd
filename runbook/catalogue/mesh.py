"""Phase 5: Dapr sidecars, mutual TLS and a state store (user story 3)."""

from __future__ import annotations

from runbook.actions.dapr import dapr, mesh, redis
from runbook.app.application import (
    BACKEND,
    FRONTEND,
    MCP_SERVER,
    REDIS_KEY,
    REDIS_PORT,
    REDIS_SECRET,
    STATE_STORE,
)
from runbook.checks.chart import chart, claims
from runbook.checks.chart.rendering import MESHED
from runbook.checks.cluster import pods
from runbook.checks.dapr import (
    control_plane,
    dapr_claims,
    injection,
    mutual_tls,
    redis_server,
    service_calls,
    sidecar_identity,
    state_components,
    state_store,
)
from runbook.engine.step import Step

ACCESS = dapr_claims.access_control({FRONTEND: None, BACKEND: FRONTEND, MCP_SERVER: BACKEND})


def _templated(step_id: str, title: str, claim: claims.Claim, *needs: str) -> Step:
    """A step that the chart fulfils: asked as it renders with Dapr, and of the live object once Dapr is on."""
    return Step(
        step_id,
        title,
        check=chart.rendered(claim, MESHED),
        live=chart.deployed(claim),
        live_after="T087",
        needs=needs,
    )


SIDECAR_REQUESTS = {"cpu": "100m", "memory": "128Mi"}
SIDECAR_LIMITS = {"cpu": "300m", "memory": "256Mi"}
LIMITED = dapr_claims.sidecar_resources(BACKEND, requests=SIDECAR_REQUESTS, limits=SIDECAR_LIMITS)

STEPS = (
    Step(
        "T079",
        "Dapr is installed on the cluster",
        check=control_plane.installed,
        apply=dapr.install,
        needs=("T008", "T043"),
        heavy=True,
    ),
    Step(
        "T080",
        "The pods of Dapr's control plane are Ready",
        check=control_plane.ready,
        apply=dapr.wait,
        needs=("T079",),
    ),
    Step(
        "T081",
        "Dapr's configuration turns on mutual TLS with 24h certificates and 15m skew",
        check=chart.rendered(ACCESS, MESHED),
        live=mutual_tls.both(chart.deployed(ACCESS), mutual_tls.configured(lifetime="24h", skew="15m")),
        live_after="T087",
        needs=("T024",),
    ),
    _templated(
        "T082",
        "The state store is a Redis that only the backend may use",
        dapr_claims.state_store(
            STATE_STORE,
            service="redis-svc",
            port=REDIS_PORT,
            secret=REDIS_SECRET,
            key=REDIS_KEY,
            user=BACKEND,
        ),
        "T024",
    ),
    _templated(
        "T083",
        "The backend asks for a sidecar as todo-backend on port 8000",
        dapr_claims.sidecar(BACKEND),
        "T030",
    ),
    Step(
        "T084",
        "The sidecar asks for 100m and 128Mi and is limited to 300m and 256Mi",
        check=chart.rendered(LIMITED, MESHED),
        live=mutual_tls.both(chart.deployed(LIMITED), injection.limited(SIDECAR_REQUESTS, SIDECAR_LIMITS)),
        live_after="T087",
        needs=("T083",),
    ),
    Step(
        "T085",
        "Redis runs in the namespace of the application",
        check=redis_server.runs,
        apply=redis.run,
        needs=("T049",),
    ),
    Step(
        "T086",
        "The password of Redis is in a Secret",
        check=redis_server.password_is_kept,
        needs=("T048", "T085"),
    ),
    Step(
        "T087",
        "The release is upgraded to the chart with Dapr",
        check=injection.released,
        apply=mesh.join,
        needs=("T071", "T080", "T081", "T082", "T084", "T085", "T086"),
    ),
    Step(
        "T088",
        "Every pod of the application has two containers, its own and daprd",
        check=injection.injected,
        apply=mesh.restart,
        needs=("T087",),
    ),
    Step("T089", "Mutual TLS is on in every sidecar", check=sidecar_identity.on, needs=("T088",)),
    Step(
        "T090",
        "Calls between the services are encrypted, and plain ones refused",
        check=service_calls.encrypted,
        needs=("T089",),
    ),
    Step(
        "T091",
        "State saved through the backend is found in Redis",
        check=state_store.kept,
        needs=("T047", "T088"),
        drill=True,
        fingerprint=pods.fingerprint,
        canary=state_store.kept,
    ),
    Step(
        "T092",
        "The state store is loaded with its scope",
        check=state_components.scoped,
        needs=("T087",),
    ),
)
