"""Phase 3: the application runs on Kubernetes and answers in a browser (user story 1)."""

from __future__ import annotations

from runbook.step import Step

STEPS = (
    Step("T025", "The frontend runs as user 1000 on a read-only root", needs=("T024",)),
    Step("T026", "The frontend asks for 100m and 128Mi and is held to 500m and 256Mi", needs=("T024",)),
    Step("T027", "The frontend is probed at /", needs=("T024",)),
    Step("T028", "The frontend is a ClusterIP service on port 3000", needs=("T024",)),
    Step("T029", "The ingress of class nginx sends todo.local to the frontend", needs=("T024",)),
    Step("T030", "The backend runs as user 1000 on a read-only root", needs=("T024",)),
    Step("T031", "The backend asks for 200m and 256Mi and is held to 1 CPU and 512Mi", needs=("T024",)),
    Step("T032", "The backend is probed at /health", needs=("T024",)),
    Step("T033", "The backend is a ClusterIP service on port 8000", needs=("T024",)),
    Step("T034", "The MCP server's build context leaves out what the image does not need", needs=("T011",)),
    Step(
        "T035", "The MCP server's Dockerfile has two stages, Python 3.13 slim and user 1000", needs=("T011",)
    ),
    Step(
        "T036",
        "The MCP server image is built from these very sources",
        needs=("T004", "T034", "T035"),
        heavy=True,
    ),
    Step("T037", "The MCP server image stays under 200 MB", needs=("T036",)),
    Step("T038", "The MCP server runs as user 1000 on a read-only root", needs=("T024",)),
    Step("T039", "The MCP server asks for 100m and 128Mi and is held to 500m and 256Mi", needs=("T024",)),
    Step("T040", "The MCP server is probed at /health", needs=("T024",)),
    Step("T041", "The MCP server is a ClusterIP service on port 8080", needs=("T024",)),
    Step(
        "T042", "The manifest of the namespace names it todo and labels it env=development", needs=("T002",)
    ),
    Step("T043", "The local Kubernetes runs and its node is Ready", needs=("T005", "T006", "T007")),
    Step("T044", "An ingress controller serves class nginx", needs=("T043",)),
    Step("T045", "Images are built where the node can take them", needs=("T004", "T043")),
    Step("T046", "The node holds the images that were built", needs=("T016", "T017", "T036", "T045")),
    Step("T047", "This machine finds todo.local at the ingress", needs=("T044",)),
    Step("T048", "The release is deployed from this very chart", needs=("T024", "T042", "T044", "T046")),
    Step("T049", "All pods are Ready within five minutes", needs=("T048",)),
    Step("T050", "Every service has endpoints", needs=("T049",)),
    Step("T051", "The ingress answers with HTTP 200", needs=("T047", "T050")),
    Step("T052", "The page loads in a browser in under 3 seconds", needs=("T051",)),
    Step("T053", "A chat message in the browser is answered in under 10 seconds", needs=("T052",)),
    Step("T054", "The answer came by a tool call of the backend to the MCP server", needs=("T053",)),
)
