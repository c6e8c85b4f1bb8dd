"""World: the clients, built once and handed to steps. The only place that makes them.

Heavy clients are imported when a step first asks for them, so that `inv --list` stays instant.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from runbook.engine.errors import CommandMissing, RunbookError
from runbook.engine.settings import Settings
from runbook.world.memory import Memory

T = TypeVar("T")

if TYPE_CHECKING:
    shared = cached_property
    from runbook.clients.browser import Browser
    from runbook.clients.database import Database
    from runbook.clients.docker import Docker
    from runbook.clients.helm import Helm
    from runbook.clients.http import Http
    from runbook.clients.kube.api import Api
    from runbook.clients.process.commands import Commands
    from runbook.cluster import Cluster


else:

    class shared(cached_property):  # noqa: N801 (used as a decorator)
        """A cached_property that is computed once even when several steps ask at the same time."""

        def __get__(self, instance: Clients | None, owner: type | None = None) -> Any:
            if instance is None:
                return self
            with instance.making:
                return super().__get__(instance, owner)


def _silent(_: str) -> None:
    return None


class Clients:
    """Each client, made when first asked for and then shared by all steps."""

    def __init__(self, settings: Settings, changes: frozenset[str] = frozenset()) -> None:
        self.settings = settings
        self.changes = changes
        """What this run may change besides: the `database`, the `model` that the application uses."""
        self.making = threading.RLock()
        self.memory = Memory()
        self.stopping = threading.Event()
        """Set when the run is interrupted: long waits end at once."""

    @shared
    def commands(self) -> Commands:
        """External commands: argument lists, deadlines, LC_ALL=C, redaction (plumbum)."""
        from runbook.clients.process.commands import Commands

        return Commands(self.settings)

    @shared
    def cluster(self) -> Cluster:
        from runbook.cluster.choose import choose

        return choose(self.settings)

    @shared
    def api(self) -> Api:
        """The Kubernetes API of the pinned cluster."""
        from runbook.clients.kube.api import Api

        return Api(self.settings, self.cluster)

    @shared
    def docker(self) -> Docker:
        """The build engine (python-on-whales)."""
        from runbook.clients.docker import Docker

        return Docker(self.settings, self.cluster)

    @shared
    def helm(self) -> Helm:
        from runbook.clients.helm import Helm
        from runbook.clients.kube.releases import refuse_foreign

        return Helm(
            self.settings,
            self.commands,
            self.cluster,
            lambda name, namespace: refuse_foreign(self.settings, self.api, name, namespace),
            lambda: self.built("helm"),
        )

    def built(self, part: str, progress: Callable[[str], None] | None = None) -> Path:
        """A program of our own toolchain; with `progress` it is built where it is missing. Raises `CommandMissing`."""
        from runbook.cluster.embedded.toolchain import Toolchain

        toolchain = Toolchain(self.settings)
        try:
            return toolchain.binary(part)
        except CommandMissing:
            if progress is None:
                raise
            try:
                toolchain.install(progress, (part,))
            except CommandMissing as without_go:
                from runbook.clients.process.remedies import how_to_install

                raise CommandMissing(
                    f"{part} is not installed, and cannot be built here: {without_go.observed}",
                    wanted=f"{part} on PATH, or {without_go.wanted}",
                    hint=how_to_install(part, built=False),
                ) from without_go
            return toolchain.binary(part)

    @shared
    def http(self) -> Http:
        """HTTP through the ingress, resolving the host to the ingress address where the name is unknown."""
        from runbook.clients.http import Http

        return Http(self.settings, self.cluster)

    @shared
    def database(self) -> Database:
        """An independent connection to PostgreSQL, by the port-forwarded Service and the migration role."""
        from runbook.clients.database import Database

        return Database(self.settings, self.api)

    @shared
    def browser(self) -> Browser:
        """Headless Chromium by Playwright."""
        from runbook.clients.browser import Browser

        return Browser(self.settings, self.cluster, self.commands)


@dataclass(frozen=True)
class World:
    """What checks ask and what applies change: the shared clients, and this step's own progress line.

    `progress` is told in a few words what is being waited for; the runner binds it per step with `for_step`.
    """

    clients: Clients
    progress: Callable[[str], None] = field(default=_silent)

    @classmethod
    def of(cls, settings: Settings, changes: frozenset[str] = frozenset()) -> World:
        return cls(Clients(settings, changes))

    def for_step(self, progress: Callable[[str], None]) -> World:
        """The same clients with another progress sink."""
        return replace(self, progress=progress)

    def once(self, key: Hashable, ask: Callable[[], T]) -> T:
        """The answer of `ask`, remembered under `key` until a step changes something.

        For what only our own applies change (a rendered chart, an image list, a release's manifest), never for what
        moves by itself (pods, endpoints). A failed question is not remembered.
        """
        return cast("T", self.clients.memory.once(key, ask))

    @property
    def proof_hours(self) -> float:
        """Hours for which the proof of a drill is carried."""
        return self.settings.proof_hours

    def forget(self) -> None:
        """Ask again what `once` remembered: a step has changed something."""
        self.clients.memory.forget()

    def interrupt(self) -> None:
        """End long waits, and the commands that run."""
        from runbook.clients.process.foreground import end_all

        self.stopping.set()
        end_all()

    def pasteable(self, hint: str) -> str:
        """A hint whose kubectl and helm ask this run's cluster, where there is one, whatever the shell's context is."""
        if "kubectl " not in hint and "helm " not in hint:
            return hint
        try:
            return self.cluster.kubeconfig().pasteable(hint)
        except RunbookError:
            return hint

    @property
    def stopping(self) -> threading.Event:
        """Set when the run is interrupted: a long wait ends at once."""
        return self.clients.stopping

    @property
    def settings(self) -> Settings:
        return self.clients.settings

    @property
    def commands(self) -> Commands:
        return self.clients.commands

    @property
    def cluster(self) -> Cluster:
        return self.clients.cluster

    @property
    def api(self) -> Api:
        return self.clients.api

    @property
    def docker(self) -> Docker:
        return self.clients.docker

    @property
    def helm(self) -> Helm:
        return self.clients.helm

    @property
    def http(self) -> Http:
        return self.clients.http

    @property
    def database(self) -> Database:
        return self.clients.database

    @property
    def browser(self) -> Browser:
        return self.clients.browser
