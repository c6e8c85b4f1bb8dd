"""World: the clients, built once and handed to steps. The only place that makes them.

Heavy clients are imported when a step first asks for them, so that `inv --list` stays instant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from runbook.settings import Settings

if TYPE_CHECKING:
    from runbook.cluster import Cluster
    from runbook.world.api import Api
    from runbook.world.browser import Browser
    from runbook.world.commands import Commands
    from runbook.world.database import Database
    from runbook.world.docker import Docker
    from runbook.world.helm import Helm
    from runbook.world.http import Http


def _silent(_: str) -> None:
    return None


@dataclass
class World:
    """What checks ask and what applies change.

    `progress` is told in a few words what is being waited for; the runner binds it per step with `for_step`.
    """

    settings: Settings
    progress: Callable[[str], None] = field(default=_silent)

    def for_step(self, progress: Callable[[str], None]) -> World:
        """The same world (same clients) with another progress sink."""
        twin = object.__new__(World)
        twin.__dict__.update(self.__dict__)
        twin.progress = progress
        twin.__dict__["_root"] = self.__dict__.get("_root", self)
        return twin

    @cached_property
    def commands(self) -> Commands:
        """External commands: argument lists, deadlines, LC_ALL=C, redaction (plumbum)."""
        from runbook.world.commands import Commands

        return Commands(self.settings)

    @cached_property
    def cluster(self) -> Cluster:
        from runbook.cluster.choose import choose

        return choose(self.settings)

    @cached_property
    def api(self) -> Api:
        """The Kubernetes API of the pinned cluster."""
        from runbook.world.api import Api

        return Api(self.settings, self.cluster)

    @cached_property
    def docker(self) -> Docker:
        """The build engine (python-on-whales)."""
        from runbook.world.docker import Docker

        return Docker(self.settings, self.cluster)

    @cached_property
    def helm(self) -> Helm:
        from runbook.world.helm import Helm

        return Helm(self.settings, self.commands, self.cluster)

    @cached_property
    def http(self) -> Http:
        """HTTP through the ingress, resolving the host to the ingress address where the name is unknown."""
        from runbook.world.http import Http

        return Http(self.settings, self.cluster)

    @cached_property
    def database(self) -> Database:
        """An independent connection to PostgreSQL, by the port-forwarded Service and the migration role."""
        from runbook.world.database import Database

        return Database(self.settings, self.api)

    @cached_property
    def browser(self) -> Browser:
        """Headless Chromium by Playwright."""
        from runbook.world.browser import Browser

        return Browser(self.settings, self.cluster)
