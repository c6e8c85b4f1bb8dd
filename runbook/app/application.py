"""What the deployed application consists of: names and ports that checks and actions share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Component:
    """One service of the application. Container, Deployment and label carry its name."""

    name: str
    port: int
    health: str

    @property
    def service(self) -> str:
        return f"{self.name}-svc"

    @property
    def account(self) -> str:
        """Its ServiceAccount."""
        return f"{self.name}-sa"

    @property
    def image(self) -> str:
        return f"todo-{self.name}"

    @property
    def app_id(self) -> str:
        """The name that Dapr knows it by."""
        return f"todo-{self.name}"


FRONTEND = Component("frontend", 3000, "/")
BACKEND = Component("backend", 8000, "/health")
MCP_SERVER = Component("mcp-server", 8080, "/health")
COMPONENTS = (FRONTEND, BACKEND, MCP_SERVER)

SELECTOR = f"app.kubernetes.io/name in ({','.join(component.name for component in COMPONENTS)})"
"""Pods and Deployments of the application, without jobs and stand-ins."""

SECRET = "todo-secrets"  # noqa: S105 - a name, not a secret
AUTHORITY = "todo-database-ca"
WEB_SECRET = "todo-tls"  # noqa: S105
"""Of type kubernetes.io/tls: the certificate of the host, in production."""

DATABASE_NAMESPACE = "todo-database"
DATABASE_RELEASE = "postgres"
DATABASE_PORT = 5432
MODEL_NAMESPACE = "todo-model"
MODEL_RELEASE = "offline-model"
INGRESS_CLASS = "nginx"

DAPR_NAMESPACE = "dapr-system"
DAPR_RELEASE = "dapr"
SIDECAR = "daprd"
SIDECAR_PORT = 3500
"""Where a sidecar answers its own application, on loopback."""
SIDECAR_PUBLIC = (3501, 9090)
"""Its health and metrics, for others: closed by policy everywhere."""
SIDECAR_CALLS = 50002
"""Where sidecars call each other."""
STATE_STORE = "statestore"
REDIS = "redis"
REDIS_PORT = 6379
REDIS_SECRET = "redis-auth"  # noqa: S105
REDIS_KEY = "password"
