"""Cleanup: what the run made is removed, then proved gone; what it did not make is left, and said to be.

Ours is what carries the id of this installation, and what the ledger in its state folder says that we made. Each "is
gone" has a control: the same question about something that must be there is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runbook.actions.cluster import foreign, rollout
from runbook.actions.dapr import dapr
from runbook.actions.web import hosts
from runbook.app.dapr import ownership as dapr_ownership
from runbook.clients.kube import workloads
from runbook.clients.kube.releases import foreign_problem, revisions
from runbook.cluster import ingress
from runbook.engine.errors import Foreign, RunbookError, Unmeasurable
from runbook.engine.step import Outcome, failed, passed, unproven
from runbook.ownership import installation

if TYPE_CHECKING:
    from runbook.world import World

NAMESPACE_SECONDS = 180.0

SHOWN = 5
"""Things of somebody else that a refusal names."""
EXISTING = "existing"
"""The provider of clusters that are never ours."""
CONTROL = "kube-system"


@dataclass(frozen=True, slots=True)
class Removed:
    """One part of the cleanup, and what came of it."""

    what: str
    outcome: Outcome


def remove_all(world: World, *, keep_cluster: bool = False, unseen: bool = False) -> tuple[Removed, ...]:
    """Remove release, Dapr, namespaces, hosts entry and cluster, in this order, as far as they are ours.

    `unseen`: also a cluster of ours that cannot be looked at. Never raises `RunbookError`: what could not be removed,
    or not be proved gone, is an outcome.
    """
    parts: list[tuple[str, Callable[[], Outcome]]] = []
    there, running, ours, detail = _cluster(world)
    ours = ours and not keep_cluster
    if running:
        parts.append(("release", lambda: _release(world)))
        parts.append(("Dapr", lambda: _dapr(world)))
        parts.append(("namespaces", lambda: _namespaces(world)))
        parts.append(("ingress controller", lambda: _ingress(world)))
    elif not ours and there:
        parts.append(("namespaces", lambda: _unreachable(detail)))
    parts.append(("hosts entry", lambda: _hosts_entry(world)))
    if ours or not there:
        parts.append(("cluster", lambda: _remove_cluster(world, unseen=unseen)))
    return tuple(Removed(what, _named(world, _attempt(remove))) for what, remove in parts)


def _named(world: World, outcome: Outcome) -> Outcome:
    return replace(outcome, hint=world.pasteable(outcome.hint))


def _cluster(world: World) -> tuple[bool, bool, bool, str]:
    """Whether there is one, whether it runs, whether it is ours, and a word on it; there, where nobody can tell."""
    try:
        status = world.cluster.status()
        there = status.running or bool(status.parts) or world.cluster.provider == EXISTING
        return there, status.running, there and world.cluster.is_ours(), status.detail
    except RunbookError as problem:
        return True, False, False, problem.observed


def cluster_refusal(world: World, *, unseen: bool = False) -> RunbookError | None:
    """Why the cluster may not be removed; None where there is none, or nothing of anybody else is in it.

    What cannot be looked at counts as somebody else's, unless `unseen` says that it may go.
    """
    there, running, ours, detail = _cluster(world)
    if not there:
        return None
    name = f"cluster {world.cluster.name} ({world.cluster.provider})"
    if not ours:
        return Foreign(
            f"{name} stays: it was not made by this installation ({detail})",
            wanted="a cluster that this installation made",
            hint="inv cleanup  (takes out what is ours)",
        )
    if not running:
        if unseen:
            return None
        return Unmeasurable(
            f"{name} stays: it does not run ({detail}), so nobody can see whether it holds something that is not ours",
            wanted="a cluster that can be looked at",
            hint="inv cluster.up; or --unseen, which removes it with all that is in it",
        )
    try:
        world.api.guard(pinned=True)
        found = foreign.contents(world)
    except RunbookError as problem:
        return problem
    if not found:
        return None
    more = f", and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return Foreign(
        f"{name} stays: it holds what is not ours: {', '.join(found[:SHOWN])}{more}",
        wanted="a cluster that holds nothing of anybody else",
        hint="whoever owns it moves it away, then again",
    )


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
    others = foreign.namespaces(world)
    shared = {workloads.name(each): foreign.in_namespace(world, workloads.name(each)) for each in ours}
    wanted = "none of our namespaces, and all others as they were"
    told = f"; {len(others)} not ours stay: {', '.join(others)}" if others else ""
    if not ours:
        return passed(f"there is no namespace of ours{told}", wanted=wanted, foreign=others)
    world.api.guard(pinned=True)
    names = sorted(name for name, used in shared.items() if not used)
    for each in ours:
        if workloads.name(each) in names:
            world.api.delete("Namespace", workloads.name(each), uid=str(each["metadata"]["uid"]))
    rollout.gone(world, names, timeout=NAMESPACE_SECONDS)
    left = rollout.still_there(world, names)
    if left or rollout.still_there(world, [CONTROL]) != [CONTROL]:
        return failed(
            f"still there: {', '.join(left) or 'unknown'}", wanted=wanted, hint="kubectl get namespaces"
        )
    if used := [f"{name} ({', '.join(things)})" for name, things in sorted(shared.items()) if things]:
        return failed(
            f"somebody else has put something into {'; '.join(used)}: left as it is{told}",
            wanted=wanted,
            hint="whoever owns it moves it away, then inv cleanup",
        )
    return passed(
        f"{', '.join(names)} are gone, {CONTROL} still answers{told}", wanted=wanted, foreign=others
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


def _remove_cluster(world: World, *, unseen: bool) -> Outcome:
    """The cluster that we made, unless somebody else uses it."""
    cluster = world.cluster
    wanted = f"no cluster {cluster.name}"
    if refusal := cluster_refusal(world, unseen=unseen):
        raise refusal
    cluster.down(world.progress)
    after = cluster.status()
    if after.running or after.parts:
        left = ", ".join(f"{part}: {state}" for part, state in after.parts.items())
        return failed(
            f"the cluster is still there ({left or after.detail})", wanted=wanted, hint="inv cluster.down"
        )
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
