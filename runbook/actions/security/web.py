"""The certificate of the host, as a Secret beside the application: made of the given files, or a person's to make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runbook.app.application import WEB_SECRET
from runbook.app.secrets.secret_data import opaque, read
from runbook.engine.errors import RunbookError

if TYPE_CHECKING:
    from runbook.world import World


def ensure(world: World) -> None:
    """Have the Secret hold the certificate of the settings; without one there, it must be there already."""
    from runbook.clients import web_certificate

    space = world.settings.namespace
    there = read(world, WEB_SECRET, space)
    given = web_certificate.given(world.settings)
    if given is None:
        if there:
            return
        raise RunbookError(
            f"there is no Secret {WEB_SECRET} in namespace {space}",
            wanted=f"the certificate of {world.settings.host}",
            hint="TODO_TLS_CERTIFICATE=<file> TODO_TLS_KEY=<file>, or"
            f" kubectl --namespace {space} create secret tls {WEB_SECRET} --cert=<file> --key=<file>",
        )
    wanted = {"tls.crt": given.chain, "tls.key": given.key}
    if there != wanted:
        world.api.apply(manifest(space, wanted))


def manifest(space: str, data: dict[str, str]) -> dict[str, Any]:
    return {**opaque(WEB_SECRET, space, data), "type": "kubernetes.io/tls"}
