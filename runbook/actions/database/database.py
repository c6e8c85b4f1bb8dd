"""The application's way to its database mended: the Secret made usable, the roles let in, the pods recreated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.actions.cluster import namespace
from runbook.actions.dapr import mesh
from runbook.actions.database import roles
from runbook.actions.package import release
from runbook.actions.security import secrets
from runbook.app.application import SECRET
from runbook.app.secrets.secret_data import LAST_APPLIED

if TYPE_CHECKING:
    from runbook.world import World


def keep_secret(world: World) -> None:
    """Make what is missing or cannot be used, through the API alone, and take a copy of the values away."""
    world.api.guard()
    namespace.ensure(world)
    secrets.ensure(world)
    space = world.settings.namespace
    found = world.api.get("Secret", SECRET, space) or {"metadata": {}}
    if LAST_APPLIED in (found["metadata"].get("annotations") or {}):
        path = f"/metadata/annotations/{LAST_APPLIED.replace('/', '~1')}"
        world.api.patch("Secret", SECRET, space, [{"op": "remove", "path": path}])


def connect(world: World) -> None:
    """Have the database take the Secret's credentials, and the pods start over with a connection to it."""
    roles.mend(world)
    release.deploy(world)
    mesh.restart(world)
