"""Cleanup: what the run made is removed, then proved gone; what it did not make is left, and said to be.

Ours is what carries our label in the cluster or stands in the ledger. Each "is gone" has a control: the same question
about something that must be there is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runbook.actions import dapr_ownership
from runbook.actions.cluster import lifecycle, rollout
from runbook.actions.dapr import dapr
from runbook.actions.web import hosts
from runbook.clients.kube import workloads
from runbook.clients.kube.releases import foreign_problem, revisions
from runbook.cluster import ingress
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.step import Outcome, failed, passed, unproven
from runbook.ownership import installation
from runbook.ownership.ledger import Ledger

if TYPE_CHECKING:
    from runbook.world import World

NAMESPACE_SECONDS = 180.0

SYSTEM = frozenset(
    {
        "default",
        "kube-system",
        "kube-public",
        "kube-node-lease",
        "ingress-nginx",
        "local-path-storage",
    }
)
"""Namespaces that come with a cluster or with what we install into it."""

CONTROL = "kube-system"


@dataclass(frozen=True, slots=True)
class Removed:
    """One part of the cleanup, and what came of it."""

    what: str
    outcome: Outcome


def remove_all(world: World, *, keep_cluster: bool = False) -> tuple[Removed, ...]:
    """Remove release, Dapr, namespaces, hosts entry and cluster, in this order, as far as they are ours.

    Never raises `RunbookError`: what could not be removed, or not be proved gone, is an outcome.
    """
    parts: list[tuple[str, Callable[[], Outcome]]] = []
    ours = not keep_cluster and _cluster_is_ours(world)
    status = world.cluster.status()
    if status.running:
        parts.append(("release", lambda: _release(world)))
        parts.append(("Dapr", lambda: _dapr(world)))
        parts.append(("namespaces", lambda: _namespaces(world)))
        parts.append(("ingress controller", lambda: _ingress(world)))
    elif not ours:
        parts.append(("namespaces", lambda: _unreachable(status.detail)))
    parts.append(("hosts entry", lambda: _hosts_entry(world)))
    if ours:
        parts.append(("cluster", lambda: _cluster(world)))
    return tuple(Removed(what, _attempt(remove)) for what, remove in parts)


def _attempt(remove: Callable[[], Outcome]) -> Outcome:
    try:
        return remove()
    except Unmeasurable as problem:
        return unproven(problem.observed, wanted=problem.wanted, hint=problem.hint)
    except RunbookError as problem:
        return failed(problem.observed, wanted=problem.wanted, hint=problem.hint or "inv cleanup")


def _unreachable(detail: str) -> Outcome:
    return unproven(
        f"the cluster does not run ({detail}), so what is in it can neither be removed nor be proved gone",
        wanted="a running cluster",
        hint="inv cluster.up, then inv cleanup",
    )


def _release(world: World) -> Outcome:
    """The application's release; those of the stand-ins go with their namespaces."""
    release, namespace = world.settings.release, world.settings.namespace
    wanted = f"no release {release} in namespace {namespace}"
    kept = revisions(world.api, release, namespace)
    if not kept:
        return passed(f"there is no release {release}", wanted=wanted)
    if problem := foreign_problem(world.settings, kept, namespace):
        return passed(f"there is no release {release} of ours; {problem}, and stays", wanted=wanted)
    world.api.guard(pinned=True)
    world.progress(f"uninstalling {release}")
    world.helm.uninstall(release, namespace)
    left = revisions(world.api, release, namespace)
    if left:
        return failed(f"{len(left)} revisions of {release} are left", wanted=wanted, hint="inv cleanup")
    return passed(f"release {release} is gone", wanted=wanted)


def _dapr(world: World) -> Outcome:
    """The control plane that we installed, with the definitions that Helm leaves; somebody else's stays."""
    wanted = "no control plane of ours, none of its definitions"
    if not dapr_ownership.left(world):
        return passed("there is no Dapr of ours", wanted=wanted)
    left = dapr.remove(world)
    if left:
        return failed(f"still there: {', '.join(left)}", wanted=wanted, hint="inv cleanup")
    return passed("Dapr and its definitions are gone", wanted=wanted)


