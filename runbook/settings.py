"""Settings, from invoke.yaml, the environment (TODO_*) and flags, in rising order of precedence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

ClusterChoice = Literal["auto", "embedded", "minikube", "kind", "existing"]


class Settings(BaseModel):
    """What a run is about. Unknown keys are refused (usage error, exit 2)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project: Path = Path(__file__).resolve().parent.parent
    cluster: ClusterChoice = "auto"
    cluster_name: str = Field(default="todo", pattern=r"^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$")
    """Names the embedded node, its state folder and its interface; also minikube's profile."""
    context: str = ""
    """The kubeconfig context of an existing cluster (cluster: existing)."""
    namespace: str = Field(default="todo", pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    release: str = "todo-app"
    host: str = "todo.local"
    tag: str = "1.0.0"
    bases: Literal["auto", "registry", "stand-in"] = "auto"
    """Where base images come from; auto asks the image registry once and falls back to the stand-in bases."""
    database_url: SecretStr = SecretStr("")
    """A real PostgreSQL (Neon) instead of the stand-in; libpq form. Environment only: TODO_DATABASE_URL."""
    openai_api_key: SecretStr = SecretStr("")
    """Environment only: OPENAI_API_KEY. Empty: the offline model takes its place."""
    openai_base_url: str = ""
    openai_model: str = ""
    ready_timeout: float = Field(default=300.0, gt=0)
    """Seconds until all pods must be Ready (SC-001)."""

    @property
    def cache(self) -> Path:
        """Toolchain and build cache; safe to delete."""
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "todo-runbook"

    @property
    def state(self) -> Path:
        """Everything that belongs to this one cluster: node, kubeconfig, ledger, journal, evidence."""
        return (
            Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
            / "todo-runbook"
            / self.cluster_name
        )
