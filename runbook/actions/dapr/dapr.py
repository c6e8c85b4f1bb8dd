"""Dapr's control plane: its release, its resource definitions and its namespace installed; and removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from runbook.actions.cluster import namespace, rollout
from runbook.actions.dapr import dapr_source
from runbook.actions.package.helm_release import HOOKS, repair
from runbook.app.application import DAPR_NAMESPACE, DAPR_RELEASE
from runbook.app.dapr.control_plane import (
    SERVICES,
    definition_problem,
    definitions,
    values,
    wanted_namespace,
)
from runbook.app.dapr.ownership import (
    CRD,
    KIND,
    left,
    made_by_cli_for_us,
    our_definitions,
    refuse_foreign,
    refuse_used,
)
from runbook.clients import dapr_cli
from runbook.clients.helm import Values
from runbook.clients.kube import workloads
from runbook.clients.kube.releases import are_ours, newest, revisions
from runbook.ownership import installation
from runbook.ownership.ledger import Ledger

if TYPE_CHECKING:
    from runbook.world import World

READY_SECONDS = 180.0
CLI_SECONDS = 300.0


def install(world: World) -> None:
    """Install, upgrade or repair it. Does not wait until it is ready.

    Raises `Foreign`, before the first write, where somebody else's Dapr is anywhere on the cluster.
    """
    refuse_foreign(world)
    world.api.guard()
    source = dapr_source.prepare(world)
    Ledger(world.settings).add(KIND, DAPR_RELEASE)
    namespace.have(world, wanted_namespace(world))
    for each in definitions(source.chart):  # Helm never upgrades these
        _define(world, each)
    mark(world)
    repair(world, DAPR_RELEASE, DAPR_NAMESPACE)
    wanted = values(world, source)
    if not source.image and _by_its_cli(world):  # it knows Dapr's own repository only
        world.progress(f"dapr init -k (Dapr {source.version})")
        _init(world, source.version, wanted)
        mark(world)
        return
    world.progress(f"helm upgrade --install {DAPR_RELEASE} (Dapr {source.version})")
    world.helm.upgrade(DAPR_RELEASE, source.chart, DAPR_NAMESPACE, values=Values((), wanted), timeout=HOOKS)


def mark(world: World) -> None:
    """Put our id on the record of a release that Dapr's CLI has just made for us: it takes no labels."""
    kept = revisions(world.api, DAPR_RELEASE, DAPR_NAMESPACE)
    if made_by_cli_for_us(world, kept):
        path = f"/metadata/labels/{installation.LABEL.replace('/', '~1')}"
        label = {"op": "add", "path": path, "value": installation.identity(world.settings)}
        for each in kept:
            record = f"sh.helm.release.v1.{each.name}.v{each.revision}"
            world.api.patch("Secret", record, DAPR_NAMESPACE, [label])


def wait(world: World) -> None:
    """Until every service of the control plane is ready, by watch."""
    rollout.settle(world, DAPR_NAMESPACE, names=SERVICES, timeout=READY_SECONDS)


def remove(world: World) -> list[str]:
    """Uninstall the release, and take away what Helm leaves: definitions and namespace, as far as they are ours.

    Returns what is still there afterwards. Raises `Foreign` where somebody else works with our Dapr: with a definition
    the API server would delete all objects of its kind, whoever's they are.
    """
    if not left(world):
        return []
    refuse_used(world)
    world.api.guard(pinned=True)
    mark(world)
    if are_ours(world.settings, revisions(world.api, DAPR_RELEASE, DAPR_NAMESPACE)):
        world.progress(f"uninstalling {DAPR_RELEASE}")
        world.helm.uninstall(DAPR_RELEASE, DAPR_NAMESPACE)
    for each in our_definitions(world):
        world.api.delete(CRD, workloads.name(each), uid=str(each["metadata"]["uid"]))
    space = world.api.get("Namespace", DAPR_NAMESPACE)
    if space is not None and installation.owns(world.settings, space):
        world.api.delete("Namespace", DAPR_NAMESPACE, uid=str(space["metadata"]["uid"]))
        rollout.gone(world, [DAPR_NAMESPACE], timeout=READY_SECONDS)
    if not (there := left(world)):
        Ledger(world.settings).strike(KIND, DAPR_RELEASE)
    return there


def _define(world: World, wanted: dict[str, Any]) -> None:
    """Have one definition: made where there is none, brought up to date where it is ours."""
    if not definition_problem(world, wanted):
        return
    there = world.api.get(CRD, workloads.name(wanted))
    wanted["metadata"].setdefault("labels", {}).update(installation.labels(world.settings))
    if there is None:
        world.api.create(wanted)  # refused where somebody else was quicker
    else:
        wanted["metadata"]["uid"] = there["metadata"]["uid"]  # that very one, and no other of its name
        world.api.apply(wanted)


def _by_its_cli(world: World) -> bool:
    """A first install on a laptop with the CLI, as the list has it; the CLI knows only the current context."""
    if world.cluster.provider == "embedded" or newest(world.api, DAPR_RELEASE, DAPR_NAMESPACE) is not None:
        return False
    return dapr_cli.speaks_of_our_cluster(world.commands, world.cluster)


def _init(world: World, version: str, wanted: Mapping[str, Any]) -> None:
    argv = [dapr_cli.NAME, "init", "-k", "--wait", "--timeout", f"{CLI_SECONDS:g}"]
    argv += ["--runtime-version", version, "--namespace", DAPR_NAMESPACE]
    for setting in _settings(wanted):
        argv += ["--set", setting]
    world.commands.run(argv, timeout=CLI_SECONDS + HOOKS, env=dapr_cli.environment(world.cluster))


def _settings(wanted: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Values as `--set` takes them; a dot within a key is escaped."""
    for key, value in wanted.items():
        place = f"{path}{key.replace('.', chr(92) + '.')}"
        if isinstance(value, Mapping):
            yield from _settings(value, f"{place}.")
        else:
            yield f"{place}={str(value).lower() if isinstance(value, bool) else value}"
