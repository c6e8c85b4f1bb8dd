"""The service accounts: there, in use, without a token, and with no more rights than are declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runbook.app.application import COMPONENTS
from runbook.checks.security import access, processes
from runbook.checks.security.inside import Process
from runbook.clients.kube import workloads
from runbook.engine.step import Outcome

if TYPE_CHECKING:
    from runbook.world import World

Object = Mapping[str, Any]

DEFAULT = "default"
SENTRY = "spiffe://"
"""How the audience of the one token begins that is no token for the Kubernetes API: the Dapr sidecar's identity."""


def own_and_least(world: World) -> Outcome:
    """Each component runs under its own account, no process has a token, and the rights granted are those declared.

    Every account of the namespace is asked about, `default` and the jobs' ones too.

    Source: T076, D-05.
    """
    namespace = world.settings.namespace
    containers = processes.of_namespace(world)
    accounts = {workloads.name(each): each for each in world.api.list("ServiceAccount", namespace)}
    seen = processes.look(world, containers)
    pods = list({str(each.pod["metadata"].get("uid")): each.pod for each in containers}.values())
    problems = [*_missing(accounts), *_misused(pods), *_tokens(pods, accounts)]
    problems += [
        f"{title}: there is a token for the Kubernetes API in its file system"
        for title, each in seen.items()
        if isinstance(each, Process) and each.token
    ]
    rights, asked = access.problems(world, accounts)
    return processes.judge(
        containers,
        seen,
        [*problems, *rights],
        observed=f"{len(accounts)} accounts with exactly the rights declared ({asked} questions), no token in a pod",
        wanted=f"{', '.join(access.DECLARED)} in use, no token mounted, no right but those declared",
        hint=f"kubectl --namespace {namespace} get serviceaccounts,roles,rolebindings",
    )


def _missing(accounts: Mapping[str, Object]) -> list[str]:
    return [f"there is no service account {name}" for name in access.DECLARED if name not in accounts]


def _misused(pods: Sequence[Object]) -> list[str]:
    """Pods that run under another account than their own, and accounts that nothing runs under."""
    found = []
    running: set[str] = set()
    own = {component.name: f"{component.name}-sa" for component in COMPONENTS}
    for pod in pods:
        account = str(pod["spec"].get("serviceAccountName") or DEFAULT)
        wanted = own.get(workloads.component(pod))
        running.add(account)
        if account == DEFAULT:
            found.append(f"pod {workloads.name(pod)} runs under the account {DEFAULT}")
        elif wanted and account != wanted:
            found.append(f"pod {workloads.name(pod)} runs under {account}, not {wanted}")
    return found + [f"nothing runs under {name}" for name in access.DECLARED if name not in running]


def _tokens(pods: Sequence[Object], accounts: Mapping[str, Object]) -> list[str]:
    """Tokens that the manifests ask for, or do not forbid."""
    found = [
        f"service account {name} does not forbid its token (automountServiceAccountToken)"
        for name in access.DECLARED
        if name in accounts and accounts[name].get("automountServiceAccountToken") is not False
    ]
    for pod in pods:
        if pod["spec"].get("automountServiceAccountToken") is not False:
            found.append(f"pod {workloads.name(pod)} gets a token (automountServiceAccountToken)")
        for volume in pod["spec"].get("volumes") or []:
            for source in (volume.get("projected") or {}).get("sources") or []:
                audience = str((source.get("serviceAccountToken") or {}).get("audience", ""))
                if "serviceAccountToken" in source and not audience.startswith(SENTRY):
                    found.append(f"pod {workloads.name(pod)} mounts a token by volume {volume['name']}")
    return found
