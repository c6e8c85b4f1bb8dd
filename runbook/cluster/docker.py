"""The user's own Docker: how its client finds buildx, and whether its containers can be reached from this machine."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runbook.clients.holdings import digests
from runbook.clients.process.commands import Commands
from runbook.clients.process.environment import given
from runbook.engine.errors import CommandFailed, CommandMissing, RunbookError, TimedOut, Unmeasurable
from runbook.engine.settings import Settings

if TYPE_CHECKING:
    from runbook.cluster import Progress
    from runbook.cluster.embedded.archive import ScratchImage

ASK_SECONDS = 20.0
LOAD_SECONDS = 300.0
_LOCAL = {"", "localhost", "127.0.0.1", "::1"}


def environment(settings: Settings, commands: Commands) -> dict[str, str]:
    """What the `docker` command needs so that it reaches the user's daemon and finds a buildx: usually nothing.

    Debian's Docker has no buildx: then a configuration folder of the toolchain brings it, and the daemon of the user's
    current context, which that folder does not know, is named. Raises `CommandMissing` where no buildx is to be had.
    """
    try:
        commands.run(["docker", "buildx", "version"], timeout=ASK_SECONDS)
    except CommandMissing:
        return {}
    except (CommandFailed, TimedOut):
        from runbook.cluster.embedded.toolchain import Toolchain

        found = {"DOCKER_CONFIG": str(Toolchain(settings).docker_config)}
        if host := _context_host(commands):
            found["DOCKER_HOST"] = host
        return found
    return {}


def identities(
    references: Collection[str], commands: Commands, environment: Mapping[str, str]
) -> dict[str, frozenset[str]]:
    """Reference -> every digest of the engine's image: its id and, where it was pushed or pulled, its manifest's.

    Raises `RunbookError` for a reference that is not there.
    """
    if not references:
        return {}
    asked = ["docker", "image", "inspect", *references]
    answer = commands.run(asked, timeout=ASK_SECONDS, env=environment, check=False)
    if answer.code != 0:
        raise RunbookError(
            f"the build engine does not hold every image: {answer.stderr.strip()}",
            wanted=", ".join(references),
            hint="inv build",
        )
    return {
        reference: digests(
            str(image["Id"]),
            str((image.get("Descriptor") or {}).get("digest", "")),
            *map(str, image.get("RepoDigests") or []),
        )
        for reference, image in zip(references, json.loads(answer.stdout), strict=True)
    }


def hold(image: ScratchImage, commands: Commands, environment: Mapping[str, str], progress: Progress) -> None:
    """Have an image of one of our own programs in the engine."""
    asked = ["docker", "image", "inspect", image.reference]
    if commands.run(asked, timeout=ASK_SECONDS, env=environment, check=False).code == 0:
        return
    progress(f"loading image {image.name} into Docker")
    with tempfile.TemporaryDirectory(prefix="todo-image-") as folder:
        archive = Path(folder) / "image.tar"
        with archive.open("wb") as stream:
            image.write(stream)
        load: list[str | Path] = ["docker", "load", "--quiet", "--input", archive]
        commands.run(load, timeout=LOAD_SECONDS, env=environment)


def name(commands: Commands, environment: Mapping[str, str]) -> str:
    """The host name that the daemon gives itself: a node that runs on it has the same. "" where none answers."""
    asked = ["docker", "info", "--format", "{{json .}}"]
    try:
        return str(
            json.loads(commands.run(asked, timeout=ASK_SECONDS, env=environment).stdout).get("Name", "")
        )
    except (RunbookError, ValueError):
        return ""


def _context_host(commands: Commands) -> str:
    if given("DOCKER_HOST"):
        return ""
    asked = ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    try:
        host = commands.run(asked, timeout=ASK_SECONDS).stdout.strip()
    except (CommandFailed, TimedOut):
        return ""
    return "" if host == "unix:///var/run/docker.sock" else host


@dataclass(frozen=True, slots=True)
class Place:
    """Where Docker's containers run: on this very machine, or in a virtual one, a user's namespace, a remote one."""

    here: bool
    why: str


def place(commands: Commands) -> Place:
    """As the daemon says of itself. On its own machine's network its containers' addresses answer; elsewhere only the
    ports that it publishes do, and from a remote daemon not even these.

    Raises `Unmeasurable` where no daemon answers.
    """
    host = given("DOCKER_HOST") or _context_host(commands)
    address = urlsplit(host)
    if address.scheme in {"tcp", "ssh", "http", "https"} and (address.hostname or "") not in _LOCAL:
        return Place(False, f"Docker runs on {address.hostname}")
    return judge(information(commands), platform.system(), platform.node(), os.uname().release)


def judge(said: Mapping[str, object], system: str, name: str, kernel: str) -> Place:
    """The verdict on what `docker info` says, on a machine of that system, host name and kernel."""
    daemon, runs_on = str(said.get("OperatingSystem", "")), str(said.get("KernelVersion", ""))
    options = said.get("SecurityOptions")
    if system != "Linux":
        return Place(False, f"on {system} Docker runs in a virtual machine")
    if "Docker Desktop" in daemon or str(said.get("Name", "")) in {"docker-desktop", "orbstack", "colima"}:
        return Place(False, f"{daemon or said['Name']} runs in a virtual machine")
    if isinstance(options, list) and any("rootless" in str(option) for option in options):
        return Place(False, "Docker runs rootless, in a network of its own")
    if runs_on and kernel and runs_on != kernel:
        return Place(False, f"Docker's kernel is {runs_on}, this machine's is {kernel}")
    return Place(True, f"Docker runs on this machine ({said.get('Name', name)})")


def information(commands: Commands) -> dict[str, object]:
    """What `docker info` says. Raises `Unmeasurable` where no daemon answers: decided by what it says of itself."""
    asked = ["docker", "info", "--format", "{{json .}}"]
    answer = commands.run(asked, timeout=ASK_SECONDS, check=False)
    try:
        said = json.loads(answer.stdout)
    except ValueError:
        said = None
    if not isinstance(said, dict) or not said.get("ID"):
        raise Unmeasurable(
            "Docker does not answer", wanted="a Docker daemon that answers", hint="docker info"
        )
    return said
