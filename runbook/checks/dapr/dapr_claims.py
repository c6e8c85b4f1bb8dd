"""Claims about Dapr in the chart: which pods ask for a sidecar, who may call whom, and what the state store is."""

from __future__ import annotations

from collections.abc import Mapping

from runbook.app.application import COMPONENTS, Component
from runbook.checks.chart.claims import Claim, Object, Scene, Seen, figures, look
from runbook.checks.chart.quantities import quantity

CONFIGURATION = "Configuration.dapr.io"
STORE = "Component.dapr.io"
TRUST_DOMAIN = "public"
ALLOW, DENY = "allow", "deny"

SIDECAR = {
    "dapr.io/enabled": "true",
    "dapr.io/app-protocol": "http",
    "dapr.io/disable-builtin-k8s-secret-store": "true",
    "dapr.io/sidecar-seccomp-profile-type": "RuntimeDefault",
}
"""What every sidecar of ours is asked for with."""


def access_control(callers: Mapping[Component, Component | None]) -> Claim:
    """For each component: the Configuration that its pods name denies by default and lets this caller in, or nobody.

    Dapr asks the Configuration of the called application. Source: T081, D-03.
    """

    def examine(scene: Scene) -> Seen:
        problems, told = [], []
        for called, caller in callers.items():
            name = _annotations(scene, called).get("dapr.io/config", "")
            if not name:
                problems.append(f"the pods of {called.name} name no Configuration")
                continue
            control = scene.the(CONFIGURATION, name)["spec"].get("accessControl") or {}
            problems += [f"{name}: {each}" for each in _control(control, caller, scene.namespace)]
            told.append(f"{called.name} by {caller.name if caller else 'nobody'}")
        return Seen(f"may be called: {', '.join(told)}", problems)

    wanted = ", ".join(
        f"{called.name} by {caller.name if caller else 'nobody'}" for called, caller in callers.items()
    )
    return Claim(
        f"access denied by default; may be called: {wanted}",
        "kubectl --namespace {namespace} get configurations.dapr.io --output yaml",
        examine,
    )


def state_store(name: str, *, service: str, port: int, secret: str, key: str, user: Component) -> Claim:
    """A Redis component at that Service, its password from that Secret, for that component alone.

    Source: T082, D-07.
    """

    def examine(scene: Scene) -> Seen:
        found = scene.the(STORE, name)
        spec = found["spec"]
        given = {str(each["name"]): each for each in spec.get("metadata") or []}
        problems = []
        if (kind := spec.get("type")) != "state.redis":
            problems.append(f"its type is {kind}, not state.redis")
        host = str(given.get("redisHost", {}).get("value", ""))
        if (host.partition(".")[0], host.rpartition(":")[2]) != (service, str(port)):
            problems.append(f"its host is {host or 'not set'}, not {service} on port {port}")
        password = given.get("redisPassword", {})
        reference = password.get("secretKeyRef") or {}
        if "value" in password:
            problems.append("its password is in plain text")
        if (reference.get("name"), reference.get("key")) != (secret, key):
            problems.append(f"its password is not key {key} of Secret {secret}")
        if (scopes := list(found.get("scopes") or [])) != [user.app_id]:
            problems.append(f"it is for {', '.join(scopes) or 'every application'}, not {user.app_id} alone")
        return Seen(f"{kind} at {host}, password from Secret {secret}, for {', '.join(scopes)}", problems)

    return Claim(
        f"Component {name}: state.redis at {service}:{port}, password from Secret {secret}, for {user.app_id} alone",
        look("components.dapr.io", name),
        examine,
    )


def sidecar(component: Component) -> Claim:
    """The component's pods, and those of the others that it talks to, ask for a sidecar under their own name.

    On the pod's template: on the Deployment the injector does not see it. Source: T083, D-01.
    """

    def examine(scene: Scene) -> Seen:
        problems = []
        for each in COMPONENTS:
            found = _annotations(scene, each)
            wanted = SIDECAR | {"dapr.io/app-id": each.app_id, "dapr.io/app-port": str(each.port)}
            problems += [
                f"{each.name}: {key} is {found.get(key, 'not set')}, not {value}"
                for key, value in wanted.items()
                if found.get(key) != value
            ]
            outside = scene.the("Deployment", each.name)["metadata"].get("annotations") or {}
            if any(key.startswith("dapr.io/") for key in outside):
                problems.append(
                    f"{each.name}: Dapr's annotations are on the Deployment, where nothing reads them"
                )
        others = ", ".join(each.app_id for each in COMPONENTS if each is not component)
        return Seen(f"{component.app_id} on port {component.port}; sidecars too: {others}", problems)

    return Claim(
        f"pods of {component.name} ask for a sidecar as {component.app_id} on port {component.port}, so do the others",
        look("deployment", component.name),
        examine,
    )


def sidecar_resources(
    component: Component, *, requests: Mapping[str, str], limits: Mapping[str, str]
) -> Claim:
    """The sidecar of the component, and those of the others, ask for this and are held to that.

    Source: T084.
    """
    wanted = {
        f"dapr.io/sidecar-{resource}-{kind}": figure
        for kind, figures_ in (("request", requests), ("limit", limits))
        for resource, figure in figures_.items()
    }

    def examine(scene: Scene) -> Seen:
        problems = [
            f"{each.name}: {key} is {found.get(key, 'not set')}, not {figure}"
            for each in COMPONENTS
            for found in [_annotations(scene, each)]
            for key, figure in wanted.items()
            if not _equal(found.get(key), figure)
        ]
        return Seen(f"{figures(requests)} requested, {figures(limits)} at most, for each sidecar", problems)

    return Claim(
        f"sidecars request {figures(requests)}, limited to {figures(limits)}",
        look("deployment", component.name),
        examine,
    )


def _annotations(scene: Scene, component: Component) -> Mapping[str, str]:
    """Of the pod template."""
    template = scene.the("Deployment", component.name)["spec"]["template"]
    return template["metadata"].get("annotations") or {}


def _control(control: Object, caller: Component | None, namespace: str) -> list[str]:
    """What is wrong with one access control."""
    problems = []
    if control.get("defaultAction") != DENY:
        problems.append(f"the default is {control.get('defaultAction', 'not set')}, not {DENY}")
    if control.get("trustDomain") != TRUST_DOMAIN:
        problems.append(f"the trust domain is {control.get('trustDomain', 'not set')}, not {TRUST_DOMAIN}")
    let_in = {f"{each.get('namespace')}/{each.get('appId')}": each for each in control.get("policies") or []}
    wanted = f"{namespace}/{caller.app_id}" if caller else ""
    problems += [f"it lets {each} in" for each in let_in if each != wanted]
    if wanted and wanted not in let_in:
        problems.append(f"it does not let {wanted} in")
    for name, policy in let_in.items():
        operations = policy.get("operations") or []
        allowed = [str(each.get("name")) for each in operations if each.get("action") == ALLOW]
        if policy.get("trustDomain") != TRUST_DOMAIN:
            problems.append(f"{name} is of trust domain {policy.get('trustDomain', 'not set')}")
        if policy.get("defaultAction") != DENY:
            problems.append(f"{name} may call everything that is not named")
        if not allowed:
            problems.append(f"{name} may call nothing")
        problems += [f"{name} may call {each}" for each in allowed if each.strip("/") in {"", "*", "**"}]
    return problems


def _equal(found: str | None, wanted: str) -> bool:
    try:
        return found is not None and quantity(found) == quantity(wanted)
    except ValueError:
        return False
