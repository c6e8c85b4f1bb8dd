"""Settings, from invoke.yaml, the environment (TODO_*) and flags, in rising order of precedence."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from runbook.engine.errors import UsageError
from runbook.engine.redaction import conceal
from runbook.engine.settings import database_url, values

ClusterChoice = Literal["auto", "embedded", "minikube", "kind", "existing"]


class Settings(BaseModel):
    """What a run is about. Unknown keys are refused (usage error, exit 2)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    _origins: dict[str, str] = PrivateAttr(default_factory=dict)
    _database_authority: str = PrivateAttr(default="")

    project: Path = Path(__file__).resolve().parents[3]
    cluster: ClusterChoice = "auto"
    env: Literal["dev", "prod"] = "dev"
    """The values file of the application: values-dev.yaml, or values-prod.yaml with HTTPS and images of `registry`."""
    tls_certificate: str = ""
    """Production: the file with the certificate of `host` and its chain, in PEM; it becomes Secret todo-tls."""
    tls_key: str = ""
    """The file with its private key, in PEM and without a password."""
    tls_authority: str = ""
    """The file with the authority that signed it; empty: those that this machine trusts."""
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
    namespace: Annotated[str, AfterValidator(values.namespace)] = "todo"
    release: Annotated[str, AfterValidator(values.release)] = "todo-app"
    host: Annotated[str, AfterValidator(values.host)] = "todo.local"
    tag: Annotated[str, AfterValidator(values.tag)] = "1.0.0"
    bases: Literal["auto", "registry", "stand-in"] = "auto"
    """Where base images come from; auto asks the image registry once and falls back to the stand-in bases."""
    dapr: Literal["auto", "repository", "module"] = "auto"
    """Where Dapr's chart and images come from outside the embedded node: its own repository, or built from its Go
    module; auto asks the repository once and builds where it is out of reach."""
    database_url: SecretStr = SecretStr("")
    """A real PostgreSQL (Neon) instead of the stand-in; libpq form. Environment only: TODO_DATABASE_URL."""
    openai_api_key: SecretStr = SecretStr("")
    """Environment only: OPENAI_API_KEY. Empty: the offline model takes its place."""
    openai_base_url: Annotated[str, AfterValidator(values.http_url)] = ""
    openai_model: str = ""
    proof_hours: float = Field(default=24.0, gt=0, le=24.0 * 365, allow_inf_nan=False)
    """Hours for which the proof of a drill is carried while its inputs are the same."""
    ready_timeout: float = Field(default=300.0, gt=0, le=values.LONGEST_TIMEOUT, allow_inf_nan=False)
    """Seconds until all pods must be Ready (SC-001)."""

    @field_validator("*", mode="before")
    @classmethod
    def _in_digits(cls, value: Any, info: ValidationInfo) -> Any:
        annotation = cls.model_fields[info.field_name or ""].annotation
        return values.number(value) if annotation in (int, float) else value

    @field_validator("*", mode="after")
    @classmethod
    def _on_one_line(cls, value: Any) -> Any:
        return values.words(value) if isinstance(value, str) else value

    @property
    def database_authority(self) -> str:
        """The certificates of the file that the database's URL named as sslrootcert, in PEM; "" without one."""
        return self._database_authority

    def origin(self, key: str) -> str:
        """Where a value comes from: "default", "in invoke.yaml", "by TODO_CLUSTER", "by --cluster"."""
        return self._origins.get(key, "default")

    @property
    def production(self) -> bool:
        return self.env == "prod"

    @property
    def url(self) -> str:
        """The address that people type, without a path."""
        return f"{'https' if self.production else 'http'}://{self.host}"

    @property
    def cache(self) -> Path:
        """Toolchain and build cache; safe to delete."""
        return _folder("XDG_CACHE_HOME", ".cache")

    @property
    def state(self) -> Path:
        """Everything that belongs to this one cluster: node, kubeconfig, ledger, journal, evidence."""
        return _folder("XDG_STATE_HOME", ".local", "state") / self.cluster_name


def _folder(name: str, *default: str) -> Path:
    """Ours in a base folder of the XDG specification, which wants a relative path to be ignored."""
    given = Path(os.environ.get(name, ""))
    return (given if given.is_absolute() else _home().joinpath(*default)) / "todo-runbook"


def _home() -> Path:
    """That of the user, also where HOME is empty or relative, as in some services."""
    with suppress(RuntimeError):
        if (home := Path.home()).is_absolute() and home != Path("/"):
            return home
    import pwd

    return Path(pwd.getpwuid(os.geteuid()).pw_dir)


