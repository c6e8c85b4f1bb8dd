"""Phase 5: Dapr sidecars, mutual TLS and a state store (user story 3)."""

from __future__ import annotations

from runbook.step import Step

STEPS = (
    Step("T079", "Dapr is installed on the cluster", needs=("T008", "T043")),
    Step("T080", "The pods of Dapr's control plane are Ready", needs=("T079",)),
    Step(
        "T081", "Dapr's configuration turns on mutual TLS with 24h certificates and 15m skew", needs=("T024",)
    ),
    Step("T082", "The state store is a Redis that only the backend may use", needs=("T024",)),
    Step("T083", "The backend asks for a sidecar as todo-backend on port 8000", needs=("T030",)),
    Step("T084", "The sidecar asks for 100m and 128Mi and is held to 300m and 256Mi", needs=("T083",)),
    Step("T085", "Redis runs in the namespace of the application", needs=("T049",)),
    Step("T086", "The password of Redis is in a Secret", needs=("T048",)),
    Step(
        "T087",
        "The release is upgraded to the chart with Dapr",
        needs=("T071", "T080", "T081", "T082", "T084", "T085", "T086"),
    ),
    Step("T088", "The backend's pod has two containers, backend and daprd", needs=("T087",)),
    Step("T089", "The sidecar says that mutual TLS is on", needs=("T088",)),
    Step("T090", "Calls between the services are encrypted, and plain ones refused", needs=("T089",)),
    Step("T091", "State saved through the backend is found in Redis", needs=("T088",)),
    Step("T092", "The state store is loaded with its scope", needs=("T087",)),
)
