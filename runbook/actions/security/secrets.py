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

from runbook.actions.security import backing_services
from runbook.actions.security.backing_services import OFFLINE, Backing
from runbook.actions.security.secret_values import SHORTEST, fault_of, mended
from runbook.app.application import AUTHORITY, DATABASE_NAMESPACE, DATABASE_RELEASE, SECRET
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


def ensure(world: World) -> None:
    """Make what is missing; values that are there and usable stay as they are. The namespaces must be there.

    Raises `UsageError` where the application would come to another database or model unasked.
    """
    backing_services.check(world)
    stand_in = not world.settings.database_url.get_secret_value()
    if stand_in:
        _ensure_certificate(world)
        roles = _ensure_roles(world)
    else:
        roles = {}
    namespace = world.settings.namespace
    there = read(world, SECRET, namespace)
    before = backing_services.remembered(world)
    wanted = {**there, **_application_data(world, there, roles, before)}
    conceal(*wanted.values())
    if wanted != there or not backing_services.is_noted(world):
        backing_services.keep(world, _put_out_of_use(there, wanted, before))
        world.api.apply(application(world, wanted))
    backing_services.note_here(world)


def application(world: World, data: Data) -> dict[str, Any]:
    """The application's Secret with these values."""
    return backing_services.note(world, opaque(SECRET, world.settings.namespace, data))


def _put_out_of_use(there: Data, wanted: Data, before: Backing) -> Data:
    """The values that were not made here and would be gone: a person's URLs, and a key of a real model."""
    generated = {MODEL_KEY} if before.model == OFFLINE else set()
    return {
        key: value
        for key, value in there.items()
        if value != wanted.get(key)
        and key in (*URL_ROLES, MODEL_KEY)
        and key not in generated
        and value
        and not (key in URL_ROLES and backing_services.is_of_stand_in(value))
    }


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
    return found


def _fault(key: str, value: str) -> str:
    """A key for a model is its provider's: base64 and dots are as good as anything."""
    if key == MODEL_KEY:
        return "has white space around its value" if value != value.strip() else ""
    return fault_of(value, url=key in URL_ROLES, generated=key in GENERATED)


def _stand_in_problems(world: World, there: Data) -> list[str]:
    from runbook.actions.security.authority import good

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


def _application_data(world: World, there: Data, roles: Mapping[str, str], before: Backing) -> Data:
    settings = world.settings
    given = settings.database_url.get_secret_value()
    data = {key: given or _kept(there.get(key, ""), role, roles) for key, role in URL_ROLES.items()}
    model_key = settings.openai_api_key.get_secret_value()
    if not model_key and before.model == backing_services.wanted(settings).model:
        model_key = there.get(
            MODEL_KEY, ""
        ).strip()  # a key goes to the model that it was given for, and to no other
    data[MODEL_KEY] = model_key or secrets.token_urlsafe(24)
    for key in GENERATED:
        kept = mended(there.get(key, ""))
        data[key] = kept if len(kept) >= SHORTEST else secrets.token_urlsafe(48)
    return data


def _kept(there: str, role: str, roles: Mapping[str, str]) -> str:
    """The URL that is there where it lets somebody in, else one under the first name that has a password."""
    good = [url(each, roles[each]) for each in names(role) if each in roles]
    return there if there in good else good[0]


def url(role: str, password: str) -> str:
    """libpq form; the server's certificate is checked against the mounted authority and its host name."""
    place = f"{server_names()[0]}:5432/{DATABASE}?sslmode=verify-full&sslrootcert={CA_IN_PODS}"
    return f"postgresql://{role}:{quote(password, safe='')}@{place}"


def _ensure_roles(world: World) -> Data:
    """A password for each service, under the names that have one already."""
    there = read(world, ROLES_SECRET, DATABASE_NAMESPACE)
    wanted = {each: password for each, password in there.items() if password}
    for role in URL_ROLES.values():
        if not any(each in wanted for each in names(role)):
            wanted[role] = secrets.token_urlsafe(24)
    conceal(*wanted.values())
    if wanted != there:
        keep_roles(world, wanted, rotating(world))
    return wanted


def keep_roles(world: World, roles: Data, towards: str = "") -> None:
    """Write the passwords of the database's roles; `towards` notes a rotation that is under way."""
    manifest = opaque(ROLES_SECRET, DATABASE_NAMESPACE, roles)
    if towards:
        manifest["metadata"]["annotations"] = {ROTATING: towards}
    world.api.apply(manifest)


def rotating(world: World) -> str:
    """The names that a rotation is under way to: `first` or `second`; empty where none is."""
    found = world.api.get("Secret", ROLES_SECRET, DATABASE_NAMESPACE) or {"metadata": {}}
    return str((found["metadata"].get("annotations") or {}).get(ROTATING, ""))


def _ensure_certificate(world: World) -> None:
    from runbook.actions.security.authority import certify, good

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
