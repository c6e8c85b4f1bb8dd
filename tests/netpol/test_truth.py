"""The table by hand, in both modes."""

from __future__ import annotations

import pytest

from runbook.netpol.truth import Mark, Mode, table, wanted

APPS = ("frontend", "backend", "mcp-server")


def opened(mode: Mode, source: str) -> set[str]:
    return {
        f"{to}:{port}"
        for (origin, to, port), mark in table(mode).items()
        if origin == source and mark is Mark.OPEN
    }


def test_directly_each_service_calls_the_next_one() -> None:
    assert opened(Mode.DIRECT, "frontend") == {"backend:8000", "postgres:5432", "dns:53"}
    assert opened(Mode.DIRECT, "backend") == {
        *("mcp-server:8080", "postgres:5432", "model:8090", "redis:6379", "dns:53")
    }
    assert opened(Mode.DIRECT, "mcp-server") == {"postgres:5432", "dns:53"}


CONTROL_PLANE = {"sentry:50001", "operator:6500", "placement:50005", "scheduler:50006"}


def test_with_dapr_only_sidecars_call_sidecars() -> None:
    common = {"postgres:5432", "dns:53", *CONTROL_PLANE}
    assert opened(Mode.MESH, "frontend") == {"backend:50002", *common}
    assert opened(Mode.MESH, "backend") == {"mcp-server:50002", "model:8090", "redis:6379", *common}
    assert opened(Mode.MESH, "mcp-server") == common
    marks = table(Mode.MESH)
    assert marks["frontend", "backend", 8000] is Mark.CLOSED
    assert marks["backend", "mcp-server", 8080] is Mark.CLOSED
    assert marks["mcp-server", "backend", 50002] is Mark.CLOSED


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("source", ["postgres", "model", "redis", "neighbour", "job"])
def test_who_calls_nobody_reaches_nobody(mode: Mode, source: str) -> None:
    assert opened(mode, source) == set()


@pytest.mark.parametrize("mode", Mode)
def test_only_the_ingress_reaches_the_frontend_and_only_the_frontend(mode: Mode) -> None:
    ways = {(source, to) for (source, to, _), mark in table(mode).items() if mark is Mark.OPEN}
    assert {source for source, to in ways if to == "frontend"} == {"ingress"}
    assert {
        to for source, to in ways if source == "ingress" and to in (*APPS, "postgres", "model", "redis")
    } == {"frontend"}


@pytest.mark.parametrize("mode", Mode)
def test_redis_is_the_backends_alone(mode: Mode) -> None:
    marks = table(mode)
    assert {source for (source, to, _), mark in marks.items() if to == "redis" and mark is Mark.OPEN} == {
        "backend"
    }


@pytest.mark.parametrize(
    ("source", "to", "port", "mark"),
    [
        ("backend", "frontend", 9229, Mark.CLOSED),
        ("stranger", "backend", 3501, Mark.CLOSED),
        ("stranger", "mcp-server", 9090, Mark.CLOSED),
        ("backend", "injector", 4000, Mark.CLOSED),
        ("a-pod-nobody-knows", "frontend", 3000, Mark.CLOSED),
        ("stranger", "dns", 8080, Mark.UNJUDGED),
        ("frontend", "node", 10250, Mark.REPORTED),
        ("stranger", "node", 30080, Mark.REPORTED),
    ],
)
def test_what_is_not_named_is_closed_to_and_from_ours(source: str, to: str, port: int, mark: Mark) -> None:
    assert wanted(table(Mode.MESH), source, to, port) is mark


def test_loopback_and_udp() -> None:
    marks = table(Mode.DIRECT)
    assert wanted(marks, "frontend", "backend", 3500, loopback=True) is Mark.LOOPBACK
    assert wanted(marks, "frontend", "backend", 8000, protocol="UDP") is Mark.CLOSED
    assert wanted(marks, "frontend", "dns", 53, protocol="UDP") is Mark.OPEN
    assert wanted(marks, "stranger", "stranger", 7777, protocol="UDP") is Mark.UNJUDGED


def test_a_real_model_and_a_real_database_open_just_their_ports() -> None:
    marks = table(Mode.DIRECT, outside_model=True, outside_database=True)
    assert marks["backend", "internet", 443] is Mark.OPEN
    assert marks["backend", "internet", 80] is Mark.CLOSED
    assert marks["frontend", "internet", 443] is Mark.CLOSED
    assert marks["backend", "model", 8090] is Mark.CLOSED
    assert {source for (source, to, port), mark in marks.items() if (to, port) == ("internet", 5432)} == set(
        APPS
    )
    assert marks["backend", "metadata", 80] is Mark.CLOSED
