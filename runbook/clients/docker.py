"""The build engine: images as it holds them, and builds.

python-on-whales behind the few questions that checks ask. Sizes are bytes, unpacked.
"""

from __future__ import annotations

import json
import os
import platform
import re
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from runbook.clients.holdings import digests
from runbook.clients.process.environment import direct, leave_engine
from runbook.clients.process.remedies import how_to_install
from runbook.engine.errors import CommandFailed, CommandMissing, RunbookError, Unmeasurable
from runbook.engine.redaction import redact

if TYPE_CHECKING:
    from python_on_whales import DockerClient

    from runbook.clients.process.commands import Commands
    from runbook.clients.target import Target
    from runbook.engine.settings import Settings

OWN_BUILDER = "default"
"""The daemon's own builder. One in a container, which may be the user's current one, does not see local images."""

ASK_SECONDS = 30.0
KEPT_LINES = 12
"""Lines of a failed build's output that its error carries."""

SHOWN = 100
"""Characters of a build step that progress shows."""

_STEP = re.compile(r"^#\d+ \[(?!internal)(?P<stage>[^\]]+)\] (?P<what>\S+ .*)$")
_MOUNT = re.compile(r"--mount=\S+\s+")
_NOISE = re.compile(r"^(#\d+ )?[\d.]*\s*$|^-+$")


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the engine says about an image that it holds. `user` is the account it runs under, as written in it."""

    reference: str
    id: str
    size: int
    user: str
    labels: Mapping[str, str]
    layers: tuple[str, ...] = ()
    """Digests of its layers, oldest first: an image starts with those of its base."""
    digests: tuple[str, ...] = ()
    """References by digest, where it came from a registry or was pushed to one."""

    @property
    def identities(self) -> frozenset[str]:
        """Every digest by which the engine knows it (see `runbook.clients.holdings`)."""
        return digests(self.id, *self.digests)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of an image, newest first: its unpacked size and the instruction that made it."""

    size: int
    made_by: str


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """Which daemon answers: `name` is the host name that it gives itself, `id` its own identity."""

    address: str
    name: str
    id: str
    version: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A file that a build step may read and that never enters a layer."""

    id: str
    path: Path


class Docker:
    """The engine that the cluster names. Errors are `RunbookError`; where it does not answer, `Unmeasurable`."""

    def __init__(
        self,
        settings: Settings,
        cluster: Target,
        commands: Commands | None = None,
        connect: Callable[[Mapping[str, str]], DockerClient] | None = None,
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._given = commands
        self._connect = connect or _connect

    @property
    def client(self) -> DockerClient:
        """python-on-whales on the engine that the cluster names now."""
        environment = self._cluster.docker_environment()
        if host := environment.get("DOCKER_HOST"):
            leave_engine()
            direct(urlsplit(host).hostname or "")
        return self._connect(environment)

    def engine(self) -> EngineFacts:
        """Which daemon answers."""
        with self._asked() as client:
            facts = client.system.info()
        if not facts.id:
            raise Unmeasurable(
                f"no build engine answers: {'; '.join(getattr(facts, 'server_errors', None) or ['no server'])}",
                hint=no_engine_hint(self._cluster.provider, self._cluster.docker_environment()),
            )
        address = self._cluster.docker_environment().get("DOCKER_HOST", "the user's own")
        return EngineFacts(address, facts.name or "", facts.id, facts.server_version or "")

    def image(self, reference: str) -> ImageFacts | None:
        """The image of that name, or None where the engine holds none."""
        with self._asked() as client:
            from python_on_whales.exceptions import NoSuchImage

            try:
                found = client.image.inspect(reference)
            except NoSuchImage:
                return None
            config = found.config
            return ImageFacts(
                reference,
                found.id,
                found.size,
                (config.user if config else None) or "",
                dict((config.labels if config else None) or {}),
                tuple(found.root_fs.layers or ()),
                tuple(found.repo_digests or ()),
            )

    def runs(self, container: str) -> bool:
        """Whether a container of that name is one of this engine, and runs."""
        with self._asked() as client:
            found = client.container.list(filters=[("name", f"^/?{container}$")])
        return any(each.name == container for each in found)

    def layers(self, reference: str) -> tuple[Layer, ...]:
        """The layers of an image that have a size, newest first."""
        arguments = [
            "docker",
            "image",
            "history",
            "--no-trunc",
            "--human=false",
            "--format",
            "{{json .}}",
            reference,
        ]
        told = self._commands.run(
            arguments, timeout=ASK_SECONDS, env=self._cluster.docker_environment()
        ).stdout
        rows = [json.loads(line) for line in told.splitlines() if line.strip()]
        layers = (Layer(int(row["Size"]), " ".join(str(row["CreatedBy"]).split())) for row in rows)
        return tuple(layer for layer in layers if layer.size)

    def in_users_own(self, label: str) -> dict[str, str]:
        """Images with this label in a daemon that is the user's own, with their size in words; none in ours."""
        environment = self._cluster.docker_environment()
        if "DOCKER_HOST" in environment:
            return {}
        asked = ["docker", "image", "ls", "--filter", f"label={label}", "--format", "{{json .}}"]
        told = self._commands.run(asked, timeout=ASK_SECONDS, env=environment).stdout
        rows = [json.loads(line) for line in told.splitlines() if line.strip()]
        return {f"{row['Repository']}:{row['Tag']}": str(row["Size"]) for row in rows}

    def save(self, references: Sequence[str], file: Path) -> None:
        """Write the images into one archive, in which layers that they share are there once."""
        with self._asked() as client:
            client.image.save(list(references), output=file)

    def context(self, folder: Path) -> frozenset[str]:
        """The files that a builder gets of a folder: asked of the builder itself, which reads .dockerignore."""
        with tempfile.TemporaryDirectory(prefix="todo-context-") as scratch:
            file, seen = Path(scratch) / "Dockerfile", Path(scratch) / "seen"
            file.write_text("FROM scratch\nCOPY . /\n")
            with self._asked() as client:
                client.buildx.build(
                    folder,
                    builder=OWN_BUILDER,
                    file=file,
                    output={"type": "local", "dest": str(seen)},
                    progress=False,
                    provenance=False,
                )
            return frozenset(
                path.relative_to(seen).as_posix()
                for path in seen.rglob("*")
                if path.is_symlink() or not path.is_dir()
            )

    def build(
        self,
        context: Path,
        reference: str,
        *,
        file: Path | None = None,
        target: str | None = None,
        arguments: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        secrets: Sequence[Secret] = (),
        progress: Callable[[str], None],
    ) -> None:
        """Build an image and give it its name. The whole output is kept in a file, which an error names."""
        log = self._settings.cache / "logs" / f"build-{reference.replace('/', '_').replace(':', '-')}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        tail: deque[str] = deque(maxlen=KEPT_LINES)
        try:
            with self._asked() as client, log.open("w") as kept:
                lines = client.buildx.build(
                    context,
                    builder=OWN_BUILDER,
                    file=file,
                    target=target,
                    build_args=dict(arguments or {}),
                    labels=dict(labels or {}),
                    secrets=[f"id={secret.id},src={secret.path}" for secret in secrets],
                    tags=reference,
                    load=True,
                    network=_network(client),
                    progress="plain",
                    provenance=False,
                    stream_logs=True,
                )
                for line in _told(lines):
                    kept.write(redact(line) + "\n")
                    if not _NOISE.match(line):
                        tail.append(line)
                    if step := _STEP.match(line):
                        progress(f"{reference}: {step['stage']} {_MOUNT.sub('', step['what'])}"[:SHOWN])
        except CommandFailed as error:
            raise RunbookError(
                f"building {reference} failed: {redact(' | '.join(tail))}",
                wanted=f"{reference} from {context}",
                hint=f"less {log}",
            ) from error

    def discard(self, image_id: str) -> None:
        """Remove an image that a newer one took the name of, unless something else still needs it."""
        with suppress(CommandFailed), self._asked() as client:
            client.image.remove(image_id)

    @property
    def _commands(self) -> Commands:
        from runbook.clients.process.commands import Commands

        return self._given or Commands(self._settings)

    @contextmanager
    def _asked(self) -> Iterator[DockerClient]:
        """The client, with its errors told as ours."""
        # From the package itself: threads that import it from two of its modules at once are in each other's way.
        from python_on_whales import ClientNotFoundError, DockerException

        try:
            yield self.client
        except ClientNotFoundError as error:
            hint = "inv setup" if self._cluster.provider == "embedded" else how_to_install("docker")
            raise CommandMissing("`docker` is not installed", hint=hint) from error
        except DockerException as error:
            if not self._answers():
                hint = no_engine_hint(self._cluster.provider, self._cluster.docker_environment())
                raise Unmeasurable(f"the build engine does not answer: {_said(error)}", hint=hint) from error
            raise _ours(error) from error

    def _answers(self) -> bool:
        """Whether there is a daemon, by its answer: the words of a client that finds none change with its version."""
        from python_on_whales import DockerException

        try:
            return bool(self.client.system.info().id)
        except DockerException:
            return False


