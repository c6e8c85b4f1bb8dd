"""TLS towards PostgreSQL: what the URLs demand, and what the backend makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from runbook.app.application import AUTHORITY, SECRET
from runbook.app.secrets import secret_data
from runbook.checks.database import dialling
from runbook.checks.database.dialling import NO_CERTIFICATE, OWN, Dialled
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Outcome, failed, passed, unproven

if TYPE_CHECKING:
    from runbook.world import World

ENCRYPTED = ("require", "verify-ca", "verify-full")
FULL = "verify-full"
DEFAULT = "prefer"
"""libpq's own: plain text where the server has no TLS."""

WARNING = "WARNING: sslmode=require encrypts, and takes any server for the right one; verify-full checks it"


def demanded(world: World) -> Outcome:
    """Every URL demands TLS, by libpq's reading; and the server's certificate and name, where its authority is known.

    `require` alone is the user's to choose for a server outside, and is warned of.

    Source: T110, D-11.
    """
    wanted = f"sslmode {FULL} in every URL of Secret {SECRET}; require at the least"
    hint = "inv deploy; for a database of your own: export TODO_DATABASE_URL=...?sslmode=verify-full"
    modes = _modes(world)
    known = world.api.get("ConfigMap", AUTHORITY, world.settings.namespace) is not None
    problems = []
    for key, mode in modes.items():
        if mode not in ENCRYPTED:
            problems.append(f"the URL of {key} has sslmode {mode}, which allows plain text")
        elif known and mode != FULL:
            problems.append(f"the URL of {key} has sslmode {mode}, though the server's authority is known")
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=hint, modes=modes)
    told = ", ".join(sorted(set(modes.values())))
    warning = "" if set(modes.values()) <= {FULL} else f"; {WARNING}"
    return passed(f"{len(modes)} URLs with sslmode {told}{warning}", wanted=wanted, modes=modes)


def verified(world: World) -> Outcome:
    """The backend's own code connects with TLS; another authority, or the server under another name, it refuses.

    Tried in its container: what the driver makes of a URL depends on where it runs. The connection that is made shows
    that the refusals are about the certificate.

    Source: T110, D-11.
    """
    wanted = "a connection with TLS by the backend's code; another authority and another name refused by it"
    hint = f"kubectl --namespace {world.settings.namespace} logs deployment/backend --tail 30"
    asked = demanded(world)
    if not asked.green:
        return asked
    mode = _modes(world)["database-url"]
    found = dialling.usual(world)
    own = found.attempts[OWN]
    if own.error == NO_CERTIFICATE:
        return failed(f"the backend refuses the server: {own.words}", wanted=wanted, hint=hint)
    if not own.connected:
        raise Unmeasurable(
            f"the backend's code does not connect, so that its refusals say nothing: {own.words}",
            wanted=wanted,
            hint="inv verify.step T112",
        )
    problems = [] if own.tls else ["the backend's code connects in plain text"]
    if mode != "require":
        problems += _unchecked(own, mode)
        others = {"another authority": dialling.AUTHORITY} | (
            {"another name": dialling.NAME} if mode == FULL else {}
        )
        tried = {title: found.attempts[name] for title, name in others.items()}
        problems += [
            f"with {title} the backend's code {each.words}" for title, each in tried.items() if each.connected
        ]
        unclear = [
            f"{title}: {each.words}"
            for title, each in tried.items()
            if not each.connected and each.error != NO_CERTIFICATE
        ]
        if unclear and not problems:
            return unproven(
                f"refused for another reason than the certificate: {'; '.join(unclear)}",
                wanted=wanted,
                hint=hint,
            )
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=hint)
    refusals = f"; refused: {', '.join(others)}" if mode != "require" else ""
    return passed(
        f"{asked.observed}; the backend connects with {own.tls}, {own.cipher}{refusals}",
        wanted=wanted,
        pod=found.pod,
    )


def _unchecked(own: Dialled, mode: str) -> list[str]:
    problems = [] if own.certificate else ["the backend's TLS takes any certificate"]
    if mode == FULL and not own.name:
        problems.append("the backend's TLS takes a certificate of any name")
    return problems


def _modes(world: World) -> Mapping[str, str]:
    """What libpq reads in each URL. Raises `Unmeasurable` where there is none to be read."""
    from runbook.clients.database import parameters_of

    there = secret_data.read(world, SECRET, world.settings.namespace)
    if missing := [key for key in secret_data.URL_ROLES if not there.get(key)]:
        raise Unmeasurable(
            f"Secret {SECRET} lacks the key {', '.join(missing)}",
            wanted="every URL",
            hint="inv verify.step T106",
        )
    return {
        key: str(parameters_of(there[key].strip(), f"{key} in Secret {SECRET}").get("sslmode", DEFAULT))
        for key in secret_data.URL_ROLES
    }
