"""The environment of a run and of the programs that it starts: made from a list, so that nothing else of the user's
moves a program to another cluster, another engine or another configuration, and no secret reaches one.

`adopt` is called once, when a command begins: what is not on the list leaves this process's environment, and so that
of every child, whichever library starts it. What the user had set stays readable by `given`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

NEAR = ("192.168.49.0/24", "10.96.0.0/12", ".svc", ".cluster.local")
"""minikube's own network and Services (https://minikube.sigs.k8s.io/docs/handbook/vpn_and_proxy/), and names in a
cluster: never asked through a proxy."""

SECRETS = frozenset({"TODO_DATABASE_URL", "OPENAI_API_KEY"})
"""Settings of ours that no child gets, whatever its family."""

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

BASE = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "TMPDIR", "TMP", "TEMP", "TZ"),
        *("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TERM", "COLORTERM", "COLUMNS", "LINES", "NO_COLOR"),
        *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NIX_SSL_CERT_FILE"),
        *(
            "NODE_EXTRA_CA_CERTS",
            "VIRTUAL_ENV",
            "LD_LIBRARY_PATH",
            "DBUS_SESSION_BUS_ADDRESS",
            "WSL_DISTRO_NAME",
        ),
        *("SYSTEMROOT", "APPDATA", "LOCALAPPDATA", "USERPROFILE", "PROGRAMFILES", "PATHEXT", "COMSPEC"),
        *PROXIES,
        *(name.lower() for name in PROXIES),
        *(
            "PYTHONUTF8",
            "PYTHONIOENCODING",
            "PYTHONCOERCECLOCALE",
            "PYTHONDONTWRITEBYTECODE",
            "PYTEST_CURRENT_TEST",
        ),
        "RUNBOOK_RUN",
    }
)
"""What any program may see: where it runs, how it writes, whom it trusts, and the way to the world outside."""

ENGINE = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_TLS")
"""Which engine is the user's own; a cluster that has one of its own names it, and then none of these counts."""

DOCKER = (*ENGINE, "DOCKER_CONFIG", "SSH_AUTH_SOCK")

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "docker": DOCKER,
    "kind": (*DOCKER, "KIND_EXPERIMENTAL_PROVIDER", "KIND_EXPERIMENTAL_DOCKER_NETWORK"),
    "minikube": (
        *(*DOCKER, "MINIKUBE_HOME", "MINIKUBE_ROOTLESS", "MINIKUBE_FORCE"),
        *("MINIKUBE_IMAGE_MIRROR_COUNTRY", "MINIKUBE_IMAGE_REPOSITORY", "MINIKUBE_REGISTRY_MIRROR"),
    ),
    "go": (
        *(
            "GOPROXY",
            "GONOPROXY",
            "GOSUMDB",
            "GONOSUMDB",
            "GOPRIVATE",
            "GOINSECURE",
            "GOVCS",
            "GOAUTH",
            "NETRC",
        ),
        *("GOMODCACHE", "GOCACHE", "GOPATH", "GOROOT", "GOTMPDIR"),
    ),
    "pip": ("PIP_*", "NETRC"),
    "uv": ("UV_*", "NETRC"),
    "apt-get": ("APT_CONFIG",),
    "mmdebstrap": ("APT_CONFIG",),
    "git": ("GIT_SSL_CAINFO", "SSH_AUTH_SOCK"),
}
"""What a program gets besides, by its name; `*` ends a prefix."""

PLUGINS = ("AWS_*", "AZURE_*", "AAD_*", "CLOUDSDK_*", "GOOGLE_*", "OCI_*", "DIGITALOCEAN_*", "SSH_AUTH_SOCK")
"""What the credential plugins of a kubeconfig read; for a cluster that somebody else runs only."""

OWN_SCRIPTS = tuple(
    {
        *("TODO_*", "OPENAI_BASE_URL", "OPENAI_MODEL", "NPM_CONFIG_*", "npm_config_*", "KUBECONFIG"),
        *(name for family in FAMILIES.values() for name in family),
    }
)
"""Scripts of this project run its commands, which make their own environment."""

_given: dict[str, str] = {}


def adopt(keep: Iterable[str] = ()) -> None:
    """From now on this process has only what any child may have, the user's engine and `keep`."""
    _given.update(os.environ)
    names = (*DOCKER, *keep)
    for name in list(os.environ):
        if name in SECRETS or not (name in BASE or _among(name, names)):
            del os.environ[name]


def remembered() -> Mapping[str, str]:
    """What an earlier command of this process took out of the environment."""
    return {name: value for name, value in _given.items() if name not in os.environ}


def given(name: str, default: str = "") -> str:
    """What the user set under that name, also after `adopt`."""
    return os.environ.get(name) or _given.get(name, default)


def of_child(argv: Sequence[str | Path], more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a command: the list, its family, `more`, and LC_ALL=C.

    Where `more` names an engine, the user's own does not count.
    """
    family = _family(argv)
    both = {**_given, **os.environ}
    made = {
        name: value
        for name, value in both.items()
        if name not in SECRETS and ((name in BASE and name in os.environ) or _among(name, family))
    }
    if more and "DOCKER_HOST" in more:
        made = {name: value for name, value in made.items() if name not in ENGINE}
    return {**made, **(more or {}), "LC_ALL": "C"}


def leave_engine() -> None:
    """Forget which engine the user's own is, because the cluster has one: for libraries that start `docker`."""
    for name in ENGINE:
        os.environ.pop(name, None)


def direct(*hosts: str) -> None:
    """Have every program of this run ask these hosts (names, addresses, networks) past the proxy of the environment."""
    if not proxied():
        return
    listed = [
        each.strip() for name in ("NO_PROXY", "no_proxy") for each in os.environ.get(name, "").split(",")
    ]
    exempt = ",".join(dict.fromkeys(each for each in (*listed, *hosts) if each))
    os.environ.update(NO_PROXY=exempt, no_proxy=exempt)


def proxied() -> bool:
    """Whether the environment names a proxy."""
    return any(os.environ.get(name) or os.environ.get(name.lower()) for name in PROXIES[:3])


def plugins() -> dict[str, str]:
    """What credential plugins of a foreign cluster's kubeconfig may read."""
    return {name: value for name, value in {**_given, **os.environ}.items() if _among(name, PLUGINS)}


def _family(argv: Sequence[str | Path]) -> tuple[str, ...]:
    words = [str(word) for word in argv]
    name = Path(words[0]).name
    if name.endswith(".sh") or (name in ("sh", "bash") and any(word.endswith(".sh") for word in words[1:2])):
        return OWN_SCRIPTS
    if "pip" in words[1:6] and name.startswith("python"):
        name = "pip"
    return FAMILIES.get(name.removesuffix(".exe"), ())


def _among(name: str, names: Iterable[str]) -> bool:
    return any(name == each or (each.endswith("*") and name.startswith(each[:-1])) for each in names)
