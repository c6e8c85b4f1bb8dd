"""Whose the Dapr on a cluster is: ours by the id on what we made; any other, by any installer, is found and left alone.

A Dapr is one for the whole cluster: its definitions and its webhook have no namespace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runbook.app.application import DAPR_NAMESPACE, DAPR_RELEASE
from runbook.clients.kube import workloads
from runbook.clients.kube.releases import Revision, are_ours, foreign_problem, revisions
from runbook.engine.errors import Foreign
from runbook.ownership import installation
from runbook.ownership.installation import namespace_problem
from runbook.ownership.ledger import Ledger

if TYPE_CHECKING:
    from runbook.world import World

CRD = "CustomResourceDefinition"
KIND = "release"
"""In the ledger: we are about to install the control plane. Its CLI puts no label of ours on the record."""
GROUP = ".dapr.io"
WEBHOOK = "MutatingWebhookConfiguration"
CONTROLLERS = (
    "app in (dapr-operator,dapr-sentry,dapr-sidecar-injector,dapr-placement-server,dapr-scheduler-server)"
)
"""The workloads of any Dapr, whoever installed it, in whichever namespace."""
SHOWN = 3
"""Foreign things that a refusal names."""


def left(world: World) -> list[str]:
    """What of ours is there of the control plane, in words."""
    found = [f"definition {workloads.name(each)}" for each in our_definitions(world)]
    if has_release(world):
        found.append(f"release {DAPR_RELEASE}")
    if installation.owns(world.settings, world.api.get("Namespace", DAPR_NAMESPACE)):
        found.append(f"namespace {DAPR_NAMESPACE}")
    return found


def foreign(world: World) -> list[str]:
    """What of somebody else's Dapr is on the cluster, in words: whatever installed it, in whichever namespace.

    A Dapr is one for the whole cluster: its definitions and its webhook have no namespace.
    """
    found = [
        f"definition {workloads.name(each)} {installation.whose(each)}"
        for each in world.api.list(CRD)
        if workloads.name(each).endswith(GROUP) and not installation.owns(world.settings, each)
    ]
    found.append(namespace_problem(world.settings, world.api.get("Namespace", DAPR_NAMESPACE)))
    if not has_release(world):
        kept = revisions(world.api, DAPR_RELEASE, DAPR_NAMESPACE)
        found.append(foreign_problem(world.settings, kept, DAPR_NAMESPACE))
    for kind, labels in ((WEBHOOK, ""), ("Deployment", CONTROLLERS), ("StatefulSet", CONTROLLERS)):
        for each in world.api.list(kind, labels=labels):
            if (labels or _injects(each)) and not _of_our_release(world, each):
                where = each["metadata"].get("namespace")
                found.append(
                    f"{kind} {workloads.name(each)}{f' in namespace {where}' if where else ''} is not of our Dapr"
                )
    return [problem for problem in found if problem]


def refuse_foreign(world: World) -> None:
    """Raise `Foreign` where somebody else's Dapr is on the cluster."""
    if found := foreign(world):
        more = f", and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise Foreign(
            f"a Dapr of somebody else is on this cluster: {'; '.join(found[:SHOWN])}{more}; it was left as it is",
            wanted="a cluster without Dapr, or with one of ours",
            hint="another cluster: TODO_CLUSTER_NAME=<another name> inv dapr",
        )


def refuse_used(world: World) -> None:
    """Raise `Foreign` where somebody else has objects of our definitions: these would go with them."""
    ours = {
        workloads.name(each)
        for each in world.api.list("Namespace")
        if installation.owns(world.settings, each)
    }
    used = sorted(
        f"{each.get('kind') or definition['spec']['names']['kind']} {workloads.name(each)} in namespace"
        f" {each['metadata'].get('namespace')}"
        for definition in our_definitions(world)
        for each in world.api.instances(definition)
        if each["metadata"].get("namespace") not in ours
    )
    if used:
        raise Foreign(
            f"our Dapr is used by somebody else: {', '.join(used[:SHOWN])}; nothing of it was removed",
            wanted="objects of Dapr in our own namespaces only",
            hint=f"{world.cluster.kubeconfig().kubectl} get components.dapr.io --all-namespaces  (ask whose they are)",
        )


def our_definitions(world: World) -> list[dict[str, Any]]:
    return [
        each
        for each in world.api.list(CRD)
        if workloads.name(each).endswith(GROUP) and installation.owns(world.settings, each)
    ]


def _injects(webhook: Mapping[str, Any]) -> bool:
    """Whether a webhook is the injector of a Dapr."""
    return any(str(each.get("name", "")).endswith(GROUP) for each in webhook.get("webhooks") or [])


def _of_our_release(world: World, thing: Mapping[str, Any]) -> bool:
    """Whether Helm made an object for our release; it refuses to take over those of others."""
    notes = thing["metadata"].get("annotations") or {}
    made_for = (notes.get("meta.helm.sh/release-name"), notes.get("meta.helm.sh/release-namespace"))
    return made_for == (DAPR_RELEASE, DAPR_NAMESPACE) and has_release(world)


def has_release(world: World) -> bool:
    """Whether the control plane is ours: its record says so; or it is the one that its CLI was to install for us."""
    kept = revisions(world.api, DAPR_RELEASE, DAPR_NAMESPACE)
    return are_ours(world.settings, kept) or made_by_cli_for_us(world, kept)


def made_by_cli_for_us(world: World, kept: Sequence[Revision]) -> bool:
    """A record without any id, in our own namespace, that the ledger says we were about to make."""
    return (
        bool(kept)
        and not any(each.installation for each in kept)
        and Ledger(world.settings).holds(KIND, DAPR_RELEASE)
        and installation.owns(world.settings, world.api.get("Namespace", DAPR_NAMESPACE))
    )
