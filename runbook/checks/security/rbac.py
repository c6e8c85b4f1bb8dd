"""Claims about who the application's pods are to the API server: accounts, roles, bindings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runbook.app.application import AUTHORITY, SECRET, Component
from runbook.checks.chart.claims import Claim, Object, Scene, Seen, look, pod_spec


@dataclass(frozen=True, order=True, slots=True)
class Permission:
    """One thing that a role allows: a verb on a kind of resource, or on one object of it by `name`."""

    verb: str
    resource: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{f' {self.name}' if self.name else ''}"


LEAST = (Permission("get", "configmaps", AUTHORITY), Permission("get", "secrets", SECRET))
"""What the list asks the roles to read, at its least: by name, so that nothing can be listed or watched."""


def service_account(component: Component) -> Claim:
    """The component's account exists and gives its token to no pod by itself.

    Source: T055, T058, T061.
    """

    def examine(scene: Scene) -> Seen:
        account = scene.the("ServiceAccount", component.account)
        problems = []
        if account.get("automountServiceAccountToken") is not False:
            problems.append(
                f"automountServiceAccountToken is {account.get('automountServiceAccountToken', 'not set')}, not false"
            )
        if kept := [str(each.get("name")) for each in account.get("secrets") or []]:
            problems.append(f"it keeps a lasting token in Secret {', '.join(kept)}")
        return Seen(f"{component.account}, its token mounted nowhere by itself", problems)

    return Claim(
        f"ServiceAccount {component.account} with automountServiceAccountToken: false",
        look("serviceaccount", component.account),
        examine,
    )


def role(component: Component, allowed: Sequence[Permission] = LEAST) -> Claim:
    """The component's role allows exactly these things.

    Source: T056, T059, T062, D-05.
    """
    wanted = set(allowed)

    def examine(scene: Scene) -> Seen:
        rules = scene.the("Role", component.name).get("rules") or []
        found = {permission for rule in rules for permission in _permissions(rule)}
        problems = [f"it allows {each}" for each in sorted(found - wanted)]
        problems += [f"it does not allow {each}" for each in sorted(wanted - found)]
        return Seen("it allows " + (", ".join(map(str, sorted(found))) or "nothing"), problems)

    return Claim(
        f"Role {component.name} allows exactly: {', '.join(map(str, allowed))}",
        look("role", component.name),
        examine,
    )


def binding(component: Component) -> Claim:
    """The component's role is bound to the component's account and to nobody else.

    Source: T057, T060, T063.
    """

    def examine(scene: Scene) -> Seen:
        found = scene.the("RoleBinding", component.name)
        reference, subjects = found.get("roleRef") or {}, found.get("subjects") or []
        problems = []
        if (reference.get("kind"), reference.get("name")) != ("Role", component.name):
            problems.append(
                f"it binds {reference.get('kind')} {reference.get('name')}, not Role {component.name}"
            )
        wanted = f"ServiceAccount {scene.namespace}/{component.account}"
        bound = [_subject(each, found) for each in subjects]
        problems += [f"it is bound to {each}" for each in bound if each != wanted]
        if wanted not in bound:
            problems.append(f"it is not bound to {wanted}")
        return Seen(f"Role {component.name} for {', '.join(bound) or 'nobody'}", problems)

    return Claim(
        f"RoleBinding {component.name}: Role {component.name} for ServiceAccount {component.account} alone",
        look("rolebinding", component.name),
        examine,
    )


def runs_under(component: Component) -> Claim:
    """The component's pods run under its account and carry no token for the API server.

    Dapr's identity token does not count: it is made out to Dapr's certificate authority, and the API server refuses it.

    Source: T064, T065, T066.
    """

    def examine(scene: Scene) -> Seen:
        pod = pod_spec(scene, component)
        problems = []
        if (found := pod.get("serviceAccountName")) != component.account:
            problems.append(f"its pods run under {found or 'default'}, not {component.account}")
        if pod.get("automountServiceAccountToken") is not False:
            problems.append("its pods get a token of the API server (automountServiceAccountToken)")
        problems += [f"volume {each} is a token of the API server" for each in _tokens(pod)]
        return Seen(f"Deployment {component.name} runs under {found}, without a token", problems)

    return Claim(
        f"Deployment {component.name} runs under {component.account}, without a token",
        look("deployment", component.name),
        examine,
    )


def _permissions(rule: Object) -> Iterator[Permission]:
    """Each single thing that a rule allows; a group other than the core's is part of the resource's name."""
    verbs = rule.get("verbs") or []
    for group in rule.get("apiGroups") or []:
        for resource in rule.get("resources") or []:
            full = f"{resource}.{group}" if group else str(resource)
            for name in rule.get("resourceNames") or [""]:
                yield from (Permission(str(verb), full, str(name)) for verb in verbs)
    for url in rule.get("nonResourceURLs") or []:
        yield from (Permission(str(verb), str(url)) for verb in verbs)


def _subject(subject: Object, binding: Object) -> str:
    if subject.get("kind") != "ServiceAccount":
        return f"{subject.get('kind')} {subject.get('name')}"
    namespace = subject.get("namespace") or binding["metadata"].get("namespace", "")
    return f"ServiceAccount {namespace}/{subject.get('name')}"


def _tokens(pod: Object) -> Iterator[str]:
    """Volumes that hold a token for anyone but Dapr's certificate authority; without an audience it is the API's."""
    for volume in pod.get("volumes") or []:
        for source in (volume.get("projected") or {}).get("sources") or []:
            token = source.get("serviceAccountToken")
            if token is not None and not str(token.get("audience", "")).startswith("spiffe://"):
                yield str(volume["name"])