def _namespaces(world: World) -> Outcome:
    """Those that carry our label. One of the same name that we did not make stays."""
    there = world.api.list("Namespace")
    if CONTROL not in {workloads.name(each) for each in there}:
        return unproven(
            f"the cluster shows no namespace {CONTROL}", wanted="a list to trust", hint="inv cluster.status"
        )
    ours = [each for each in there if installation.owns(world.settings, each)]
    names = sorted(workloads.name(each) for each in ours)
    foreign = foreign_namespaces(world)
    wanted = "none of our namespaces, and all others as they were"
    told = f"; {len(foreign)} not ours stay: {', '.join(foreign)}" if foreign else ""
    if not names:
        return passed(f"there is no namespace of ours{told}", wanted=wanted, foreign=foreign)
    world.api.guard(pinned=True)
    for each in ours:
        world.api.delete("Namespace", workloads.name(each), uid=str(each["metadata"]["uid"]))
    rollout.gone(world, names, timeout=NAMESPACE_SECONDS)
    left = rollout.still_there(world, names)
    if left or rollout.still_there(world, [CONTROL]) != [CONTROL]:
        return failed(
            f"still there: {', '.join(left) or 'unknown'}", wanted=wanted, hint="kubectl get namespaces"
        )
    return passed(
        f"{', '.join(names)} are gone, {CONTROL} still answers{told}", wanted=wanted, foreign=foreign
    )


def _ingress(world: World) -> Outcome:
    """What our controller has outside of its namespace, which goes with the others."""
    wanted = "no ingress controller of ours"
    found = ingress.ours(world.api, world.settings)
    if not found:
        return passed("there is no ingress controller of ours", wanted=wanted)
    world.api.guard(pinned=True)
    for each in found:
        metadata = each["metadata"]
        world.api.delete(each["kind"], metadata["name"], metadata.get("namespace"), uid=str(metadata["uid"]))
    left = [f"{each['kind']} {workloads.name(each)}" for each in ingress.ours(world.api, world.settings)]
    if left:
        return failed(f"still there: {', '.join(left)}", wanted=wanted, hint="inv cleanup")
    return passed("the ingress controller is gone", wanted=wanted)


def foreign_namespaces(world: World) -> list[str]:
    """Namespaces that neither we nor the cluster itself made."""
    return sorted(
        workloads.name(each)
        for each in world.api.list("Namespace")
        if workloads.name(each) not in SYSTEM and not installation.owns(world.settings, each)
    )


def _hosts_entry(world: World) -> Outcome:
    settings = world.settings
    wanted = f"no line of ours in {hosts.HOSTS}"
    if not hosts.present(settings):
        hosts.remove(settings)
        return passed(f"{hosts.HOSTS} has no line of ours", wanted=wanted)
    hosts.remove(settings)
    if hosts.present(settings):
        return failed(
            f"our line is still in {hosts.HOSTS}",
            wanted=wanted,
            hint=f"sudo sed -n '/todo-runbook/p' {hosts.HOSTS}",
        )
    return passed(f"our line was in {hosts.HOSTS} and is gone", wanted=wanted)


def _cluster_is_ours(world: World) -> bool:
    """The embedded node always is; another provider's cluster only where the ledger says that we made it."""
    if world.cluster.provider == "embedded":
        return True
    return Ledger(world.settings).holds(lifecycle.KIND, world.cluster.name)


def _cluster(world: World) -> Outcome:
    """The cluster that we made, unless somebody else uses it."""
    cluster = world.cluster
    wanted = f"no cluster {cluster.name}"
    if cluster.status().running and (foreign := foreign_namespaces(world)):
        return failed(
            f"the cluster stays: it holds namespaces that are not ours: {', '.join(foreign)}",
            wanted=wanted,
            hint="inv cluster.down  (removes them with it)",
        )
    cluster.down(world.progress)
    after = cluster.status()
    if after.running or after.parts:
        left = ", ".join(f"{part}: {state}" for part, state in after.parts.items())
        return failed(
            f"the cluster is still there ({left or after.detail})", wanted=wanted, hint="inv cluster.down"
        )
    Ledger(world.settings).strike(lifecycle.KIND, cluster.name)
    _forget(world)
    return passed(f"cluster {cluster.name} ({cluster.provider}) is gone", wanted=wanted)


FORGOTTEN = ("pinned.json", "database-ca.crt", "ledger.json")


def _forget(world: World) -> None:
    """Notes about a cluster that is no more."""
    for name in FORGOTTEN:
        (world.settings.state / name).unlink(missing_ok=True)


def exit_code(removed: Sequence[Removed]) -> int:
    """0 all gone, 1 something could not be removed, 3 something could not be proved gone."""
    if all(each.outcome.green for each in removed):
        return 0
    return 3 if all(each.outcome.status.value in {"passed", "unproven"} for each in removed) else 1
