"""The tools that the list asks for: which one serves the purpose here, in which version.

On a laptop these are Docker, minikube, Helm, kubectl and the Dapr CLI. Where the embedded node is the cluster, its own
toolchain takes the place of minikube, and the step says so. A version newer than the tested ones is told, not refused.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from runbook.engine.errors import CommandFailed, CommandMissing, RunbookError, TimedOut, Unmeasurable
from runbook.engine.step import Outcome, failed, passed, unproven

if TYPE_CHECKING:
    from runbook.world import World

ASK = 15.0
"""Seconds for a version to be told."""

DESKTOP = "Docker Desktop"
OLDEST_DESKTOP = "4.53"
OLDEST_ENGINE = "20.10"
"""The first Engine whose BuildKit mounts secrets and caches."""

TESTED_BELOW = {"docker": "30", "minikube": "2", "helm": "5", "kubectl": "1.38", "dapr": "2"}
"""Versions from here on are newer than those that were tested."""

OLDEST_DAPR = "1.12"
OLDEST_HELM = "3.13"
"""The first that keeps labels on a release and asks the server in a dry run."""

KUBECTL_SKEW = 1
"""Minor versions by which kubectl may be older or newer than the API server."""

_NUMBER = re.compile(r"v?(\d+(?:\.\d+)*)")


def build_engine(world: World) -> Outcome:
    """A Docker daemon answers: Docker Desktop 4.53 or newer, a Docker Engine, or the build engine of our own.

    Source: T004.
    """
    from runbook.clients.docker import no_engine_hint

    wanted = f"{DESKTOP} {OLDEST_DESKTOP} or newer, or a Docker Engine {OLDEST_ENGINE} or newer, that answers"
    try:
        environment = world.cluster.docker_environment()
    except CommandMissing as missing:
        return failed(missing.observed, wanted=f"{wanted}, and its client has buildx", hint=missing.hint)
    hint = no_engine_hint(world.cluster.provider, environment)
    try:
        answer = world.commands.run(
            ["docker", "version", "--format", "{{json .}}"], timeout=ASK, env=environment, check=False
        )
        server = json.loads(answer.stdout or "{}").get("Server") or {}
    except CommandMissing as missing:
        ours = world.cluster.provider == "embedded"
        return failed(
            f"no build engine answers: {missing}", wanted=wanted, hint=hint if ours else missing.hint
        )
    except (TimedOut, ValueError) as problem:
        return failed(f"no build engine answers: {problem}", wanted=wanted, hint=hint)
    if not server:
        said = (answer.stderr.strip().splitlines() or ["it says nothing"])[-1]
        return failed(f"no build engine answers: {said}", wanted=wanted, hint=hint)
    engine = str(server.get("Version", ""))
    platform = str((server.get("Platform") or {}).get("Name", ""))
    evidence = {"engine": engine, "platform": platform, "newer_than_tested": _newer(engine, "docker")}
    if platform.startswith(DESKTOP):
        desktop = platform.removeprefix(DESKTOP).split("(")[0].strip()
        if _version(desktop) < Version(OLDEST_DESKTOP):
            return failed(f"{platform} answers", wanted=wanted, hint="update Docker Desktop", **evidence)
        return passed(
            f"{DESKTOP} {desktop} with Engine {engine}{_warning(evidence)}", wanted=wanted, **evidence
        )
    if _version(engine) < Version(OLDEST_ENGINE):
        return failed(f"Docker Engine {engine} answers", wanted=wanted, hint="update Docker", **evidence)
    return passed(f"Docker Engine {engine} answers{_warning(evidence)}", wanted=wanted, **evidence)


def kubernetes(world: World) -> Outcome:
    """What starts the local Kubernetes is installed: minikube, kind, or the embedded node's own parts.

    Source: T005. A cluster of the user's own starts without us: it answers, or the step fails.
    """
    provider = world.cluster.provider
    if provider == "minikube":
        return _told(world, "minikube", ["minikube", "version", "--output", "json"], "minikubeVersion")
    if provider == "kind":
        return _told(world, "kind", ["kind", "version"], "")
    return _existing(world) if provider == "existing" else _embedded(world)


def _existing(world: World) -> Outcome:
    """It is not ours to start, so that it must answer now."""
    context = world.cluster.kubeconfig().context
    wanted = f"the cluster of context {context} answers"
    state = world.cluster.status()
    if not state.running:
        hint = f"kubectl --context {context} get nodes"
        return failed(f"context {context}: {state.detail}", wanted=wanted, hint=hint, parts=dict(state.parts))
    return passed(f"{state.detail}, Kubernetes {state.version}", wanted=wanted, version=state.version)


def _embedded(world: World) -> Outcome:
    """Every part is there, and the program that was built from the checksummed modules says which Kubernetes it is."""
    from runbook.cluster.choose import reason
    from runbook.cluster.embedded.toolchain import Toolchain

    wanted = "the embedded node's Kubernetes, built from checksummed modules"
    toolchain = Toolchain(world.settings)
    if missing := toolchain.missing():
        observed = f"the embedded node is not built yet: {', '.join(missing)} missing"
        return failed(observed, wanted=wanted, hint="inv setup")
    binary = toolchain.binary("kubernetes")
    said = world.commands.run([binary, "kubelet", "--version"], timeout=ASK).stdout.strip()
    why = reason(world.settings)
    return passed(
        f"in the place of minikube: the embedded node, {said}" + (f" ({why})" if why else ""),
        wanted=wanted,
        version=said,
        binary=str(binary),
    )


def _told(world: World, name: str, argv: list[str], key: str) -> Outcome:
    """The version that a tool tells, in JSON under `key` or as the first word that is one."""
    wanted = f"{name} installed"
    try:
        said = world.commands.run(argv, timeout=ASK).stdout
    except CommandMissing as missing:
        return failed(missing.observed, wanted=wanted, hint=missing.hint)
    version = str(json.loads(said).get(key, "")) if key else _first_version(said)
    evidence = {"version": version, "newer_than_tested": _newer(version, name)}
    return passed(f"{name} {version}{_warning(evidence)}", wanted=wanted, **evidence)


def helm(world: World) -> Outcome:
    """Helm 3.13 or newer, or Helm 4, runs.

    Source: T006. The list says 3.x; both majors are supported.
    """
    wanted = f"Helm {OLDEST_HELM} or newer"
    try:
        found = world.helm.version()
    except CommandMissing as missing:
        return failed(missing.observed, wanted=wanted, hint=missing.hint)
    evidence = {
        "version": found.text,
        "binary": str(world.helm.binary),
        "newer_than_tested": _newer(found.text, "helm"),
    }
    if _version(found.text) < Version(OLDEST_HELM):
        hint = f"update {world.helm.binary}, or take it from PATH"
        return failed(f"Helm {found.text} is too old", wanted=wanted, hint=hint, **evidence)
    return passed(f"Helm {found.text}{_warning(evidence)}", wanted=wanted, **evidence)


def kubectl(world: World) -> Outcome:
    """kubectl runs: the one on PATH, or the toolchain's. Far from the API server's version, it says so.

    Source: T007.
    """
    wanted = "kubectl"
    try:
        binary = kubectl_binary(world)
    except CommandMissing as missing:
        return failed(missing.observed, wanted=wanted, hint=missing.hint)
    said = world.commands.run([binary, "version", "--client", "--output", "json"], timeout=ASK).stdout
    version = str(json.loads(said)["clientVersion"]["gitVersion"])
    evidence = {"version": version, "binary": str(binary), "newer_than_tested": _newer(version, "kubectl")}
    skew = _skew(version, world)
    return passed(f"kubectl {version}{_warning(evidence)}{skew}", wanted=wanted, **evidence)


def _skew(version: str, world: World) -> str:
    """A word where kubectl is further from the API server than Kubernetes supports; "" where no cluster answers yet."""
    try:
        server = world.api.version()
        ours, theirs = _version(version), _version(server)
    except RunbookError:
        return ""
    if ours.major == theirs.major and abs(ours.minor - theirs.minor) <= KUBECTL_SKEW:
        return ""
    return f" ({version} is more than one minor from the API server's {server}: Kubernetes does not support that)"


def kubectl_binary(world: World) -> Path:
    """kubectl on PATH, else the toolchain's. Raises `CommandMissing` where there is neither."""
    if found := world.commands.find("kubectl"):
        return found
    from runbook.cluster.embedded.toolchain import Toolchain

    return Toolchain(world.settings).binary("kubectl")


