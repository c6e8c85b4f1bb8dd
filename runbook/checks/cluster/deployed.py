"""The release on the cluster is that of this very chart, with these very images, values and Secrets."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from runbook.app import blueprint, namespaces
from runbook.app.application import COMPONENTS
from runbook.app.release_state import problems as release_problems
from runbook.app.secrets import secret_data
from runbook.clients.kube import workloads
from runbook.clients.kube.releases import newest
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

GUARDED = ("Role", "RoleBinding", "NetworkPolicy")
"""What gives rights or opens ways: of these the release's own are there and no others."""

CONTROLLER = {"kind": "ServiceAccount", "name": "ingress-controller", "namespace": "ingress-nginx"}

GUARDS = frozenset(
    {
        *(("ServiceAccount", f"{component.name}-sa") for component in COMPONENTS),
        *((kind, component.name) for kind in ("Role", "RoleBinding") for component in COMPONENTS),
        ("NetworkPolicy", "default-deny"),
    }
)
"""What the secured chart brings, at the least."""


def current(world: World) -> Outcome:
    """Namespaces, Secrets, stand-ins and release are those that the sources and settings call for.

    By identity: the release's own record names the digest of chart, values, images and Secrets; and by its manifest:
    the live objects are as it installed them.

    Source: T048.
    """
    settings = world.settings
    wanted = f"release {settings.release} deployed from this chart, these images and these Secrets"
    if problem := blueprint.environment_problem(world):
        return failed(problem, wanted=wanted, hint=f"TODO_ENV={blueprint.environment(world)} inv verify")
    problems = namespace_problems(world)
    if not problems:
        problems = secret_data.problems(world)
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint="inv deploy")
    blueprints = [*blueprint.stand_ins(world), blueprint.application(world)]
    found = {each.release: newest(world.api, each.release, each.namespace) for each in blueprints}
    problems = [
        problem for each in blueprints for problem in release_problems(world, each, found[each.release])
    ]
    evidence = {
        name: {"revision": last.revision, "status": last.status, "digest": last.digest}
        for name, last in found.items()
        if last is not None
    }
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint="inv deploy", releases=evidence)
    last = found[settings.release]
    assert last is not None
    return passed(
        f"revision {last.revision} of {settings.release} is deployed from {last.digest[:12]}",
        wanted=wanted,
        components=[component.name for component in COMPONENTS],
        releases=evidence,
    )


def _is_the_ingress_controllers(kind: str, each: Mapping[str, Any]) -> bool:
    """What lets the ingress controller that comes with us read this namespace, and nobody do anything else."""
    if workloads.name(each) != CONTROLLER["name"]:
        return False
    if kind == "RoleBinding":
        bound = [{key: subject.get(key) for key in CONTROLLER} for subject in each.get("subjects") or []]
        role = each.get("roleRef") or {}
        return bound == [CONTROLLER] and (role.get("kind"), role.get("name")) == ("Role", CONTROLLER["name"])
    rules = each.get("rules") or []
    return kind == "Role" and all(
        set(rule.get("verbs") or []) <= {"list", "watch"}
        or (rule.get("verbs") == ["update"] and rule.get("resources") == ["ingresses/status"])
        for rule in rules
    )


def secured(world: World) -> Outcome:
    """The release is current, its manifest carries accounts, bindings and policies, and live there are just these.

    What somebody removed or changed is told by `current`; what somebody added (a binding, a policy) is told here.

    Source: T071.
    """
    settings = world.settings
    wanted = (
        f"release {settings.release} current, with accounts, bindings and policies, and no others beside them"
    )
    hint = f"kubectl --namespace {settings.namespace} get serviceaccounts,roles,rolebindings,networkpolicies"
    outcome = current(world)
    last = newest(world.api, settings.release, settings.namespace)
    if not outcome.green or last is None:
        return replace(outcome, wanted=wanted)
    installed = {(str(each["kind"]), workloads.name(each)) for each in last.manifest()}
    hooked = {(str(each["kind"]), workloads.name(each)) for each in last.hooks()}
    problems = [
        f"the release holds no {kind} {name}"
        for kind, name in sorted(GUARDS)
        if (kind, name) not in installed
    ]
    with ThreadPoolExecutor(len(GUARDED)) as pool:
        live = dict(
            zip(
                GUARDED, pool.map(lambda kind: world.api.list(kind, settings.namespace), GUARDED), strict=True
            )
        )
    problems += [
        f"{kind} {workloads.name(each)} is none of the release's"
        for kind, there in live.items()
        for each in there
        if (kind, workloads.name(each)) not in installed | hooked
        and not _is_the_ingress_controllers(kind, each)
    ]
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=hint, **outcome.evidence)
    counts = ", ".join(f"{len(there)} {kind}" for kind, there in live.items())
    return passed(f"{outcome.observed}; {counts}", wanted=wanted, **outcome.evidence)


def namespace_problems(world: World) -> list[str]:
    """What the namespaces lack."""
    wanted = namespaces.wanted(world)
    problems = [
        namespaces.problem_of(world, each, world.api.get("Namespace", each["metadata"]["name"]))
        for each in wanted
    ]
    return [problem for problem in problems if problem]
