"""What the steps are for: the acceptance scenarios, success criteria and functional requirements of the task list.

Each names the steps that prove it. `gap` says what of it no step shows: a requirement with a gap is not proven in full,
whatever its steps say. docs/requirements.md is written from this table.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row. `steps` look at it; none: nothing proves it."""

    id: str
    text: str
    steps: tuple[str, ...]
    gap: str = ""


REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement(
        "AS-001",
        "With Docker and Minikube up, running the deployment brings frontend, backend and MCP server pods "
        "to Running",
        ("T049",),
    ),
    Requirement("AS-002", "Opening the frontend URL shows the chatbot's interface", ("T051", "T052")),
    Requirement(
        "AS-003",
        "A chat message is processed and answered, which exercises every service on the way",
        ("T050", "T053", "T054"),
    ),
    Requirement(
        "AS-004", "Each service's health endpoint answers with a success status", ("T049", "T050", "T051")
    ),
    Requirement("AS-005", "Every container runs as a non-root user, UID and GID 1000", ("T072", "T073")),
    Requirement(
        "AS-006",
        "Privilege escalation is off and the root filesystem is read-only in every container",
        ("T072", "T074"),
    ),
    Requirement("AS-007", "A connection that no policy allows is blocked", ("T077", "T078")),
    Requirement(
        "AS-008", "CPU and memory are requested and limited in each container, none left out", ("T075",)
    ),
    Requirement(
        "AS-009", "Each component has its own service account with the least permissions it needs", ("T076",)
    ),
    Requirement(
        "AS-010", "Every application pod holds its application container and a Dapr sidecar", ("T080", "T088")
    ),
    Requirement("AS-011", "mTLS is on, with a sensible certificate TTL", ("T089", "T090")),
    Requirement("AS-012", "All service-to-service traffic is encrypted with mTLS", ("T089", "T090")),
    Requirement(
        "AS-013", "State that the backend stores can be read back through Dapr's API", ("T091", "T092")
    ),
    Requirement("AS-014", "Sidecars have CPU and memory limits", ("T084",)),
    Requirement(
        "AS-015", "`helm install` with development values creates every resource", ("T097", "T098", "T104")
    ),
    Requirement(
        "AS-016",
        "`helm upgrade` with other values changes the application, no manifest edited by hand",
        ("T101",),
    ),
    Requirement(
        "AS-017",
        "Production values yield production settings: more replicas, stricter security",
        ("T099", "T100"),
        gap="production values are rendered and admitted by a dry run; nothing of them is started",
    ),
    Requirement(
        "AS-018",
        "`helm lint` and `helm template` report neither errors nor warnings",
        ("T024", "T097", "T098", "T099"),
    ),
    Requirement(
        "AS-019", "Installing the main chart deploys all sub-charts: frontend, backend, MCP server", ("T104",)
    ),
    Requirement(
        "AS-020",
        "The backend pod starts and connects with credentials taken from the Kubernetes Secret",
        ("T112", "T113"),
    ),
    Requirement("AS-021", "The connection is configured with TLS mode `require`", ("T110",)),
    Requirement(
        "AS-022",
        "Create, update, delete through chat reach PostgreSQL and outlive a pod restart",
        ("T114", "T115", "T116", "T117"),
    ),
    Requirement(
        "AS-023",
        "Concurrent requests are served from a pool and do not exhaust the server's connections",
        ("T118",),
    ),
    Requirement(
        "AS-024",
        "After the Secret changes and pods restart, the new credentials are in use, with no code change",
        ("T119",),
        gap="shown with the database of the cluster; unproven with one outside, whose roles are not ours",
    ),
    Requirement("SC-001", "100 % of pods Running and Ready within 5 minutes", ("T049",)),
    Requirement("SC-002", "The page loads in a browser in under 3 seconds", ("T051", "T052")),
    Requirement(
        "SC-003",
        "Chat, from input through backend, MCP tools and model back to the page, within 10 seconds for "
        "ordinary requests",
        ("T053", "T054"),
    ),
    Requirement("SC-004", "All health endpoints answer HTTP 200", ("T050", "T051")),
    Requirement(
        "SC-005",
        "Zero critical security violations: all non-root, limits present, policies active",
        ("T072", "T073", "T074", "T075", "T076", "T077", "T078"),
    ),
    Requirement(
        "SC-006",
        "Sidecars start, and 100 % of service-to-service traffic uses mTLS",
        ("T088", "T089", "T090"),
    ),
    Requirement(
        "SC-007",
        "Chart installs without an error for development and production values",
        ("T048", "T097", "T098", "T099", "T100"),
        gap="production values are admitted by a dry run; nothing of them is started",
    ),
    Requirement(
        "SC-008",
        "Zero data loss over pod restarts and rescheduling",
        ("T115", "T116", "T117"),
        gap="the backend's pods are replaced; the database's pod and the node are not",
    ),
    Requirement(
        "SC-009",
        "Database traffic uses TLS; 100 % of connection attempts verified as secure",
        ("T110", "T113"),
    ),
    Requirement(
        "SC-010",
        "A developer with basic Kubernetes knowledge, following the documentation, succeeds at first try "
        "in 80 % of cases",
        ("T126", "T127", "T128", "T129"),
        gap="the scripts are tried on a new cluster of this machine, with its caches; no rate of first "
        "attempts by people",
    ),
    Requirement(
        "SC-011",
        "Image sizes: frontend < 200 MB, backend < 300 MB, MCP server < 200 MB",
        ("T018", "T019", "T037"),
    ),
    Requirement(
        "SC-012",
        "Failed pods restart and recover without anyone acting",
        ("T116", "T117"),
        gap="a pod is deleted by the API; no process is killed and no liveness probe fails",
    ),
    Requirement(
        "FR-001",
        "Frontend, backend and MCP server as separate pods in one dedicated namespace",
        ("T042", "T049"),
    ),
    Requirement("FR-002", "All pods Running and Ready within 5 minutes of deployment", ("T049",)),
    Requirement(
        "FR-003",
        "Frontend on a stable URL through an Ingress of the NGINX Ingress Controller",
        ("T051", "T052"),
    ),
    Requirement("FR-004", "Backend API reachable from the frontend service", ("T050", "T053")),
    Requirement("FR-005", "Backend can invoke the MCP server's tools", ("T050", "T054")),
    Requirement(
        "FR-006",
        "Several replicas per component when configured",
        ("T093", "T099", "T103"),
        gap="three replicas are rendered and admitted; they run only where the cluster has nodes for them",
    ),
    Requirement(
        "FR-007",
        "Application state survives restart and rescheduling of pods",
        ("T091", "T115", "T116", "T117"),
        gap="the backend's pods are replaced; the database's pod and the node are not",
    ),
    Requirement("FR-008", "All containers non-root with an explicit user id", ("T073",)),
    Requirement("FR-009", "Privilege escalation off everywhere", ("T074",)),
    Requirement("FR-010", "Read-only root filesystem everywhere", ("T072",)),
    Requirement("FR-011", "Drop ALL capabilities; keep only what the application proves to need", ("T072",)),
    Requirement("FR-012", "CPU and memory requests and limits on every container", ("T075",)),
    Requirement(
        "FR-013",
        "All credentials in Kubernetes Secrets",
        ("T086", "T105", "T106", "T107", "T108", "T109", "T113"),
    ),
    Requirement(
        "FR-014", "Policies deny by default and open only the paths that are needed", ("T077", "T078")
    ),
    Requirement(
        "FR-015",
        "A dedicated service account per component",
        ("T055", "T058", "T061", "T064", "T065", "T066", "T076"),
    ),
    Requirement(
        "FR-016",
        "Least RBAC permissions, namespace-scoped Roles only, no ClusterRole, no wildcard, no "
        "bind/escalate/impersonate",
        ("T056", "T057", "T059", "T060", "T062", "T063", "T076"),
    ),
    Requirement("FR-017", "Specific image tags, never `latest`", ("T021", "T022", "T093")),
    Requirement("FR-018", "A Dapr sidecar in every application pod", ("T088",)),
    Requirement("FR-019", "Calls between services go through Dapr under mTLS", ("T089", "T090")),
    Requirement(
        "FR-020", "Components name the app ids that may use them (scopes never empty)", ("T082", "T092")
    ),
    Requirement("FR-021", "Sensitive component settings only by secretKeyRef", ("T082", "T086")),
    Requirement("FR-022", "Resource limits on every sidecar", ("T084",)),
    Requirement("FR-023", "Certificate TTL and clock skew configured: 24h, 15m", ("T081", "T090")),
    Requirement(
        "FR-024",
        "Redis is the local state store, with persistence enabled",
        ("T093",),
        gap="the claim of a volume is rendered; in development Redis is ephemeral, as the list asks",
    ),
    Requirement("FR-025", "Helm charts deploy every component", ("T048", "T104")),
    Requirement("FR-026", "One values file per environment: development, production", ("T098", "T099")),
    Requirement("FR-027", "Charts lint without errors or warnings", ("T024", "T097")),
    Requirement("FR-028", "Dry-run installs validate manifests beforehand", ("T100",)),
    Requirement("FR-029", "A parent chart and one sub-chart per component", ("T096", "T104")),
    Requirement(
        "FR-030",
        "Replicas, resources, image tags and other environment settings are parameters, documented",
        ("T021", "T022", "T093", "T094"),
    ),
    Requirement(
        "FR-031",
        "A failed deployment rolls back by itself: wait for readiness, revert to the previous release if "
        "it does not come",
        ("T102", "T103"),
    ),
    Requirement("FR-032", "Connect to Neon PostgreSQL with TLS (sslmode=require)", ("T110", "T112", "T113")),
    Requirement("FR-033", "Credentials come from Kubernetes Secrets", ("T112",)),
    Requirement("FR-034", "Pooled connections, 10-20 for local development", ("T118",)),
    Requirement(
        "FR-035",
        "The database account has least privilege: neither owner nor admin",
        ("T112",),
        gap="shown with the database of the cluster; with one outside it is a warning",
    ),
    Requirement(
        "FR-036",
        "Connection failures are met with 3-5 retries, exponential back-off, 30 s at most",
        ("T112",),
    ),
    Requirement("FR-037", "A health endpoint per component", ("T027", "T032", "T040", "T051")),
    Requirement(
        "FR-038",
        "Liveness and readiness probes on all pods",
        ("T027", "T032", "T040", "T049"),
        gap="the three applications; the probes of Redis and of the sidecars are not read",
    ),
    Requirement("FR-039", "Service endpoints exposed for monitoring and diagnosis", ("T050",)),
    Requirement(
        "FR-040",
        "Security-relevant events and errors are logged",
        (),
        gap="no step makes a refused sign-in, a 401, a 403 or a refusal of the guard and finds its line in "
        "the log",
    ),
    Requirement(
        "FR-041",
        "Sidecar health checks configured",
        (),
        gap="no step reads the probes of the sidecar; that it is Ready does not show that it has any",
    ),
    Requirement(
        "FR-042",
        "Logs and metrics kept 2 days locally",
        (),
        gap="nothing keeps logs and metrics for two days: the kubelet rotates logs by size, and there is no "
        "metrics history",
    ),
)

BY_ID = {each.id: each for each in REQUIREMENTS}


def of_step(step_id: str) -> tuple[str, ...]:
    """The ids of the requirements that a step proves, or helps to prove."""
    return tuple(each.id for each in REQUIREMENTS if step_id in each.steps)


def document() -> str:
    """docs/requirements.md."""
    lines = [
        "# Requirements",
        "",
        "Written by `python -m runbook.catalogue.requirements > docs/requirements.md`; a test holds it up to date.",
        "",
        "AS: acceptance scenarios, SC: success criteria, FR: functional requirements of the task list. A requirement",
        "is proven when all of its steps pass and nothing of it is left open; `inv explain AS-007` shows its state.",
        "",
        "| id | requirement | proven by | left open |",
        "|---|---|---|---|",
    ]
    rows = [
        f"| {each.id} | {each.text} | {' '.join(each.steps) or 'nothing'} | {each.gap} |"
        for each in REQUIREMENTS
    ]
    return "\n".join([*lines, *rows])


if __name__ == "__main__":
    print(document())  # noqa: T201 (it is written to a file by the shell)
