"""The Secrets: made once with generated values, kept from then on, never in an argument, a file or a log."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runbook.actions.security import backing_services
from runbook.actions.security.backing_services import OFFLINE, Backing
from runbook.app.application import AUTHORITY, DATABASE_NAMESPACE, SECRET
from runbook.app.secrets.secret_data import (
    AUTHORITY_KEY,
    GENERATED,
    MODEL_KEY,
    ROLES_SECRET,
    ROTATING,
    TLS_SECRET,
    URL_ROLES,
    Data,
    _authority,
    _metadata,
    names,
    opaque,
    read,
    rotating,
    server_names,
    url,
)
from runbook.app.secrets.secret_values import SHORTEST, mended
from runbook.engine.redaction import conceal

if TYPE_CHECKING:
    from runbook.world import World


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
        if authority := world.settings.database_authority:
            _publish(world, authority)
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


def _ensure_certificate(world: World) -> None:
    from runbook.app.secrets.authority import certify, good

    there = read(world, TLS_SECRET, DATABASE_NAMESPACE)
    authority = there.get(AUTHORITY_KEY, "")
    if not good(authority, there.get("tls.crt", ""), server_names()):
        made = certify(server_names())
        authority = made.authority
        conceal(made.key)
        content = {"tls.crt": made.certificate, "tls.key": made.key, AUTHORITY_KEY: made.authority}
        world.api.apply(opaque(TLS_SECRET, DATABASE_NAMESPACE, content))
    _publish(world, authority)


def _publish(world: World, authority: str) -> None:
    """The authority of the database's certificate, where all services read it; certificates are public."""
    if _authority(world) == authority:
        return
    metadata = _metadata(AUTHORITY, world.settings.namespace)
    world.api.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {AUTHORITY_KEY: authority}}
    )