SECRETS = {"database_url": "TODO_DATABASE_URL", "openai_api_key": "OPENAI_API_KEY"}
"""Settings that are taken from the environment only: a file or a flag would show them."""

VARIABLES = {
    **{f"TODO_{key.upper()}": key for key in Settings.model_fields if key != "project"},
    "OPENAI_API_KEY": "openai_api_key",
    "OPENAI_BASE_URL": "openai_base_url",
    "OPENAI_MODEL": "openai_model",
}


OTHERS = frozenset({"TODO_DIR", "TODO_FILE", "TODO_ACTIONS_DIR", "TODO_FULL_SH", "TODO_SH", "TODO_COMMAND"})
"""Variables of todo.txt, which many people have (https://github.com/todotxt/todo.txt-cli)."""

_FLAGS = {"cluster_name": "name"}
_CLOSED = frozenset({*SECRETS, "project"})
"""What no file may set."""

_WORDS = {
    "cluster_name": "at most 12 small letters, digits and hyphens, the first a letter, such as todo",
    "http_port": "a port from 0 to 65535",
    "cpus": "a number of processors, or 0 for as many as there are",
    "memory": "a number of MB, or 0 for what there is",
    "driver": "the name of a driver of minikube, such as docker",
    "registry": "a registry in small letters with an optional path, such as registry.example.org/team",
    "proof_hours": "a number of hours greater than 0 and at most 8760, such as 24",
    "ready_timeout": f"a number of seconds greater than 0 and at most {values.LONGEST_TIMEOUT:.0f}, such as 300",
}


def load(
    section: Mapping[str, Any],
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    *,
    place: str = "in invoke.yaml",
) -> Settings:
    """Settings from the `runbook:` section of invoke.yaml, then the environment, then flags (empty ones count not).

    Raises UsageError for an unknown key (with the nearest known one), a bad value, and a secret in a file; no secret is
    in its words. From here on all secrets are concealed.
    """
    environment = os.environ if environment is None else environment
    conceal(*(environment.get(name, "") for name in SECRETS.values()))
    for key in section:
        if key in SECRETS:
            conceal(str(section[key]))
            raise UsageError(
                f"{place.removeprefix('in ')} holds the secret {key}",
                wanted="secrets in the environment only",
                hint=f"export {SECRETS[key]}=...",
            )
        if key not in Settings.model_fields or key in _CLOSED:
            raise _unknown(f"runbook.{key} {place}", str(key), _open())
    found: dict[str, Any] = dict(section)
    sources = dict.fromkeys(found, place)
    for name, text in environment.items():
        if name in VARIABLES:
            if text != "":
                found[VARIABLES[name]] = text
                sources[VARIABLES[name]] = f"by {name}"
        elif name.startswith("TODO_") and name not in OTHERS:
            raise _unknown(f"the variable {name}", name, sorted(VARIABLES))
    for key, value in (flags or {}).items():
        if value not in (None, ""):
            found[key] = value
            sources[key] = f"by --{_FLAGS.get(key, key)}"
    try:
        chosen = Settings.model_validate(found)
    except ValidationError as error:
        raise _bad_value(error, sources) from None
    chosen._origins.update(sources)
    return _with_secrets(chosen)


def _with_secrets(chosen: Settings) -> Settings:
    """The secrets as they were meant, or refused here: nothing is written yet, and nothing built."""
    key = chosen.openai_api_key.get_secret_value()
    try:
        changes = {"openai_api_key": SecretStr(values.credential(key))}
    except PydanticCustomError as fault:
        raise UsageError(
            f"OPENAI_API_KEY has {len(key)} signs that cannot all be sent in a header",
            wanted=fault.message(),
            hint="export OPENAI_API_KEY=...",
        ) from None
    if given := chosen.database_url.get_secret_value():
        url = database_url.given(given)
        chosen._database_authority = database_url.authorities(url)
        if chosen._database_authority:
            url = url.but(sslrootcert=database_url.IN_PODS)
        conceal(url.password, url.text())
        changes["database_url"] = SecretStr(url.text())
    return chosen.model_copy(update=changes)


def _open() -> list[str]:
    return [key for key in Settings.model_fields if key not in _CLOSED]


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
    shown = "" if key in SECRETS else f" to {first['input']!r}"[:200]
    wanted = first["msg"].removeprefix("Input should be ")
    if first["type"] == "string_type":
        wanted = 'a text; in YAML in quotes, such as "1.0"'
    return UsageError(
        f"{key} is set{shown} {sources.get(key, '')}".rstrip(),
        wanted=_WORDS.get(key, wanted),
        hint="see invoke.yaml for all settings",
    )
