"""kind: nodes in Docker containers. Its own network enforces NetworkPolicy from kind 0.24 on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import yaml

from runbook.clients.holdings import Holdings, familiar
from runbook.clients.process.commands import Commands
from runbook.clients.target import Kubeconfig
from runbook.cluster import ClusterStatus, Progress, kind_start, node_images
from runbook.cluster.existing import Existing
from runbook.cluster.node_images import Inside, Listed
from runbook.engine.errors import CommandFailed, RunbookError, Unmeasurable, UsageError
from runbook.engine.settings import Settings

if TYPE_CHECKING:
    from runbook.ownership.ledger import Ledger

CREATE_SECONDS = 600.0
ASK_SECONDS = 60.0
LEDGER_KIND = "kind cluster"
LEDGER_NODE = "kind node"
"""A ledger's word for a node container that we made; the entry's name is the container's whole id."""


@dataclass(frozen=True, slots=True)
class Node:
    """A container of the cluster, in whatever state: running, exited, paused."""

    name: str
    state: str
    id: str

    @property
    def holds_images(self) -> bool:
        """The balancer in front of several control planes is no node of Kubernetes."""
        return not self.name.endswith("-external-load-balancer")


class Kind(Existing):
    """Implements `runbook.cluster.Cluster`. A cluster of the user's own is used and never becomes ours."""

    provider = "kind"

    def __init__(self, settings: Settings, commands: Commands | None = None) -> None:
        super().__init__(settings, commands)
        self.name = settings.cluster_name

    def up(self, progress: Progress) -> None:
        """Create the cluster, or start what of it is stopped, and wait until its nodes and its DNS are Ready."""
        nodes = self._nodes()
        if not nodes:
            self._create(progress)
        elif stopped := [node for node in nodes if node.state != "running"]:
            progress(f"starting {', '.join(node.name for node in stopped)}")
            self._start(stopped)
        if nodes:
            self._adopt(nodes)
            self._kind("export", "kubeconfig", "--name", self.name, *self._file)
        self._wait_until_usable(progress)

    def stop(self, progress: Progress) -> None:
        """`docker stop` of its nodes, which end their pods; their volumes stay."""
        nodes = self._nodes()
        if nodes and not self._ours(nodes):
            raise UsageError(
                f"kind cluster {self.name} was not made here", hint="docker stop its nodes yourself"
            )
        if running := [node.name for node in nodes if node.state == "running"]:
            progress(f"docker stop {' '.join(running)}")
            self._commands.run(["docker", "stop", *running], timeout=CREATE_SECONDS)

    def down(self, progress: Progress) -> None:
        """Delete the cluster if we made it, and look whether it is gone; a user's own is left, running or stopped."""
        nodes = self._nodes()
        if nodes and not self._ours(nodes):
            progress(f"kind cluster {self.name} was not made by us: left as it is")
            return
        if nodes:
            progress("kind delete cluster")
            self._kind("delete", "cluster", "--name", self.name, *self._file, timeout=CREATE_SECONDS)
            if left := self._nodes():
                raise RunbookError(
                    f"kind still has the cluster {self.name}: {', '.join(node.name for node in left)}",
                    wanted="none of its containers",
                    hint=f"kind delete cluster --name {self.name}",
                )
        self._forget()
        for file in ("kubeconfig", "pinned.json"):
            (self.settings.state / file).unlink(missing_ok=True)

    def is_ours(self) -> bool:
        nodes = self._nodes()
        return bool(nodes) and self._ours(nodes)

    def status(self) -> ClusterStatus:
        """As the containers' states say, and where all run, the API. A stopped cluster has parts: it is there."""
        nodes = self._nodes()
        if not nodes:
            return ClusterStatus(self.provider, running=False, detail=f"there is no kind cluster {self.name}")
        if stopped := {node.name: node.state for node in nodes if node.state != "running"}:
            told = ", ".join(f"{name} is {state}" for name, state in stopped.items())
            parts = {node.name: node.state for node in nodes}
            return ClusterStatus(self.provider, False, f"kind cluster {self.name}: {told}", parts=parts)
        found = super().status()
        if not found.parts:  # the containers run, and no API answers yet, or we have no kubeconfig of it
            return ClusterStatus(
                self.provider, False, found.detail, parts={node.name: node.state for node in nodes}
            )
        return found

    def kubeconfig(self) -> Kubeconfig:
        """A file of our own; the user's kubeconfig and current context stay as they are."""
        return Kubeconfig(self.settings.state / "kubeconfig", f"kind-{self.name}")

    def _way_in(self, port: int) -> tuple[str, int]:
        """The port that a node publishes, which Docker forwards; else as on any other cluster."""
        for node in self._nodes():
            asked = self._commands.run(
                ["docker", "port", node.name, f"{port}/tcp"], timeout=ASK_SECONDS, check=False
            )
            host, _, published = (asked.stdout.split() or [""])[0].rpartition(":")
            if asked.code == 0 and published.isdigit():
                return ("127.0.0.1" if host in {"0.0.0.0", ""} else host.strip("[]")), int(published)  # noqa: S104
        return super()._way_in(port)

    def machine_address(self) -> str:
        """Docker Desktop and its kin have a name for this machine; elsewhere it is the gateway of the nodes."""
        running = [node for node in self._nodes() if node.state == "running"]
        if not running:
            raise Unmeasurable(
                "no node of kind runs", wanted="a node, which knows the way", hint="inv cluster.up"
            )
        named = "getent ahostsv4 host.docker.internal | head -n 1"
        found = self._in(running[0].name)("sh", "-c", f"{named}; ip -4 route show default").split()
        return found[found.index("via") + 1] if found[:1] == ["default"] else found[0]

    def holdings(self, references: Collection[str] = ()) -> Holdings:
        """What crictl and ctr list in every node."""
        if self.settings.registry:
            return super().holdings(references)
        nodes = [node for node in self._nodes() if node.holds_images]
        if not nodes:
            raise Unmeasurable(
                f"there is no kind cluster {self.name}", wanted="its nodes", hint="inv cluster.up"
            )
        with ThreadPoolExecutor(len(nodes)) as asking:
            held = asking.map(lambda node: node_images.held(self._in(node.name)), nodes)
        return Holdings({node.name: images for node, images in zip(nodes, held, strict=True)})

    def load_images(self, references: Sequence[str], progress: Progress) -> None:
        """`kind load` of what differs on any node; what lost its name to a newer image is taken out of the nodes."""
        if self.settings.registry:
            super().load_images(references, progress)
            return
        wanted = self._engine_identities(references)
        before = self.holdings()
        differing = [each for each in references if before.problems(each, wanted[each])]
        if not differing:
            return
        progress(f"kind load docker-image {' '.join(differing)}")
        self._kind("load", "docker-image", *differing, "--name", self.name, timeout=CREATE_SECONDS)
        replaced = {
            image.id
            for images in before.nodes.values()
            for each in differing
            if (image := images.get(familiar(each))) is not None and not image.identities & wanted[each]
        }
        self._drop(lambda image: image.held.id in replaced and not image.tags)
        after = self.holdings()
        if wrong := [told for each in differing for told in after.problems(each, wanted[each])]:
            raise RunbookError(
                f"after `kind load` {'; '.join(wrong)}",
                wanted=", ".join(differing),
                hint=f"kind load docker-image {' '.join(differing)} --name {self.name}",
            )

    def forget_images(self, references: Sequence[str]) -> None:
        """By name, on every node: `crictl rmi` would take every other name of the same image with it."""
        if self.settings.registry:
            super().forget_images(references)
            return
        names = {familiar(each) for each in references}
        self._drop(lambda image: bool(image.tags) and image.tags <= names, names)

    def _drop(self, leftover: Callable[[Listed], bool], names: Set[str] = frozenset()) -> None:
        for node in self._nodes():
            if node.holds_images:
                node_images.drop(self._in(node.name), leftover, names)

    def _create(self, progress: Progress) -> None:
        ledger = self._ledger
        configuration = kind_start.configuration(self.settings)
        ledger.add(LEDGER_KIND, self.name)  # before there is anything: an interrupted creation counts too
        progress("kind create cluster")
        image = ("--image", self.settings.node_image) if self.settings.node_image else ()
        command = ("create", "cluster", "--name", self.name, "--config=-", "--wait=180s", *image, *self._file)
        try:
            self._kind(*command, stdin=yaml.safe_dump(configuration), timeout=CREATE_SECONDS)
        except CommandFailed as problem:
            if not self._nodes():  # kind has removed what it had made
                ledger.strike(LEDGER_KIND, self.name)
            raise kind_start.explained(problem) from problem
        for node in self._nodes():
            ledger.add(LEDGER_NODE, node.id)

    def _nodes(self) -> list[Node]:
        """Every container of the cluster; none where kind knows no such cluster."""
        if self.name not in self._kind("get", "clusters").split():
            return []
        names = self._kind("get", "nodes", "--name", self.name).split() or [
            f"{self.name}-{kind_start.CONTROL_PLANE}"
        ]
        found = []
        for name in names:
            asked = ["docker", "container", "inspect", "--format", "{{.State.Status}} {{.Id}}", name]
            with suppress(CommandFailed):  # removed meanwhile
                state, _, container = (
                    self._commands.run(asked, timeout=ASK_SECONDS).stdout.strip().partition(" ")
                )
                found.append(Node(name, state, container))
        return found

    def _start(self, stopped: Sequence[Node]) -> None:
        """`docker start`, as after a restart of the machine; a paused container goes on instead."""
        for word, nodes in (
            ("unpause", [node.name for node in stopped if node.state == "paused"]),
            ("start", [node.name for node in stopped if node.state != "paused"]),
        ):
            if nodes:
                self._commands.run(["docker", word, *nodes], timeout=CREATE_SECONDS)

    def _ours(self, nodes: Sequence[Node]) -> bool:
        """Whether these very containers were made by us: a user's cluster of the same name has others."""
        self._adopt(nodes)
        made = {each.name for each in self._ledger.entries() if each.kind == LEDGER_NODE}
        return all(node.id in made for node in nodes)

    def _adopt(self, nodes: Sequence[Node]) -> None:
        """After a creation that was cut off before its nodes were written down: those of its minutes are its own."""
        entries = self._ledger.entries()
        begun = next((each.at for each in entries if (each.kind, each.name) == (LEDGER_KIND, self.name)), "")
        if not begun or any(each.kind == LEDGER_NODE for each in entries):
            return
        asked = ["docker", "container", "inspect", "--format", "{{.Created}}", *(node.name for node in nodes)]
        created = [_time(word) for word in self._commands.run(asked, timeout=ASK_SECONDS).stdout.split()]
        since = datetime.fromisoformat(begun)
        if len(created) == len(nodes) and all(
            since <= each <= since + timedelta(seconds=CREATE_SECONDS) for each in created
        ):
            for node in nodes:
                self._ledger.add(LEDGER_NODE, node.id)

    def _forget(self) -> None:
        for entry in self._ledger.entries():
            if entry.kind == LEDGER_NODE or (entry.kind, entry.name) == (LEDGER_KIND, self.name):
                self._ledger.strike(entry.kind, entry.name)

    def _in(self, node: str) -> Inside:
        def run(*argv: str) -> str:
            return self._commands.run(["docker", "exec", node, *argv], timeout=ASK_SECONDS).stdout

        return run

    @property
    def _file(self) -> tuple[str, str]:
        return ("--kubeconfig", str(self.kubeconfig().path))

    @cached_property
    def _ledger(self) -> Ledger:
        from runbook.ownership.ledger import Ledger

        return Ledger(self.settings)

    def _kind(self, *arguments: str, timeout: float = ASK_SECONDS, stdin: str | None = None) -> str:
        self.settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._commands.run(["kind", *arguments], timeout=timeout, stdin=stdin).stdout


def _time(text: str) -> datetime:
    """Docker's times have nanoseconds and a Z."""
    return datetime.fromisoformat(text.partition(".")[0].rstrip("Z")).replace(tzinfo=UTC)
