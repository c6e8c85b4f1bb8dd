"""New credentials of the services take the place of the old ones while the application serves.

Each service may sign in under two names with the same rights; a rotation goes from one to the other. Every stage can be
repeated: a rotation that was killed between any two goes on where it stood, because the Secrets and the server say so.
"""

from __future__ import annotations

import secrets as randomness
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runbook.actions.database import roles
from runbook.actions.package import release
from runbook.actions.security import secrets
from runbook.app.application import DATABASE_NAMESPACE, SECRET, SELECTOR
from runbook.app.blueprint import MADE_FROM
from runbook.app.secrets import secret_data
from runbook.clients.kube import workloads
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.redaction import conceal
from runbook.engine.waiting import NotYet, eventually

if TYPE_CHECKING:
    from runbook.world import World

FIRST, SECOND = "first", "second"
OWNER = "todo_owner"
"""Owns the tables and signs in for migrations alone: it stays as it is."""

SERVICES = {key: role for key, role in secret_data.URL_ROLES.items() if role != OWNER}
"""Keys of the Secret, and the role whose rights each URL has."""

UNUSED = 150.0
"""Seconds until the last pod of the old credentials has ended: a minute is what they have for it."""

_SESSIONS = """SELECT usename::text AS role, count(*)::int AS sessions FROM pg_stat_activity
WHERE usename = ANY(%s) GROUP BY 1"""


@dataclass(frozen=True, slots=True)
class Rotation:
    """From which names to which; passwords are in no word of it."""

    towards: str
    resumed: bool
    """An earlier run began it."""
    new: Mapping[str, str]
    """Name of the role for each key of the Secret."""
    old: Mapping[str, str]


Stage = Callable[["World", Rotation], None]


def begin(world: World) -> Rotation:
    """Note where to, and give the new names a password; or find where an earlier run stood.

    Raises `Unmeasurable` for a database outside: its roles are its owner's to change.
    """
    if world.settings.database_url.get_secret_value():
        raise Unmeasurable(
            "the database is outside: its roles are its owner's to change",
            wanted="the stand-in, whose roles the runbook keeps",
            hint="make a second role at your provider; export TODO_DATABASE_URL with it; inv deploy; drop the first",
        )
    world.api.guard()
    towards = secret_data.rotating(world)
    resumed = bool(towards)
    if not resumed:
        towards = FIRST if _active(world) == SECOND else SECOND
    rotation = Rotation(towards, resumed, _names(towards), _names(FIRST if towards == SECOND else SECOND))
    kept = secret_data.read(world, secret_data.ROLES_SECRET, DATABASE_NAMESPACE)
    fresh = {
        name: randomness.token_urlsafe(24)
        for name in rotation.new.values()
        if not resumed or name not in kept
    }
    conceal(*fresh.values())
    if fresh or not resumed:
        secrets.keep_roles(world, {**kept, **fresh}, towards)
    return rotation


def let_in(world: World, rotation: Rotation) -> None:
    """The server takes the new names beside the old ones, and an independent connection shows it."""
    world.progress("letting new roles in")
    passwords = secret_data.read(world, secret_data.ROLES_SECRET, DATABASE_NAMESPACE)
    for name in rotation.new.values():
        roles.let_in(world, name, passwords[name])
    for name in rotation.new.values():
        if refusal := world.database.refusal(secret_data.url(name, passwords[name])):
            raise RunbookError(
                f"the server does not take the new role {name}: {refusal}",
                wanted="the new role let in before anything is changed",
                hint="inv verify.step T119 --drills",
            )


def publish(world: World, rotation: Rotation) -> None:
    """The Secret holds the URLs of the new names."""
    space = world.settings.namespace
    passwords = secret_data.read(world, secret_data.ROLES_SECRET, DATABASE_NAMESPACE)
    there = secret_data.read(world, SECRET, space)
    wanted = {
        **there,
        **{key: secret_data.url(name, passwords[name]) for key, name in rotation.new.items()},
    }
    conceal(*wanted.values())
    if wanted != there:
        world.api.apply(secrets.application(world, wanted))


def roll(world: World, _: Rotation) -> None:
    """The release is made from that Secret: new pods take it, and old ones go when these are Ready."""
    world.progress("rolling the application")
    release.bring(world)
    release.wait(world)


def await_unused(world: World, rotation: Rotation) -> None:
    """No pod of the old credentials is left, not even one that is ending and may yet be called; no session either."""
    old, space = list(rotation.old.values()), world.settings.namespace
    present = secret_data.digest(world, SECRET, space)

    def unused() -> None:
        for pod in world.api.list("Pod", space, labels=SELECTOR):
            if (pod["metadata"].get("annotations") or {}).get(MADE_FROM) != present:
                raise NotYet(f"pod {workloads.name(pod)} of the old credentials is still there")
        if rows := world.database.query(_SESSIONS, (old,)):
            raise NotYet(", ".join(f"{row['role']} has {row['sessions']} sessions" for row in rows))

    eventually(
        unused,
        timeout=UNUSED,
        wanted=f"no pod of the old credentials, and no session of {', '.join(old)}",
        hint="inv verify.step T111",
        progress=world.progress,
        stopping=world.stopping,
    )


def shut_out(world: World, rotation: Rotation) -> None:
    """The server takes the old names no longer; then their passwords are forgotten, and the rotation is over."""
    world.progress("shutting old roles out")
    for name in rotation.old.values():
        roles.shut_out(world, name)
    kept = secret_data.read(world, secret_data.ROLES_SECRET, DATABASE_NAMESPACE)
    secrets.keep_roles(
        world, {name: password for name, password in kept.items() if name not in rotation.old.values()}
    )


STAGES: tuple[Stage, ...] = (let_in, publish, roll, await_unused, shut_out)
"""After `begin`, in this order."""


def old_urls(world: World, rotation: Rotation) -> dict[str, str]:
    """The credentials that go, by key of the Secret, as long as they are known: before `shut_out`."""
    passwords = secret_data.read(world, secret_data.ROLES_SECRET, DATABASE_NAMESPACE)
    return {
        key: secret_data.url(name, passwords[name]) for key, name in rotation.old.items() if name in passwords
    }


def _active(world: World) -> str:
    """Under which names the services sign in now, by the backend's URL."""
    key = next(iter(SERVICES))
    user = urlsplit(secret_data.read(world, SECRET, world.settings.namespace).get(key, "")).username
    return SECOND if user == secret_data.names(SERVICES[key])[1] else FIRST


def _names(which: str) -> dict[str, str]:
    return {key: secret_data.names(role)[which == SECOND] for key, role in SERVICES.items()}
