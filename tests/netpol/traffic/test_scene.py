"""Pods in their roles, and what is tried of them."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.netpol.listeners import Listener
from runbook.netpol.policies import End, pod_end
from runbook.netpol.traffic.scene import Place, Scene, mode, role_of
from runbook.netpol.traffic.targets import Target, targets
from runbook.netpol.truth import Mode

Object = dict[str, Any]


def pod(name: str, namespace: str = "todo", containers: tuple[str, ...] = ("main",), **labels: str) -> Object:
    named = {key.replace("_", "-"): value for key, value in labels.items()}
    if "app" in named:
        named["app.kubernetes.io/name"] = named.pop("app")
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": named, "uid": f"uid-{name}"},
        "spec": {
            "nodeName": "n1",
            "containers": [
                {"name": each, "ports": [{"name": "http", "containerPort": 8000}]} for each in containers
            ],
        },
        "status": {"phase": "Running", "podIP": "10.1.0.5"},
    }


@pytest.mark.parametrize(
    ("each", "role"),
    [
        (pod("frontend-1", app="frontend"), "frontend"),
        (pod("redis-0", app="redis"), "redis"),
        (pod("left-over"), "left-over"),
        (pod("postgres-0", "todo-database"), "postgres"),
        (pod("offline-model-1", "todo-model"), "model"),
        (pod("coredns-1", "kube-system", k8s_app="kube-dns"), "dns"),
        (pod("frontend-1", "elsewhere", app="frontend"), ""),
        (pod("other", "kube-system"), ""),
    ],
)
def test_roles(each: Object, role: str) -> None:
    assert role_of(each, "todo") == role


def test_the_ingress_controller_is_told_by_its_labels() -> None:
    each = pod("controller", "ingress-nginx", app="ingress-nginx")
    assert role_of(each, "todo") == ""
    each["metadata"]["labels"]["app.kubernetes.io/component"] = "controller"
    assert role_of(each, "todo") == "ingress"


def test_the_visitors_of_one_survey_only() -> None:
    each = pod("todo-survey-1a2b3c-neighbour")
    each["metadata"]["labels"]["todo.runbook/probe"] = "todo-survey-1a2b3c"
    assert role_of(each, "todo", "todo-survey-1a2b3c") == "neighbour"
    assert role_of(each, "todo", "todo-survey-ffffff") == ""


def test_one_sidecar_in_the_namespace_makes_it_a_mesh() -> None:
    plain, meshed = pod("a"), pod("b", containers=("main", "daprd"))
    assert mode([plain, pod("c", "elsewhere", ("daprd",))], "todo") is Mode.DIRECT
    assert mode([plain, meshed], "todo") is Mode.MESH


def place(role: str, *listeners: Listener, **labels: str) -> Place:
    each = pod(role, **(labels or {"app": role}))
    return Place(role, pod_end(each, {}), each, None, listeners)


def service(name: str, selects: dict[str, str], target: object, address: str = "10.2.0.1") -> Object:
    return {
        "metadata": {"name": name, "namespace": "todo"},
        "spec": {"clusterIP": address, "selector": selects, "ports": [{"port": 80, "targetPort": target}]},
    }


def scene(*places: Place, services: tuple[Object, ...] = ()) -> Scene:
    node = End("n1", "10.0.0.2", node="n1")
    return Scene(Mode.DIRECT, places, services, (), ((node, 6443),), (node,))


def ways(given: Scene, *, outside: bool = False) -> list[Target]:
    return list(targets(given, "todo", outside=outside))


def test_every_listening_port_is_tried_and_not_only_declared_ones() -> None:
    found = ways(scene(place("backend", Listener(8000), Listener(9229), Listener(3500, loopback=True))))
    assert [(each.port, each.column) for each in found if each.role == "backend"] == [
        (8000, "backend:8000"),
        (9229, "backend:9229"),
        (3500, "loopback"),
        (9, "pods/udp"),
    ]


@pytest.mark.parametrize("target", [8000, "http"])
def test_a_service_is_dialled_and_its_pods_port_is_judged(target: object) -> None:
    one = service("backend-svc", {"app.kubernetes.io/name": "backend"}, target)
    found = [
        each
        for each in ways(scene(place("backend", Listener(8000)), services=(one,)))
        if "service" in each.via
    ]
    assert [(each.host, each.dialled, each.port) for each in found] == [("10.2.0.1", 80, 8000)]


@pytest.mark.parametrize(
    ("selector", "address"), [({"app.kubernetes.io/name": "other"}, "10.2.0.1"), ({}, "10.2.0.1")]
)
def test_a_service_of_others_is_not_theirs(selector: dict[str, str], address: str) -> None:
    one = service("other", selector, 8000, address)
    assert not [
        each for each in ways(scene(place("backend", Listener(8000)), services=(one,))) if "other" in each.via
    ]


def test_a_headless_service_has_no_address_to_dial() -> None:
    one = service("backend-svc", {"app.kubernetes.io/name": "backend"}, 8000, "None")
    assert not [
        each for each in ways(scene(place("backend", Listener(8000)), services=(one,))) if "svc" in each.via
    ]


def test_names_are_asked_for_at_dns_over_both_protocols() -> None:
    dns = place("dns", Listener(53), Listener(53, "UDP"), Listener(8181), k8s_app="kube-dns")
    found = [each for each in ways(scene(dns)) if each.role == "dns"]
    assert [(each.protocol, each.resolves, each.column) for each in found] == [
        ("TCP", True, "dns:53"),
        ("UDP", True, "dns:53"),
        ("TCP", False, "dns:other"),
    ]


def test_no_probe_leaves_this_machine() -> None:
    """Without stand-ins nothing beyond the cluster is tried; with them only addresses that nobody has."""
    beyond = {each.host for each in ways(scene(), outside=True)} - {each.host for each in ways(scene())}
    assert beyond == {"192.0.2.1", "198.51.100.1", "203.0.113.1", "169.254.169.254"}


def test_dapr_ports_of_all_pods_share_a_column() -> None:
    found = ways(scene(place("backend", Listener(3501)), place("frontend", Listener(3501))))
    assert {each.column for each in found if each.port == 3501} == {"sidecars:3501"}
