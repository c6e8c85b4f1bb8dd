"""minikube: the cluster of a laptop. Its own commands do the work; the Docker driver runs it in a container."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from runbook.clients.holdings import HeldImage, Holdings, digests, familiar
from runbook.clients.process.commands import Commands
from runbook.clients.target import Kubeconfig
from runbook.cluster import ClusterStatus, Progress, docker, ingress, minikube_start
from runbook.cluster.existing import Existing
from runbook.cluster.minikube_profile import KUBELET_LABELS, MinikubeCommand, Profile, State
from runbook.engine.errors import CommandFailed, RunbookError, Unmeasurable, UsageError
from runbook.engine.settings import Settings
from runbook.ownership import installation

START_SECONDS = 900.0
"""The first start downloads about a gigabyte."""
LOAD_SECONDS = 600.0
LEDGER_KIND = "minikube profile"
LOOPBACK = "127.0.0.1"


class Minikube(Existing):
    """Implements `runbook.cluster.Cluster`. The profile has the cluster's name; a user's own is used, not deleted.

    Ours is a profile that carries the id of this installation, which minikube keeps with it from its first moment on.
    """

    provider = "minikube"

    def __init__(self, settings: Settings, commands: Commands | None = None) -> None:
        super().__init__(settings, commands)
        self.name = settings.cluster_name
        self._ways: dict[int, tuple[str, int] | tuple[()]] = {}
        self._minikube = MinikubeCommand(settings, self.kubeconfig().path, self._commands)

    @property
    def builds_inside(self) -> bool:  # type: ignore[override]
        return self.settings.runtime == "docker" and not self.settings.registry

    def obstacle(self) -> str:
        """Why `minikube start` cannot work here, in a few words; "" where it can."""
        if not self._minikube.installed():
            return "minikube is not installed"
        return minikube_start.obstacle(self.settings, self._commands)

    def up(self, progress: Progress) -> None:
        """Start the profile unless it runs, and wait until its nodes and its DNS are Ready.

        A profile that minikube cannot look at is made again where it is ours, and refused where it is not.
        """
        self._ways = {}
        self._have_it_run(progress)
        # After a stop minikube takes the DNS of before for Ready.
        self._wait_until_usable(progress)

    def _have_it_run(self, progress: Progress) -> None:
        profile = self._minikube.profile()
        if profile.state is State.RUNNING:
            # Written anew: an address may have moved, and a profile of the same name may have other certificates.
            self.kubeconfig().path.unlink(missing_ok=True)
            self._minikube.run("update-context")
            return
        minikube_start.demand_user(self.settings)
        if profile.state is State.STOPPED:
            progress(
                f"minikube start: profile {self.name} keeps the size, driver and network that it was made with"
            )
            self._minikube.run("start", *minikube_start.ALWAYS, timeout=START_SECONDS)
            return
        if profile.state is State.UNREADABLE:
            if not self._owns(profile):
                raise self._not_ours(profile)
            self._delete(profile, progress)
        self._create(progress)

    def stop(self, progress: Progress) -> None:
        """`minikube stop`; its volume stays."""
        profile = self._minikube.profile()
        if profile.state is not State.ABSENT and not self._owns(profile):
            raise UsageError(
                f"minikube profile {self.name} was not made here", hint=f"minikube stop --profile {self.name}"
            )
        if profile.state is State.RUNNING:
            progress("minikube stop")
            self._minikube.run("stop", timeout=START_SECONDS)

    def down(self, progress: Progress) -> None:
        """Delete the profile if this installation made it, and look whether profile, container and volume are gone."""
        ledger = self._ledger
        ours = ledger.holds(LEDGER_KIND, self.name)
        if ours or self._minikube.installed():
            profile = self._minikube.profile()
            if profile.state is not State.ABSENT and self._owns(profile):
                self._delete(profile, progress)
            elif profile.state is not State.ABSENT:
                progress(f"minikube profile {self.name} was not made by this installation: left as it is")
            elif ours and self.settings.driver == "docker":
                self._demand_gone()
            ledger.strike(LEDGER_KIND, self.name)
        for file in ("kubeconfig", "pinned.json"):
            (self.settings.state / file).unlink(missing_ok=True)

    def is_ours(self) -> bool:
        profile = self._minikube.profile()
        return profile.state is not State.ABSENT and self._owns(profile)

    def status(self) -> ClusterStatus:
        """As `minikube status` tells. One that our kubeconfig does not reach does not run for us."""
        profile = self._minikube.profile()
        running = profile.state is State.RUNNING and not profile.kubeconfig_stale
        detail = {
            State.ABSENT: f"there is no profile {self.name}",
            State.STOPPED: f"profile {self.name} does not run",
            State.RUNNING: f"profile {self.name} runs"
            + ("" if running else ", but our kubeconfig does not lead to it"),
            State.UNREADABLE: f"profile {self.name} is there, but its container or Docker is not",
        }[profile.state]
        return ClusterStatus(self.provider, running, detail, parts=profile.parts)

    def kubeconfig(self) -> Kubeconfig:
        """A file of our own; the user's kubeconfig and current context stay as they are."""
        return Kubeconfig(self.settings.state / "kubeconfig", self.name)

    def enable_ingress(self, progress: Progress) -> None:
        """Enable the addon, which brings ingress-nginx, unless a controller of that class is there.

        Its images are pinned by digest and its project has ended: where the node cannot get them, minikube would wait
        six minutes and leave half of the addon behind. Then our own controller takes its place.
        """
        if self._api.get("IngressClass", ingress.CLASS) is not None:
            super().enable_ingress(progress)
            return
        addon = self._minikube.json("addons", "list", "--output=json").get("ingress")
        if addon is not None and addon.get("Status") == "enabled":
            return
        if addon is None:
            progress("this minikube has no ingress addon")
        elif missing := self._addon_lacks(progress):
            progress(f"the node cannot get {missing}, which the ingress addon needs")
        else:
            progress("minikube addons enable ingress")
            self._minikube.run("addons", "enable", "ingress", timeout=LOAD_SECONDS)
            return
        super().enable_ingress(progress)

    def _way_in(self, port: int) -> tuple[str, int]:
        """The node's address where this machine reaches it, else the port that Docker publishes: ours publish one.

        Where Docker runs in a machine of its own and nothing is published, as on any other cluster: forwarded. minikube
        takes seconds to tell, so that it is asked once after each start.
        """
        if port not in self._ways:
            self._ways[port] = self._found_way(port)
        return self._ways[port] or super()._way_in(port)

    def _found_way(self, port: int) -> tuple[str, int] | tuple[()]:
        in_docker = (self._minikube.profile().driver or self.settings.driver) == "docker"
        if not in_docker or docker.place(self._commands).here:
            return self._minikube.run("ip").strip(), port
        published = self._commands.run(["docker", "port", self.name, f"{port}/tcp"], timeout=20, check=False)
        told = (published.stdout.split() or [""])[0].rpartition(":")[2]
        if published.code == 0 and told.isdigit():
            return LOOPBACK, int(told)
        return ()

    def machine_address(self) -> str:
        """minikube writes this machine's address into its node's hosts file."""
        said = self._minikube.run("ssh", "--", "getent", "ahostsv4", "host.minikube.internal").split()
        if not said:
            raise UsageError(
                f"the node of profile {self.name} does not know how to reach this machine",
                wanted="host.minikube.internal in its hosts file",
                hint=f"minikube -p {self.name} ssh -- getent hosts host.minikube.internal",
            )
        return said[0]

    def docker_environment(self) -> Mapping[str, str]:
        """The Docker daemon inside the node, so that what is built there runs there.

        Until the profile runs there is none, nor where the runtime is another than Docker: then the user's own builds,
        and T046 brings the images into the node.
        """
        if self.settings.registry:
            return self._docker
        try:
            # Without --shell=none minikube writes shell lines, whatever --output says.
            found = self._minikube.json("docker-env", "--shell=none", "--output=json")
        except CommandFailed:
            return self._docker
        wanted = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "MINIKUBE_ACTIVE_DOCKERD")
        environment = {name: str(found[name]) for name in wanted if found.get(name)}
        host = environment.get("DOCKER_HOST", "")
        if host.startswith("ssh:"):  # nerdctl in a containerd node, which knows no BuildKit
            return self._docker
        if not host:
            raise Unmeasurable(
                f"`minikube docker-env` names no DOCKER_HOST for profile {self.name}",
                wanted="a profile with the docker runtime",
                hint=f"minikube -p {self.name} docker-env",
            )
        # The user's engine does not count here, but buildx may have to come from us all the same.
        return environment | {name: each for name, each in self._docker.items() if name == "DOCKER_CONFIG"}

    def holdings(self, references: Collection[str] = ()) -> Holdings:
        """What the node's runtime lists."""
        if self.settings.registry:
            return super().holdings(references)
        found: dict[str, HeldImage] = {}
        for image in self._listed():
            others = digests(*map(str, image.get("repoDigests") or []))
            held = HeldImage(f"sha256:{str(image['id']).removeprefix('sha256:')}", others)
            found |= {familiar(str(tag)): held for tag in image.get("repoTags") or []}
        return Holdings({self.name: found})

    def load_images(self, references: Sequence[str], progress: Progress) -> None:
        """Images built in the node's own daemon are there already; others go from daemon to daemon.

        Compared by id, and looked at afterwards: `minikube image load` succeeds also where nothing arrived.
        """
        if self.settings.registry:
            super().load_images(references, progress)
            return
        wanted = docker.identities(references, self._commands, self.docker_environment())
        there = self.holdings()
        if differing := [each for each in references if there.problems(each, wanted[each])]:
            progress(f"minikube image load {' '.join(differing)}")
            for reference in differing:
                self._minikube.run("image", "load", "--daemon=true", reference, timeout=LOAD_SECONDS)
            there = self.holdings()
            if still := [problem for each in differing for problem in there.problems(each, wanted[each])]:
                raise RunbookError(
                    f"after loading, {'; '.join(still)}",
                    wanted="the images of the build engine in the node",
                    hint=f"minikube -p {self.name} image rm {' '.join(differing)}, then inv deploy",
                )

    def forget_images(self, references: Sequence[str]) -> None:
        """minikube only warns of a name that it could not remove: what is left is named in the error."""
        if self.settings.registry:
            return
        there = self.holdings()
        said = {
            each: self._minikube.ask("image", "rm", each).stderr for each in references if there.image(each)
        }
        if not said:
            return
        there = self.holdings()
        if left := [each for each in said if there.image(each)]:
            why = "a container still uses it" if any("conflict" in said[each] for each in left) else "refused"
            raise RunbookError(
                f"the node keeps {', '.join(left)}: {why}",
                wanted="no such name in the node",
                hint=f"minikube -p {self.name} image rm {' '.join(left)}",
            )

    def _listed(self) -> list[dict[str, Any]]:
        return json.loads(self._minikube.run("image", "ls", "--format=json") or "[]") or []

    def _addon_lacks(self, progress: Progress) -> str:
        """The first image of the ingress addon that the node can not get; "" where it has all, or they are not told."""
        asked = self._minikube.ask("addons", "images", "ingress", "--output=json")
        try:
            wanted = [str(each) for each in json.loads(asked.stdout)]
        except ValueError:  # an older minikube knows a table only
            return ""
        for image in sorted(set(wanted)):
            progress(f"minikube image pull {image.partition('@')[0]}")
            self._minikube.ask("image", "pull", image, timeout=LOAD_SECONDS)  # its exit status says nothing
            pinned = digests(image)
            if not any(pinned & digests(*map(str, each.get("repoDigests") or [])) for each in self._listed()):
                return image.partition("@")[0]
        return ""

    def _create(self, progress: Progress) -> None:
        arguments = minikube_start.arguments(self.settings, self._commands, progress)
        if self.settings.driver == "docker" and (left := self._minikube.leftovers()):
            raise RunbookError(
                f"Docker still holds {', '.join(left)} of a minikube profile {self.name} that minikube does not know",
                wanted="nothing of that name",
                hint=f"minikube delete -p {self.name}, or TODO_CLUSTER_NAME=<name>",
            )
        self._ledger.add(LEDGER_KIND, self.name)
        progress("minikube start (the first start downloads the node image)")
        label = f"{installation.LABEL}={installation.identity(self.settings)}"
        self._minikube.run(
            "start",
            *arguments,
            f"--extra-config=kubelet.{KUBELET_LABELS}={label}",
            *minikube_start.ALWAYS,
            timeout=START_SECONDS,
        )

    def _owns(self, profile: Profile) -> bool:
        return bool(profile.installation) and profile.installation == installation.known(self.settings)

    def _not_ours(self, profile: Profile) -> RunbookError:
        if (profile.driver or self.settings.driver) == "docker":
            docker.information(self._commands)  # Docker may only be away
        return RunbookError(
            f"minikube's profile {self.name} has lost its container, and this installation did not make it",
            wanted="a profile that can be started, or none",
            hint=f"minikube delete -p {self.name}, or another profile: TODO_CLUSTER_NAME=<name>",
        )

    def _delete(self, profile: Profile, progress: Progress) -> None:
        """While Docker is away minikube would forget the profile and leave its container: then nothing is deleted."""
        in_docker = (profile.driver or self.settings.driver) == "docker"
        if in_docker:
            docker.information(self._commands)
        progress("minikube delete")
        self._minikube.run("delete", timeout=LOAD_SECONDS)
        if self._minikube.profile().state is not State.ABSENT:
            raise RunbookError(
                f"minikube still has the profile {self.name}",
                wanted="no such profile",
                hint=f"minikube delete -p {self.name}",
            )
        if in_docker:
            self._demand_gone()

    def _demand_gone(self) -> None:
        if left := self._minikube.leftovers():
            raise RunbookError(
                f"minikube has deleted the profile {self.name}, but Docker still holds {', '.join(left)}",
                wanted="no container and no volume of it",
                hint=f"minikube delete -p {self.name}",
            )

    @property
    def _ledger(self) -> Any:
        from runbook.ownership.ledger import Ledger

        return Ledger(self.settings)
