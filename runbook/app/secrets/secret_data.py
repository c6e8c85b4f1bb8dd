"""The application's and the stand-in database's Secrets as they are: names, keys, content, what is wrong with it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from runbook.app.application import AUTHORITY, DATABASE_NAMESPACE, DATABASE_RELEASE, SECRET
from runbook.app.secrets.secret_values import fault_of
from runbook.engine.redaction import conceal

if TYPE_CHECKING:
    from runbook.world import World


Data = dict[str, str]


ROLES_SECRET = "postgres-roles"  # noqa: S105 - names, not secrets


TLS_SECRET = "postgres-tls"  # noqa: S105


AUTHORITY_KEY = "ca.crt"


URL_ROLES = {
    "database-url": "todo_backend",
    "frontend-database-url": "todo_frontend",
    "mcp-database-url": "todo_mcp",
    "migration-database-url": "todo_owner",
}
"""Each key with a database URL, and the role whose rights it has: one per service, under either of two names."""


SECOND = "_b"
"""Ends the other name of a role: new credentials are let in under it before the old ones are shut out."""


GENERATED = ("better-auth-secret", "mcp-signing-key")


MODEL_KEY = "openai-api-key"


KEYS = (*URL_ROLES, MODEL_KEY, *GENERATED)


MAIL_KEY = "smtp-password"
"""Taken only where mail is sent as a user; a person's to put in."""


ROTATING = "todo.runbook/rotating-to"
"""Annotation of the roles' Secret while new credentials take the place of old ones."""


CA_IN_PODS = "/etc/todo/database-ca/ca.crt"


DATABASE = "todo"


def server_names() -> list[str]:
    """The host names of the stand-in database, the one that the URLs use first."""
    service = f"{DATABASE_RELEASE}.{DATABASE_NAMESPACE}"
    return [f"{service}.svc.cluster.local", f"{service}.svc", service, DATABASE_RELEASE]


def problems(world: World) -> list[str]:
    """What is missing or unusable in the application's Secret, by key, never by value; and the stand-in's ones."""
    namespace = world.settings.namespace
    there = read(world, SECRET, namespace)
    if not there:
        return [f"there is no Secret {SECRET} in namespace {namespace}"]
    found = [f"Secret {SECRET} lacks the key {key}" for key in KEYS if not there.get(key)]
    found += [
        f"the key {key} of Secret {SECRET} {fault}"
        for key, value in there.items()
        if value and (fault := _fault(key, value))
    ]
    if not world.settings.database_url.get_secret_value():
        found += _stand_in_problems(world, there)
    elif (authority := world.settings.database_authority) and _authority(world) != authority:
        found.append(f"ConfigMap {AUTHORITY} is not the authority of the file that sslrootcert names")
    return found


def _fault(key: str, value: str) -> str:
    """A key for a model is its provider's: base64 and dots are as good as anything."""
    if key == MODEL_KEY:
        return "has white space around its value" if value != value.strip() else ""
    return fault_of(value, url=key in URL_ROLES, generated=key in GENERATED)


def _stand_in_problems(world: World, there: Data) -> list[str]:
    from runbook.app.secrets.authority import good

    tls = read(world, TLS_SECRET, DATABASE_NAMESPACE)
    trusted = _authority(world)
    if not good(tls.get(AUTHORITY_KEY, ""), tls.get("tls.crt", ""), server_names()):
        return [f"Secret {TLS_SECRET} in namespace {DATABASE_NAMESPACE} holds no good certificate"]
    if trusted != tls[AUTHORITY_KEY]:
        return [f"ConfigMap {AUTHORITY} is not the authority of the database's certificate"]
    roles = read(world, ROLES_SECRET, DATABASE_NAMESPACE)
    return [
        f"the key {key} of Secret {SECRET} does not sign in as the database's role {role}"
        for key, role in URL_ROLES.items()
        if there.get(key)
        and not fault_of(there[key], url=True)
        and there[key] not in [url(each, roles[each]) for each in names(role) if each in roles]
    ]


def names(role: str) -> tuple[str, str]:
    """The two names under which one service may sign in."""
    return (role, f"{role}{SECOND}")


def digest(world: World, name: str, namespace: str) -> str:
    """A keyed hash of a Secret's content: changes with it and tells nothing of it; empty where there is none."""
    there = read(world, name, namespace)
    if not there:
        return ""
    key = "".join(there[each] for each in sorted(there)).encode()
    return hmac.new(key, json.dumps(there, sort_keys=True).encode(), hashlib.sha256).hexdigest()[:32]


def read(world: World, name: str, namespace: str) -> Data:
    """The decoded content of a Secret; empty where there is none. The values are concealed from then on."""
    found = world.api.get("Secret", name, namespace)
    encoded: Mapping[str, str] = (found or {}).get("data") or {}
    data = {key: base64.b64decode(value).decode(errors="replace") for key, value in encoded.items()}
    conceal(*(value for key, value in data.items() if not key.endswith(".crt")))
    return data


def url(role: str, password: str) -> str:
    """libpq form; the server's certificate is checked against the mounted authority and its host name."""
    place = f"{server_names()[0]}:5432/{DATABASE}?sslmode=verify-full&sslrootcert={CA_IN_PODS}"
    return f"postgresql://{role}:{quote(password, safe='')}@{place}"


def rotating(world: World) -> str:
    """The names that a rotation is under way to: `first` or `second`; empty where none is."""
    found = world.api.get("Secret", ROLES_SECRET, DATABASE_NAMESPACE) or {"metadata": {}}
    return str((found["metadata"].get("annotations") or {}).get(ROTATING, ""))


def _authority(world: World) -> str:
    found = world.api.get("ConfigMap", AUTHORITY, world.settings.namespace)
    return str(((found or {}).get("data") or {}).get(AUTHORITY_KEY, ""))


def opaque(name: str, namespace: str, data: Data) -> dict[str, Any]:
    """A Secret with these values, as the API takes it."""
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": _metadata(name, namespace),
        "data": encoded,
    }


def _metadata(name: str, namespace: str) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/part-of": "todo-app"}}


LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""Where `kubectl apply` keeps all that it was given, values of a Secret as well."""
