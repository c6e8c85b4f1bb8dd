"""What service accounts may do, as the API server decides it: exactly what is declared, and nothing besides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from runbook.app.application import AUTHORITY, COMPONENTS, SECRET
from runbook.clients.kube import workloads
from runbook.clients.kube.reviews import Right
from runbook.engine.errors import Unmeasurable

if TYPE_CHECKING:
    from runbook.world import World

Object = Mapping[str, Any]

PARALLEL = 16
"""Questions at a time: one costs the server a millisecond, and this side three."""

OWN = (Right("get", "", "configmaps", AUTHORITY), Right("get", "", "secrets", SECRET))
DECLARED: Mapping[str, frozenset[Right]] = {
    f"{component.name}-sa": frozenset(OWN) for component in COMPONENTS
}
"""What each account of the application may do. Any other account of the namespace may do nothing (D-05)."""

EVERYBODYS = frozenset(
    {
        ("authorization.k8s.io", "selfsubjectaccessreviews"),
        ("authorization.k8s.io", "selfsubjectrulesreviews"),
        ("authentication.k8s.io", "selfsubjectreviews"),
        ("certificates.k8s.io", "clustertrustbundles"),
    }
)
"""What Kubernetes lets every account do: ask about itself, and read the public certificates of the cluster."""

RBAC, APPS, NETWORKING = "rbac.authorization.k8s.io", "apps", "networking.k8s.io"
FORBIDDEN = (
    *(Right(verb, "", "secrets") for verb in ("get", "list", "create", "patch", "delete")),
    *(Right(verb, "", "configmaps") for verb in ("list", "update")),
    *(Right(verb, "", "pods") for verb in ("list", "create", "delete")),
    *(Right("create", "", f"pods/{way}") for way in ("exec", "portforward", "ephemeralcontainers")),
    Right("create", "", "serviceaccounts/token"),
    *(Right("impersonate", "", who) for who in ("users", "serviceaccounts")),
    *(Right(verb, RBAC, "roles") for verb in ("bind", "escalate")),
    Right("create", RBAC, "rolebindings"),
    Right("patch", APPS, "deployments"),
    *(Right(verb, NETWORKING, "networkpolicies") for verb in ("create", "delete")),
    Right("*", "*", "*"),
)
"""Rights by which one becomes more than one is, or looks into others; asked one by one, in the namespace."""

ABROAD = (
    (Right("list", "", "secrets"), "kube-system"),
    (Right("list", "", "secrets"), ""),
    (Right("list", "", "nodes"), ""),
    (Right("get", "", "nodes/proxy"), ""),
    (Right("create", "", "persistentvolumes"), ""),
    (Right("create", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"), ""),
)
"""The same, beyond the namespace; "" asks for the whole cluster."""

CONTROL = Right("list", "", "secrets")
"""What an administrator may, so that a "no" for an account is not the server's answer to everything."""


def user_of(account: str, namespace: str) -> str:
    """How the API server names a service account."""
    return f"system:serviceaccount:{namespace}:{account}"


def groups_of(namespace: str) -> list[str]:
    """The groups that every service account of the namespace is in."""
    return ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]


def problems(world: World, accounts: Iterable[str]) -> tuple[list[str], int]:
    """What the accounts may do against what is declared, and the number of questions that were asked.

    Twice: the server lists the rights of each account (nothing is overlooked), and it decides question by question
    (nothing is only listed). Raises `Unmeasurable` where not even we may what an administrator may.
    """
    names = sorted(accounts)
    namespace = world.settings.namespace
    with ThreadPoolExecutor(PARALLEL) as pool:
        control = pool.submit(world.api.reviews.allowed, CONTROL, namespace)
        listed = {
            name: pool.submit(world.api.reviews.rights, user_of(name, namespace), namespace) for name in names
        }
        bindings = [pool.submit(world.api.list, kind) for kind in ("RoleBinding", "ClusterRoleBinding")]
        questions = [(name, *question) for name in names for question in _questions(name, namespace)]
        answers = list(pool.map(lambda asked: _allowed(world, *asked[:3]), questions))
        if not control.result():
            raise Unmeasurable(
                f"we ourselves may not {CONTROL}: whose `no` is it, then?",
                wanted="the credentials of an administrator, as a control",
                hint="kubectl auth can-i list secrets",
            )
        found = [
            problem
            for name in names
            for problem in compared(name, listed[name].result(), DECLARED.get(name, frozenset()))
        ]
        found += [
            f"{name} {'may' if answer else 'may not'} {right}{_where(place, namespace)}"
            for (name, right, place, wanted), answer in zip(questions, answers, strict=True)
            if answer is not wanted
        ]
        found += _abroad([each for kind in bindings for each in kind.result()], names, namespace)
    return list(dict.fromkeys(found)), len(questions) + len(names)


def compared(account: str, granted: Iterable[Right], declared: frozenset[Right]) -> list[str]:
    """The difference of two sets of rights, in words."""
    own = {each for each in granted if (each.group, each.resource) not in EVERYBODYS}
    more = [f"{account} may {right}, which is not declared" for right in sorted(own - declared)]
    return more + [f"{account} may not {right}, which is declared" for right in sorted(declared - own)]


def _questions(account: str, namespace: str) -> list[tuple[Right, str, bool]]:
    """A right, where, and the answer that is wanted."""
    own = [(right, namespace, True) for right in sorted(DECLARED.get(account, frozenset()))]
    return [
        *own,
        *((right, namespace, False) for right in FORBIDDEN),
        *((right, place, False) for right, place in ABROAD),
    ]


def _allowed(world: World, account: str, right: Right, place: str) -> bool:
    namespace = world.settings.namespace
    return world.api.reviews.allowed(
        right, place, user=user_of(account, namespace), groups=groups_of(namespace)
    )


def _where(place: str, namespace: str) -> str:
    if place == namespace:
        return ""
    return f" in {place}" if place else " in the whole cluster"


def _abroad(bindings: Sequence[Object], accounts: Sequence[str], namespace: str) -> list[str]:
    """Bindings that give something to our accounts outside their namespace, or to all of them at once."""
    found = []
    for binding in bindings:
        home = binding["metadata"].get("namespace")
        for subject in binding.get("subjects") or []:
            ours = (
                subject.get("kind") == "ServiceAccount"
                and subject.get("namespace") == namespace
                and subject.get("name") in accounts
            )
            together = subject.get("name") == f"system:serviceaccounts:{namespace}"
            if (ours and home != namespace) or together:
                kind = "RoleBinding" if home else "ClusterRoleBinding"
                found.append(f"{kind} {workloads.name(binding)} binds {subject['name']}")
    return found