def _connect(environment: Mapping[str, str]) -> DockerClient:
    from python_on_whales import DockerClient

    options: dict[str, Any] = {}
    if host := environment.get("DOCKER_HOST"):
        options["host"] = host
    if folder := environment.get("DOCKER_CONFIG"):
        options["config"] = folder
    if certificates := environment.get("DOCKER_CERT_PATH"):
        options["tlsverify"] = True
        for option, name in (("tlscacert", "ca.pem"), ("tlscert", "cert.pem"), ("tlskey", "key.pem")):
            options[option] = f"{certificates}/{name}"
    return DockerClient(**options)


def _network(client: DockerClient) -> str | None:
    """Build steps use the engine's bridge; one that has none gives them its own network."""
    return None if client.network.list(filters={"driver": "bridge"}) else "host"


def _told(lines: Any) -> Iterator[str]:
    for line in lines:
        yield str(line).rstrip()


def _said(error: Any) -> str:
    said = redact((error.stderr or error.stdout or "no output").strip())
    return " | ".join(said.splitlines()[-KEPT_LINES:])


def _ours(error: Any) -> RunbookError:
    last = _said(error)
    if "unknown flag" in last or "is not a docker command" in last:
        return CommandMissing("this Docker client has no buildx plugin", hint="inv setup")
    command = redact(" ".join(map(str, error.docker_command)))
    return CommandFailed(f"`{command}` ended with status {error.return_code}: {last}", hint=command)


def no_engine_hint(provider: str, environment: Mapping[str, str]) -> str:
    """What to try where no daemon answers: ours is started under the embedded node only."""
    if provider == "embedded":
        return "inv setup"
    host = environment.get("DOCKER_HOST") or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    socket = Path(host.removeprefix("unix://"))
    if host.startswith("unix://") and socket.exists() and not os.access(socket, os.W_OK):
        return "sudo usermod -aG docker $USER, and sign in again"
    if platform.system() == "Linux":
        return "sudo systemctl start docker (or start Docker Desktop), then: docker info"
    return "start Docker Desktop, then: docker info"
