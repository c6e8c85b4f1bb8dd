"""Phase 5: Dapr sidecars, mutual TLS and a state store (user story 3)."""

from __future__ import annotations

from runbook.actions import dapr, mesh, redis
from runbook.application import (
    BACKEND,
    FRONTEND,
    MCP_SERVER,
    REDIS_KEY,
    REDIS_PORT,
    REDIS_SECRET,
    STATE_STORE,
)
from runbook.checks import (
    chart,
    claims,
    mesh_claims,
    mesh_components,
    mesh_control,
    mesh_identity,
    mesh_redis,
    mesh_sidecars,
    mesh_state,
    mesh_wire,
    mutual_tls,
    pods,
)
from runbook.checks.rendering import MESHED
from runbook.step import Step

ACCESS = mesh_claims.access_control({FRONTEND: None, BACKEND: FRONTEND, MCP_SERVER: BACKEND})


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


STEPS = (
    Step(
        "T079",
        "Dapr is installed on the cluster",
        check=mesh_control.installed,
        apply=dapr.install,
        needs=("T008", "T043"),
        heavy=True,
    ),
    Step(
        "T080",
        "The pods of Dapr's control plane are Ready",
        check=mesh_control.ready,
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
        mesh_claims.state_store(
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
        mesh_claims.sidecar(BACKEND),
        "T030",
    ),
    _templated(
        "T084",
        "The sidecar asks for 100m and 128Mi and is held to 300m and 256Mi",
        mesh_claims.sidecar_resources(
            BACKEND,
            requests={"cpu": "100m", "memory": "128Mi"},
            limits={"cpu": "300m", "memory": "256Mi"},
        ),
        "T083",
    ),
    Step(
        "T085",
        "Redis runs in the namespace of the application",
        check=mesh_redis.runs,
        apply=redis.run,
        needs=("T049",),
    ),
    Step(
        "T086",
        "The password of Redis is in a Secret",
        check=mesh_redis.password_is_kept,
        needs=("T048", "T085"),
    ),
    Step(
        "T087",
        "The release is upgraded to the chart with Dapr",
        check=mesh_sidecars.released,
        apply=mesh.join,
        needs=("T071", "T080", "T081", "T082", "T084", "T085", "T086"),
    ),
    Step(
        "T088",
        "Every pod of the application has two containers, its own and daprd",
        check=mesh_sidecars.injected,
        apply=mesh.restart,
        needs=("T087",),
    ),
    Step("T089", "Mutual TLS is on in every sidecar", check=mesh_identity.on, needs=("T088",)),
    Step(
        "T090",
        "Calls between the services are encrypted, and plain ones refused",
        check=mesh_wire.encrypted,
        needs=("T089",),
    ),
    Step(
        "T091",
        "State saved through the backend is found in Redis",
        check=mesh_state.kept,
        needs=("T047", "T088"),
        drill=True,
        fingerprint=pods.fingerprint,
    ),
    Step(
        "T092",
        "The state store is loaded with its scope",
        check=mesh_components.scoped,
        needs=("T087",),
    ),
)
