"""Before anything is written to production: what it needs, and a confirmation by the name of the cluster."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from runbook.clients import web_certificate
from runbook.engine.errors import UsageError

if TYPE_CHECKING:
    from runbook.report.writer import Writer
    from runbook.world import World

PROVIDERS = ("kind", "existing")
NOTHING = "nothing was changed"


def agree(world: World, out: Writer, command: str, confirm: str) -> None:
    """Go on where the settings are of development, or somebody named the cluster. Raises `UsageError` else."""
    settings = world.settings
    name = world.cluster.name
    again = f"inv {command} --env prod --confirm {name}"
    if not settings.production:
        if confirm:
            raise UsageError("--confirm is of production alone", wanted="--env prod with it", hint=again)
        return
    if world.cluster.provider not in PROVIDERS:
        raise UsageError(
            f"production does not run on a cluster of {world.cluster.provider}; {NOTHING}",
            wanted=f"one of {' or '.join(PROVIDERS)}, whose nodes take images from a registry",
            hint="TODO_CLUSTER=existing TODO_CONTEXT=<its context> TODO_REGISTRY=registry.example.org/team",
        )
    if not settings.registry:
        raise UsageError(
            f"production takes its images by digest from a registry, and none is set; {NOTHING}",
            wanted="TODO_REGISTRY",
            hint="TODO_REGISTRY=registry.example.org/team, after docker login",
        )
    web_certificate.given(settings)
    if confirm:
        if confirm != name:
            raise UsageError(f"--confirm {confirm} is not this cluster; {NOTHING}", wanted=name, hint=again)
        return
    if not sys.stdin.isatty():
        raise UsageError(
            f"{NOTHING}: nobody can be asked for the cluster's name where there is no terminal",
            wanted="--confirm with the name of the cluster",
            hint=again,
        )
    out.line(f"Production: {settings.url}, namespace {settings.namespace}, images of {settings.registry}")
    for line in _stand_ins(world):
        out.line(f"  {line}")
    try:
        answer = input(f"Type the name of the cluster, {name}, to go on: ")
    except EOFError:
        answer = ""
        out.line("")
    if answer.strip() != name:
        raise UsageError(NOTHING, wanted=f"the name {name}", hint=again)


def _stand_ins(world: World) -> list[str]:
    settings, found = world.settings, []
    if not settings.database_url.get_secret_value():
        found.append(
            "the database is the PostgreSQL of this cluster, one pod (TODO_DATABASE_URL names another)"
        )
    if not (settings.openai_api_key.get_secret_value() or settings.openai_base_url):
        found.append("answers are those of the offline model (OPENAI_API_KEY names a real one)")
    return found
