"""Claims about the way to the application's pods: Services and the Ingress."""

from __future__ import annotations

from collections.abc import Sequence

from runbook.app.application import Component
from runbook.checks.chart.claims import Claim, Object, Scene, Seen, container_of, look, port_of


def service(component: Component) -> Claim:
    """A ClusterIP Service on the component's port that selects its pods and reaches the port they declare.

    Source: T028, T033, T041.
    """

    def examine(scene: Scene) -> Seen:
        spec = scene.the("Service", component.service)["spec"]
        template = scene.the("Deployment", component.name)["spec"]["template"]
        problems: list[str] = []
        if (kind := spec.get("type", "ClusterIP")) != "ClusterIP":
            problems.append(f"its type is {kind}")
        ports = {int(port["port"]): port for port in spec.get("ports") or []}
        if set(ports) != {component.port}:
            problems.append(
                f"it serves port {', '.join(map(str, sorted(ports))) or 'none'}, not {component.port}"
            )
        for number, port in ports.items():
            container = container_of(template["spec"], component)
            if (target := port_of(container, port.get("targetPort", number))) != component.port:
                problems.append(
                    f"port {number} leads to {port.get('targetPort', number)}, which is {target or 'undeclared'}"
                )
        selector = spec.get("selector") or {}
        if not selector or not selector.items() <= (template["metadata"].get("labels") or {}).items():
            problems.append(
                f"its selector {dict(selector)} does not select the pods of Deployment {component.name}"
            )
        return Seen(f"{component.service} is a {kind} on port {', '.join(map(str, ports))}", problems)

    return Claim(
        f"Service {component.service}: ClusterIP, port {component.port}, leading to the pods of {component.name}",
        look("service", component.service),
        examine,
    )


def ingress(component: Component, *, class_name: str) -> Claim:
    """The one Ingress sends everything for the host to the component's Service, which serves that port.

    Source: T029.
    """

    def examine(scene: Scene) -> Seen:
        spec = scene.the("Ingress", component.name)["spec"]
        served = scene.the("Service", component.service)["spec"].get("ports") or []
        problems: list[str] = []
        if (found := spec.get("ingressClassName")) != class_name:
            problems.append(f"its class is {found}, not {class_name}")
        paths = [
            path
            for rule in spec.get("rules") or []
            if rule.get("host") == scene.host
            for path in (rule.get("http") or {}).get("paths") or []
        ]
        hosts = sorted(str(rule.get("host", "any host")) for rule in spec.get("rules") or [])
        whole = [path for path in paths if path.get("path") == "/" and path.get("pathType") == "Prefix"]
        if not whole:
            problems.append(
                f"it has no rule for all of {scene.host}; its hosts: {', '.join(hosts) or 'none'}"
            )
        for path in whole:
            backend = (path.get("backend") or {}).get("service") or {}
            port = backend.get("port") or {}
            number = port.get("number") or _named_port(served, port.get("name"))
            if (backend.get("name"), number) != (component.service, component.port):
                problems.append(
                    f"it leads to {backend.get('name')}:{number}, not {component.service}:{component.port}"
                )
        return Seen(f"class {found}, {', '.join(hosts)} -> {component.service}:{component.port}", problems)

    return Claim(
        f"Ingress {component.name}: class {class_name}, all of the host to {component.service}:{component.port}",
        look("ingress", component.name),
        examine,
    )


def _named_port(ports: Sequence[Object], name: object) -> int | None:
    return next((int(port["port"]) for port in ports if name is not None and port.get("name") == name), None)
