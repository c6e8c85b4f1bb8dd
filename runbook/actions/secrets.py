"""The Secrets: made once with generated values, kept from then on, never in an argument, a file or a log."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from runbook.application import AUTHORITY, DATABASE_NAMESPACE, DATABASE_RELEASE, SECRET
from runbook.world.redaction import conceal

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
"""Each key with a database URL, and the role that it signs in as; one login role per service."""

GENERATED = ("better-auth-secret", "mcp-signing-key")
MODEL_KEY = "openai-api-key"
KEYS = (*URL_ROLES, MODEL_KEY, *GENERATED)
SHORTEST = 32
"""Characters of a generated key, at least."""

CA_IN_PODS = "/etc/todo/database-ca/ca.crt"
DATABASE = "todo"


def server_names() -> list[str]:
    """The host names of the stand-in database, the one that the URLs use first."""
    service = f"{DATABASE_RELEASE}.{DATABASE_NAMESPACE}"
    return [f"{service}.svc.cluster.local", f"{service}.svc", service, DATABASE_RELEASE]


def ensure(world: World) -> None:
    """Make what is missing; values that are there and usable stay as they are. The namespaces must be there."""
    stand_in = not world.settings.database_url.get_secret_value()
    if stand_in:
        _ensure_certificate(world)
        roles = _ensure_roles(world)
    else:
        roles = {}
    namespace = world.settings.namespace
    there = read(world, SECRET, namespace)
    wanted = {**there, **_application_data(world, there, roles)}
    conceal(*wanted.values())
    if wanted != there:
        world.api.apply(opaque(SECRET, namespace, wanted))


def problems(world: World) -> list[str]:
    """What is missing or unusable in the application's Secret, by key, never by value; and the stand-in's ones."""
    namespace = world.settings.namespace
    there = read(world, SECRET, namespace)
    if not there:
        return [f"there is no Secret {SECRET} in namespace {namespace}"]
    found = [f"Secret {SECRET} lacks the key {key}" for key in KEYS if not there.get(key)]
    found += [
        f"the key {key} of Secret {SECRET} has less than {SHORTEST} characters"
        for key in GENERATED
        if 0 < len(there.get(key, "")) < SHORTEST
    ]
    found += [
        f"the key {key} of Secret {SECRET} has white space around its value"
        for key, value in there.items()
        if value != value.strip()
    ]
    if not world.settings.database_url.get_secret_value():
        found += _stand_in_problems(world, there)
    return found


def _stand_in_problems(world: World, there: Data) -> list[str]:
    from runbook.actions.authority import good

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
        if there.get(key) and there[key] != _url(role, roles.get(role, ""))
    ]


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


def _application_data(world: World, there: Data, roles: Mapping[str, str]) -> Data:
    settings = world.settings
    given = settings.database_url.get_secret_value()
    data = {key: given or _url(role, roles[role]) for key, role in URL_ROLES.items()}
    model_key = settings.openai_api_key.get_secret_value()
    data[MODEL_KEY] = model_key or there.get(MODEL_KEY, "").strip() or secrets.token_urlsafe(24)
    for key in GENERATED:
        kept = there.get(key, "").strip()
        data[key] = kept if len(kept) >= SHORTEST else secrets.token_urlsafe(48)
    return data


def _url(role: str, password: str) -> str:
    """libpq form; the server's certificate is checked against the mounted authority and its host name."""
    place = f"{server_names()[0]}:5432/{DATABASE}?sslmode=verify-full&sslrootcert={CA_IN_PODS}"
    return f"postgresql://{role}:{quote(password, safe='')}@{place}"


def _ensure_roles(world: World) -> Data:
    there = read(world, ROLES_SECRET, DATABASE_NAMESPACE)
    wanted = {role: there.get(role) or secrets.token_urlsafe(24) for role in URL_ROLES.values()}
    conceal(*wanted.values())
    if wanted != there:
        world.api.apply(opaque(ROLES_SECRET, DATABASE_NAMESPACE, wanted))
    return wanted


def _ensure_certificate(world: World) -> None:
    from runbook.actions.authority import certify, good

    there = read(world, TLS_SECRET, DATABASE_NAMESPACE)
    authority = there.get(AUTHORITY_KEY, "")
    if not good(authority, there.get("tls.crt", ""), server_names()):
        made = certify(server_names())
        authority = made.authority
        conceal(made.key)
        content = {"tls.crt": made.certificate, "tls.key": made.key, AUTHORITY_KEY: made.authority}
        world.api.apply(opaque(TLS_SECRET, DATABASE_NAMESPACE, content))
    if _authority(world) != authority:
        metadata = _metadata(AUTHORITY, world.settings.namespace)
        world.api.apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": metadata,
                "data": {AUTHORITY_KEY: authority},
            }
        )


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
