"""Claims about the pod templates of the application: security, resources, probes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runbook.app.application import Component
from runbook.checks.chart.claims import (
    Claim,
    Object,
    Scene,
    Seen,
    container_of,
    figures,
    look,
    pod_spec,
    port_of,
)
from runbook.checks.chart.quantities import quantity

USER = 1000
"""User and group of all containers of the application (T025, D-42)."""


def restricted(component: Component, writable: Sequence[str] = ("/tmp",)) -> Claim:  # noqa: S108
    """Numeric user 1000, read-only root, no capability, no escalation, seccomp; emptyDirs at `writable`.

    Source: T025, T030, T038.
    """

    def examine(scene: Scene) -> Seen:
        pod = pod_spec(scene, component)
        problems = [f"{field} is set" for field in ("hostNetwork", "hostPID", "hostIPC") if pod.get(field)]
        if pod.get("automountServiceAccountToken") is not False:
            problems.append("the pod gets an API token (automountServiceAccountToken)")
        problems += [
            f"volume {volume['name']} is a hostPath"
            for volume in pod.get("volumes") or []
            if "hostPath" in volume
        ]
        containers = [*(pod.get("initContainers") or []), *pod["containers"]]
        for container in containers:
            problems += [f"container {container['name']}: {problem}" for problem in _insecure(pod, container)]
        missing = set(writable) - _writable(pod, container_of(pod, component))
        problems += [f"no emptyDir is mounted at {path}" for path in sorted(missing)]
        return Seen(
            f"{len(containers)} container of Deployment {component.name} runs as {USER}:{USER}, root read-only",
            problems,
        )

    return Claim(
        f"Deployment {component.name}: user {USER}, read-only root, no privilege to gain",
        look("deployment", component.name),
        examine,
    )


def resources(component: Component, *, requests: Mapping[str, str], limits: Mapping[str, str]) -> Claim:
    """Requests and limits of the component's container are exactly these quantities; every container has some.

    Source: T026, T031, T039.
    """

    def examine(scene: Scene) -> Seen:
        pod = pod_spec(scene, component)
        asked = container_of(pod, component).get("resources") or {}
        problems = [
            f"{kind} {name} is {(asked.get(kind) or {}).get(name, 'not set')}, not {figure}"
            for kind, wanted in (("requests", requests), ("limits", limits))
            for name, figure in wanted.items()
            if not _equal((asked.get(kind) or {}).get(name), figure)
        ]
        problems += [
            f"container {other['name']} has no {kind} for {name}"
            for other in [*(pod.get("initContainers") or []), *pod["containers"]]
            for kind in ("requests", "limits")
            for name in ("cpu", "memory")
            if other["name"] != component.name
            and name not in ((other.get("resources") or {}).get(kind) or {})
        ]
        return Seen(
            f"{figures(asked.get('requests'))} requested, {figures(asked.get('limits'))} at most", problems
        )

    return Claim(
        f"container {component.name} requests {figures(requests)}, limited to {figures(limits)}",
        look("deployment", component.name),
        examine,
    )


def probes(component: Component, *, liveness: str, readiness: str) -> Claim:
    """Both probes ask these paths by HTTP on the component's port, declared under the name that they use.

    Source: T027, T032, T040.
    """

    def examine(scene: Scene) -> Seen:
        container = container_of(pod_spec(scene, component), component)
        problems: list[str] = []
        told: list[str] = []
        for kind, path in (("liveness", liveness), ("readiness", readiness)):
            get = (container.get(f"{kind}Probe") or {}).get("httpGet")
            if get is None:
                problems.append(f"there is no {kind} probe by HTTP")
                continue
            port = port_of(container, get.get("port"))
            told.append(f"{kind} GET :{port}{get.get('path', '/')}")
            if get.get("path", "/") != path:
                problems.append(f"the {kind} probe asks {get.get('path', '/')}, not {path}")
            if port != component.port:
                problems.append(f"the {kind} probe asks port {get.get('port')}, not {component.port}")
            if get.get("host"):
                problems.append(f"the {kind} probe asks another host: {get['host']}")
        return Seen(", ".join(told), problems)

    return Claim(
        f"container {component.name}: liveness {liveness}, readiness {readiness}, port {component.port}",
        look("deployment", component.name),
        examine,
    )


def _insecure(pod: Object, container: Object) -> list[str]:
    """What of a container's effective security context is not as strict as wanted."""
    effective = {**(pod.get("securityContext") or {}), **(container.get("securityContext") or {})}
    capabilities = effective.get("capabilities") or {}
    facts = {
        "runAsNonRoot is not true": effective.get("runAsNonRoot") is True,
        f"runAsUser is {effective.get('runAsUser')}": effective.get("runAsUser") == USER,
        f"runAsGroup is {effective.get('runAsGroup')}": effective.get("runAsGroup") == USER,
        "readOnlyRootFilesystem is not true": effective.get("readOnlyRootFilesystem") is True,
        "allowPrivilegeEscalation is not false": effective.get("allowPrivilegeEscalation") is False,
        "it is privileged": not effective.get("privileged"),
        "capabilities are kept: drop is not ALL": "ALL" in (capabilities.get("drop") or []),
        f"capabilities are added: {capabilities.get('add')}": not capabilities.get("add"),
        "seccomp is not RuntimeDefault": (effective.get("seccompProfile") or {}).get("type")
        == "RuntimeDefault",
    }
    return [problem for problem, good in facts.items() if not good]


def _writable(pod: Object, container: Object) -> set[str]:
    empty = {volume["name"] for volume in pod.get("volumes") or [] if "emptyDir" in volume}
    return {
        str(mount["mountPath"])
        for mount in container.get("volumeMounts") or []
        if mount["name"] in empty and not mount.get("readOnly")
    }


def _equal(found: object, wanted: str) -> bool:
    try:
        return found is not None and quantity(found) == quantity(wanted)
    except ValueError:
        return False