def dapr(world: World) -> Outcome:
    """Dapr can be installed: its CLI is 1.12 or newer, or Helm takes its place.

    Source: T008. Nothing here needs the CLI: the mesh is installed by Helm from Dapr's own chart, so that its version
    and values are pinned; without the CLI the step is about Helm, and says so.
    """
    wanted = f"the Dapr CLI {OLDEST_DAPR} or newer, or Helm, which installs Dapr's chart"
    try:
        said = world.commands.run(["dapr", "version", "--output", "json"], timeout=ASK).stdout
        version = str(json.loads(said)["Cli version"])
    except CommandMissing:
        return _by_helm(world, wanted)
    except (RunbookError, ValueError, KeyError) as problem:
        return unproven(
            f"the Dapr CLI does not tell its version: {problem}", wanted=wanted, hint="dapr version"
        )
    evidence: dict[str, Any] = {"cli": version, "newer_than_tested": _newer(version, "dapr")}
    if _version(version) < Version(OLDEST_DAPR):
        return failed(
            f"the Dapr CLI is {version}", wanted=wanted, hint="update the Dapr CLI, or remove it", **evidence
        )
    return passed(f"Dapr CLI {version}{_warning(evidence)}", wanted=wanted, **evidence)


def _by_helm(world: World, wanted: str) -> Outcome:
    try:
        found = world.helm.version()
    except (CommandMissing, CommandFailed) as problem:
        return failed(f"there is no Dapr CLI, and {problem.observed}", wanted=wanted, hint="inv setup")
    return passed(
        f"no Dapr CLI; Helm {found.text} installs Dapr in its place", wanted=wanted, cli="", helm=found.text
    )


def _version(text: str) -> Version:
    """The leading number of a version: suffixes of distributors (+k3s1, -dispatcher) say nothing of its age."""
    match = _NUMBER.match(text.strip())
    if match is None:
        raise Unmeasurable(f"{text!r} is not a version", wanted="a version number")
    return Version(match[1])


def _first_version(text: str) -> str:
    for word in text.split():
        try:
            return str(_version(word))
        except Unmeasurable:
            continue
    raise Unmeasurable(f"no version in {text.strip()[:80]!r}", wanted="a version number")


def _newer(text: str, name: str) -> bool:
    """Whether a version is newer than those that were tested; one that cannot be read counts as such."""
    limit = TESTED_BELOW.get(name)
    try:
        return limit is not None and _version(text) >= Version(limit)
    except Unmeasurable:
        return True


def _warning(evidence: dict[str, Any]) -> str:
    return " (newer than the versions that were tested)" if evidence["newer_than_tested"] else ""
