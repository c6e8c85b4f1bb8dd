"""The build engine: the user's own Docker where one answers, else a daemon of ours in a sandbox.

Ours is Debian's dockerd with its BuildKit. It has the machine's network, because builds must reach the package
registries, but makes no bridge and no netfilter rule, and everything else that it sees and makes is its sandbox's. One
engine serves all clusters of a cache folder, so that layers are built once.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from runbook.cluster import Progress
from runbook.cluster.embedded.execution import output
from runbook.cluster.embedded.sandbox import INSIDE, Sandbox, ServiceDefinition
from runbook.engine.errors import CommandFailed, CommandMissing, RunbookError, TimedOut
from runbook.engine.settings import Settings
from runbook.engine.waiting import NotYet, eventually

START_SECONDS = 60.0
ASK_SECONDS = 5.0
KEPT_BUILD_CACHE = "12GB"
"""Above this BuildKit drops the oldest unused layers and cache mounts."""

LONGEST_SOCKET_PATH = 107
"""Bytes; a limit of the kernel's."""


class Engine:
    """Where images are built. All methods are idempotent; errors are `RunbookError`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.folder = settings.cache / "engine"
        self.socket = self.folder / "run" / "docker.sock"
        self._sandbox = Sandbox("todo-engine", self.folder, network=False)

    @cached_property
    def users_own(self) -> bool:
        """Whether a Docker daemon that is not ours answers in the user's own environment.

        Where we have an engine it stays ours: a daemon that answers later may be that of a package that we installed.
        """
        if os.environ.get("DOCKER_HOST") == self._address or self.folder.exists():
            return False
        try:
            output(["docker", "version", "--format", "{{.Server.Version}}"], deadline=ASK_SECONDS)
        except (CommandFailed, CommandMissing, TimedOut):
            return False
        return True

    def environment(self) -> Mapping[str, str]:
        """What the `docker` command needs in its environment to reach this engine; starts nothing.

        The user's own engine is reached as the user reaches it. Where the user's Docker has no buildx, and for ours, a
        configuration folder of ours brings the plugin.
        """
        if not self.users_own:
            return {"DOCKER_HOST": self._address, "DOCKER_CONFIG": str(self._configuration())}
        return {} if self._users_buildx else {"DOCKER_CONFIG": str(self._configuration())}

    def running(self) -> bool:
        return self._ours_runs() or self.users_own

    def up(self, progress: Progress) -> None:
        """Have an engine that answers: the user's own, or ours, started or repaired."""
        if self.users_own or self._up_to_date():
            return
        if len(os.fsencode(self.socket)) > LONGEST_SOCKET_PATH:
            raise RunbookError(
                f"the cache folder's path is too long for a socket: {self.socket}",
                wanted=f"at most {LONGEST_SOCKET_PATH} bytes",
                hint="set XDG_CACHE_HOME to a shorter path",
            )
        progress("build engine: starting dockerd")
        for folder in (self.folder, self.socket.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)  # whoever reaches the socket is root
        (self.folder / "daemon.json").write_text(self._configured())
        self._sandbox.start({"dockerd": self._service()})
        try:
            eventually(
                self._ask,
                timeout=START_SECONDS,
                every=0.05,
                slowest=0.2,
                wanted=f"dockerd on {self.socket}",
                hint=f"less {self.folder}/log/dockerd/current",
            )
        except TimedOut:
            self._sandbox.stop()
            raise

    def down(self, progress: Progress) -> None:
        """End our daemon and everything that it started; its layers stay in the cache. The user's own is left alone."""
        if not self._sandbox.running():
            self._sandbox.stop()
            return
        progress("build engine: stopping dockerd")
        with suppress(CommandFailed, TimedOut):  # a stuck daemon ends with its sandbox
            self._sandbox.run(["s6-svc", "-wD", "-T", "10000", "-d", str(INSIDE / "services/dockerd")], 15)
        self._sandbox.stop()
        self.socket.unlink(missing_ok=True)

    def leftovers(self) -> list[str]:
        """What is still there of our daemon, in words, apart from its cache folder."""
        return self._sandbox.leftovers()

    def _ours_runs(self) -> bool:
        return self._sandbox.running() and self._answers()

    @property
    def _address(self) -> str:
        return f"unix://{self.socket}"

    @cached_property
    def _users_buildx(self) -> bool:
        try:
            output(["docker", "buildx", "version"], deadline=ASK_SECONDS)
        except (CommandFailed, CommandMissing, TimedOut):
            return False
        return True

    def _configuration(self) -> Path:
        """A Docker configuration folder with the buildx of our toolchain as its plugin, and nothing else."""
        from runbook.cluster.embedded.toolchain import Toolchain

        return Toolchain(self._settings).docker_config

    def _up_to_date(self) -> bool:
        """Whether ours runs, answers, and was started with the options of today."""
        started_with = self.folder / "services" / "dockerd" / "run"
        with suppress(OSError):
            same = (self.folder / "daemon.json").read_text() == self._configured()
            return same and started_with.read_text() == self._service().script() and self.running()
        return False

    def _service(self) -> ServiceDefinition:
        # What /run holds is the sandbox's own, and so are the cgroups: the defaults for runtime files serve.
        daemon = ["dockerd", f"--host=unix://{INSIDE}/run/docker.sock", f"--data-root={INSIDE}/data"]
        daemon += [f"--config-file={INSIDE}/daemon.json", "--exec-opt=native.cgroupdriver=cgroupfs"]
        daemon += ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-masq=false"]
        daemon += ["--ip-forward=false", "--group=root", "--log-level=warn"]
        return ServiceDefinition(argv=daemon, before=(["rm", "-f", "/run/docker.pid"],))

    def _configured(self) -> str:
        """What has no flag of its own."""
        options: dict[str, object] = {
            "builder": {"gc": {"enabled": True, "defaultKeepStorage": KEPT_BUILD_CACHE}}
        }
        if self._version < 23:  # older ones write a key into /etc of the machine, newer ones refuse the word
            options["deprecated-key-path"] = f"{INSIDE}/key.json"
        return json.dumps(options, sort_keys=True)

    @cached_property
    def _version(self) -> int:
        """The daemon's major version, by its file; asked of the program because packages differ."""
        words = output(["dockerd", "--version"], deadline=ASK_SECONDS).split()
        with suppress(IndexError, ValueError):
            return int(words[2].split(".")[0])
        return 0

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(ASK_SECONDS)
                connection.connect(str(self.socket))
                connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
                return b" 200 " in connection.recv(64)
        except OSError:
            return False

    def _ask(self) -> None:
        if not self._answers():
            raise NotYet(f"the build engine does not answer: {self._last_words()}")

    def _last_words(self) -> str:
        log = self.folder / "log" / "dockerd" / "current"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return " | ".join(lines[-3:]) or "no output"
