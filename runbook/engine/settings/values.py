"""What a setting may be where it reaches a file, a flag or a name of the cluster; each rule says what it wants.

Sources: RFC 1123 (host names), Kubernetes' "Object Names and IDs", Helm's limit of a release's name, Docker's of a tag.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from pydantic_core import PydanticCustomError

from runbook.engine.settings import database_url

LONGEST_TIMEOUT = 86_400.0
RESERVED = frozenset(
    {"default", "todo-database", "todo-model", "dapr-system", "ingress-nginx", "local-path-storage"}
)
"""Namespaces that are somebody else's, or of the stand-ins beside the application."""

OWN_HOSTS = frozenset(
    {"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback", "broadcasthost"}
)
"""Names that mean the machine itself to everybody."""

INSIDE_DOCKER = ("host.docker.internal", "host.containers.internal", "host.minikube.internal")
"""Names of this machine that only containers of one Docker know."""

THIS_MACHINE = "localhost"
"""The host of a model's address that means this machine; pods get the address by which they reach it."""
OPENAI = "https://api.openai.com/v1"

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_RELEASE = re.compile(r"[a-z]([a-z0-9-]{0,51}[a-z0-9])?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,119}")


def host(value: str) -> str:
    """The one name that a browser asks: it goes into the hosts file, the Ingress and the pages' settings."""
    labels = value.split(".")
    fits = len(value) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
    if fits and not labels[-1].isdigit() and value not in OWN_HOSTS:
        return value
    raise _wanted("a host name in small letters, without scheme, port and path, such as todo.local")


def namespace(value: str) -> str:
    if not _LABEL.fullmatch(value):
        raise _wanted("at most 63 small letters, digits and hyphens, such as todo")
    if value in RESERVED or value.startswith(("kube-", "openshift-")):
        raise _wanted("a namespace of the application's own, such as todo")
    return value


def release(value: str) -> str:
    if not _RELEASE.fullmatch(value):
        raise _wanted("at most 53 small letters, digits and hyphens, the first a letter, such as todo-app")
    return value


def tag(value: str) -> str:
    if not _TAG.fullmatch(value) or value == "latest":
        raise _wanted("a tag of an image, not latest, such as 1.0.0")
    return value


def http_url(value: str) -> str:
    """An address without credentials: those have a variable of their own, and this one reaches the release's values."""
    if not value:
        return value
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or not value.isascii() or not value.isprintable() or re.search(r"[\s\"'<>\\]", value):
        raise _wanted("an address with http:// or https://, such as https://api.openai.com/v1")
    if "@" in parts.netloc:
        raise _wanted("an address without user and password; the key belongs into OPENAI_API_KEY")
    if parts.query or parts.fragment:
        raise _wanted("an address without ? and #, such as https://api.openai.com/v1")
    if database_url.loopback(str(parts.hostname)) or str(parts.hostname).lower().endswith(INSIDE_DOCKER):
        if parts.scheme != "http":
            raise _wanted("http:// for a model on this machine: its certificate is not one that pods trust")
        value = f"http://{THIS_MACHINE}{f':{parts.port}' if parts.port else ''}{parts.path}"
    return value.rstrip("/").removesuffix("/chat/completions")


def words(value: str) -> str:
    """Any other text that may become an argument of a program."""
    if value.startswith("-") or not value.isprintable() or value != value.strip() or len(value) > 253:
        raise _wanted("a text of at most 253 signs on one line that does not begin with a hyphen")
    return value


def number(value: Any) -> Any:
    """Neither a yes or no, which counts as 1 or 0 elsewhere, nor a text that is no number."""
    if isinstance(value, bool) or (isinstance(value, str) and not re.fullmatch(r"\s*[-+]?[0-9.]+\s*", value)):
        raise _wanted("a number in digits")
    return value


def credential(value: str) -> str:
    """What is sent in a header, without what copying leaves around it. Source: case "a key with a line end"."""
    trimmed = value.strip().strip("\ufeff\u200b").strip()
    if not trimmed.isascii() or not trimmed.isprintable() or " " in trimmed:
        raise _wanted("a key of printable signs on one line, without blanks")
    return trimmed


def _wanted(what: str) -> PydanticCustomError:
    return PydanticCustomError("setting", what)
