"""Settings, from invoke.yaml, the environment (TODO_*) and flags, in rising order of precedence."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from runbook.errors import UsageError

ClusterChoice = Literal["auto", "embedded", "minikube", "kind", "existing"]


class Settings(BaseModel):
    """What a run is about. Unknown keys are refused (usage error, exit 2)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project: Path = Path(__file__).resolve().parent.parent
    cluster: ClusterChoice = "auto"
    cluster_name: str = Field(default="todo", pattern=r"^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$")
    """Names the embedded node, its state folder and its interface; also minikube's profile."""
    node_image: str = ""
    """The node image of a kind or minikube cluster that is made; empty: the tool's own default."""
    kind_config: str = ""
    """A file for `kind create cluster --config`; empty: one node that publishes `http_port`."""
    http_port: int = Field(default=80, ge=0, le=65535)
    """The port of 127.0.0.1 that reaches the ingress where the node's address does not; 0: none is published."""
    registry: str = Field(
        default="", pattern=r"^$|^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?(/[a-z0-9._-]+)*$"
    )
    """Registry and path to which images are pushed, and from which the nodes take them by digest."""
    pull_secret: str = ""
    """The Secret of type kubernetes.io/dockerconfigjson with which the nodes take images of `registry`; empty: none."""
    cpus: int = Field(default=0, ge=0)
    """Of a minikube profile that is made; 0: 4, or as many as Docker has."""
    memory: int = Field(default=0, ge=0)
    """MB of a minikube profile that is made; 0: 8192, or what Docker has."""
    driver: str = Field(default="docker", pattern=r"^[a-z0-9]+$")
    """minikube's driver."""
    runtime: Literal["docker", "containerd", "cri-o"] = "docker"
    """What runs the containers of a minikube profile that is made."""
    cni: str = Field(default="auto", min_length=1)
    """The network of a minikube profile that is made: calico, cilium, kindnet or a manifest; auto: calico."""
    kubernetes_version: str = ""
    """Of a minikube profile that is made; empty: minikube's own default."""
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


SECRETS = {"database_url": "TODO_DATABASE_URL", "openai_api_key": "OPENAI_API_KEY"}
"""Settings that are taken from the environment only: a file or a flag would show them."""

_ENVIRONMENT = {
    **{f"TODO_{key.upper()}": key for key in Settings.model_fields if key != "project"},
    "OPENAI_API_KEY": "openai_api_key",
    "OPENAI_BASE_URL": "openai_base_url",
    "OPENAI_MODEL": "openai_model",
}


def load(
    section: Mapping[str, Any],
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from the `runbook:` section of invoke.yaml, then the environment, then flags (empty ones count not).

    Raises UsageError for an unknown key (with the nearest known one), a bad value, and a secret in a file.
    """
    environment = os.environ if environment is None else environment
    for key in section:
        if key in SECRETS:
            raise UsageError(
                f"invoke.yaml holds the secret {key}",
                wanted="secrets in the environment only",
                hint=f"export {SECRETS[key]}=...",
            )
        if key not in Settings.model_fields:
            raise _unknown(f"runbook.{key} in invoke.yaml", key, list(Settings.model_fields))
    values: dict[str, Any] = dict(section)
    sources = dict.fromkeys(values, "in invoke.yaml")
    for name, text in environment.items():
        if name in _ENVIRONMENT:
            if text != "":
                values[_ENVIRONMENT[name]] = text
                sources[_ENVIRONMENT[name]] = f"by {name}"
        elif name.startswith("TODO_") and get_close_matches(name, _ENVIRONMENT, n=1, cutoff=0.8):
            raise _unknown(f"the variable {name}", name, list(_ENVIRONMENT))
    for key, value in (flags or {}).items():
        if value not in (None, ""):
            values[key] = value
            sources[key] = f"by --{_FLAGS.get(key, key)}"
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise _bad_value(error, sources) from None


_FLAGS = {"cluster_name": "name"}


def _unknown(what: str, key: str, known: list[str]) -> UsageError:
    nearest = get_close_matches(key, known, n=1, cutoff=0.5)
    return UsageError(
        f"{what} is not a known setting",
        wanted=f"{nearest[0]}?" if nearest else f"one of {', '.join(sorted(known))}",
        hint="see invoke.yaml for all settings",
    )


def _bad_value(error: ValidationError, sources: Mapping[str, str]) -> UsageError:
    first = error.errors()[0]
    key = str(first["loc"][0])
    shown = "" if key in SECRETS else f" to {first['input']!r}"
    return UsageError(
        f"{key} is set{shown} {sources.get(key, '')}".rstrip(),
        wanted=first["msg"].removeprefix("Input should be "),
        hint="see invoke.yaml for all settings",
    )
