"""The network: policies that are in force, and connections that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.app.application import DATABASE_NAMESPACE, MODEL_NAMESPACE
from runbook.clients.kube import workloads
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Outcome, failed, passed, unproven
from runbook.netpol import truth
from runbook.netpol.coverage import Coverage, examine
from runbook.netpol.matrix import Matrix
from runbook.netpol.traffic import canary
from runbook.netpol.traffic.scene import Lists, listed, role_of
from runbook.netpol.traffic.survey import surveying
from runbook.netpol.traffic.visitors import LABEL

if TYPE_CHECKING:
    from runbook.world import World

NAMED = 4
"""Cells that a verdict names; the matrix shows all."""


def policies_in_force(world: World) -> Outcome:
    """Every pod is isolated in both directions, no policy or peer means nobody, and the cluster does what they say.

    Source: T077.
    """
    namespace = world.settings.namespace
    wanted = (
        "default-deny, each pod isolated in both directions, each policy and peer meaning a pod; enforced"
    )
    found = faults(world)
    counts = {"pods": found.pods, "policies": found.policies, "peers": found.peers}
    if not found.pods:
        raise Unmeasurable(f"namespace {namespace} has no running pod", wanted=wanted, hint="inv deploy")
    if found.problems:
        return failed(
            workloads.describe(found.problems),
            wanted=wanted,
            hint=f"kubectl -n {namespace} describe networkpolicies",
            problems=list(found.problems),
            **counts,
        )
    proof = canary.enforced(world)
    told = f"{found.policies} policies isolate {found.pods} pods in both directions; {proof}"
    return passed(told, wanted=wanted, deny=proof.deny, reopen=proof.reopen, **counts)


def faults(world: World) -> Coverage:
    """What is wrong with the policies of the application's and its stand-ins' namespaces by themselves."""
    namespace = world.settings.namespace
    lists = listed(world)
    everyone = [lists.end(pod) for pod in lists.pods if not pod["spec"].get("hostNetwork")]
    dns = [lists.end(pod) for pod in lists.pods if role_of(pod, namespace) == truth.DNS]
    found = [
        examine(
            lists.policies,
            each,
            [
                lists.end(pod)
                for pod in lists.pods
                if pod["metadata"]["namespace"] == each and LABEL not in (pod["metadata"].get("labels") or {})
            ],
            everyone,
            dns,
        )
        for each in _namespaces(lists, namespace)
    ]
    return Coverage(
        sum(each.pods for each in found),
        sum(each.policies for each in found),
        sum(each.peers for each in found),
        tuple(problem for each in found for problem in each.problems),
    )


def _namespaces(lists: Lists, namespace: str) -> list[str]:
    return [each for each in (namespace, DATABASE_NAMESPACE, MODEL_NAMESPACE) if each in lists.namespaces]


def isolates(world: World) -> Outcome:
    """Every connection that is tried is open or blocked as the table by hand and the policies alike want it.

    Source: T078.
    """
    canary.enforced(world)
    with surveying(world) as survey:
        return verdict_of(survey.measure())


def verdict_of(matrix: Matrix) -> Outcome:
    """The matrix as an outcome: any difference between table, policies and connections fails."""
    wanted = "the table by hand, the policies and real connections agree in every cell"
    hint = "inv verify.network"
    judged = [way for way in matrix.ways if way.mark is not truth.Mark.UNJUDGED]
    evidence = {"matrix": matrix.evidence()}
    if not judged:
        raise Unmeasurable("no connection could be tried", wanted=wanted, hint="inv deploy")
    if matrix.failed:
        cells = list(dict.fromkeys(str(way) for way in matrix.failed))
        return failed(_some(cells), wanted=wanted, hint=hint, **evidence)
    if matrix.unproven:
        cells = list(dict.fromkeys(str(way) for way in matrix.unproven))
        return unproven(_some(cells), wanted=wanted, hint=hint, **evidence)
    if matrix.missing:
        return unproven(
            f"{len(judged)} ways are as they should be, but {matrix.missing}",
            wanted=wanted,
            hint=hint,
            **evidence,
        )
    open_ = sum(way.mark is truth.Mark.OPEN for way in judged)
    reported = sum(way.mark is truth.Mark.REPORTED for way in judged)
    return passed(
        f"{len(judged)} ways tried twice in {matrix.seconds:.1f} s: {open_} open, "
        f"{len(judged) - open_ - reported} blocked, {reported} of the own node told only",
        wanted=wanted,
        **evidence,
    )


def _some(cells: list[str]) -> str:
    more = f"; and {len(cells) - NAMED} more" if len(cells) > NAMED else ""
    return "; ".join(cells[:NAMED]) + more
