"""A cluster of its own on which the scripts are tried: made from nothing, and gone afterwards.

It has another name, another host and another state folder than the cluster that people use, which is not touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.actions.web import hosts
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.world import World

if TYPE_CHECKING:
    from runbook.clients.process.commands import CommandResult

INTERFACES = Path("/sys/class/net")
PREFIX = "new-"
LONGEST_NAME = 12
SECONDS = 1800.0
"""For one script; where nothing is cached, the first one compiles."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """`world` looks at the scratch cluster; `user` is the world of the run."""

    user: World
    world: World

    @classmethod
    def beside(cls, user: World) -> Scratch:
        """Raises `Unmeasurable` where clusters are not ours to make."""
        settings = user.settings
        if user.cluster.provider == "existing":
            raise Unmeasurable(
                "this is your own cluster; a clean second one cannot be created beside it",
                wanted="minikube, kind or the embedded node",
            )
        other = {
            "cluster_name": f"{PREFIX}{settings.cluster_name}"[:LONGEST_NAME].rstrip("-"),
            "host": f"{PREFIX}{settings.host}",
            "cluster": user.cluster.provider,
        }
        return cls(user, World.of(settings.model_copy(update=other)).for_step(user.progress))

    def run(self, script: str, *options: str) -> CommandResult:
        """A script of ours on the scratch cluster, whatever its exit status. Raises `TimedOut`."""
        settings = self.world.settings
        path = settings.project / "scripts" / script
        self.user.progress(f"{script} on cluster {settings.cluster_name}")
        environment = {
            "TODO_CLUSTER": settings.cluster,
            "TODO_CLUSTER_NAME": settings.cluster_name,
            "TODO_HOST": settings.host,
        }
        return self.world.commands.run([path, *options], timeout=SECONDS, env=environment, check=False)

    def have(self) -> None:
        """Have the cluster, where an earlier drill has not left it. Raises `RunbookError`."""
        if not self.world.cluster.status().running and (done := self.run("setup-minikube.sh")).code:
            raise RunbookError(f"setup-minikube.sh ended with {done.code}", wanted="a new cluster")

    def left(self) -> list[str]:
        """What is there of the cluster on this machine, in words."""
        settings = self.world.settings
        status = self.world.cluster.status()
        found = (
            [f"cluster {settings.cluster_name}: {status.detail}"] if status.running or status.parts else []
        )
        if hosts.present(settings):
            found.append(f"the line for {settings.host} in {hosts.HOSTS}")
        if self.world.cluster.provider == "embedded":
            from runbook.cluster.embedded import link

            name = link.interface(settings.cluster_name)
            found += [f"interface {name}"] if (INTERFACES / name).exists() else []
        return found + ([f"folder {settings.state}"] if settings.state.exists() else [])

    def clean(self) -> None:
        """Take it away, whatever is there of it. Raises `RunbookError` where something stays."""
        done = self.run("cleanup.sh", "--yes")
        if left := self.left():
            raise RunbookError(
                f"cleanup.sh ended with {done.code}, and there is still: {', '.join(left)}",
                wanted="nothing of the scratch cluster",
                hint=f"inv cleanup --name {self.world.settings.cluster_name}",
            )
