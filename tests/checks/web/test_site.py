"""The page through the ingress, with its control, and in a browser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from runbook.app.application import COMPONENTS
from runbook.checks.web import site
from runbook.clients.kube import pod_http
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import World
from tests.fakes.worlds import FakeApi, world_of

PAGE = "<html><head><title>Todo AI</title></head></html>"


class FakeHttp:
    def __init__(
        self, status: int = 200, text: str = PAGE, stranger: int = 404, kind: str = "text/html"
    ) -> None:
        self.page = httpx.Response(status, text=text, headers={"content-type": kind})
        self.stranger = httpx.Response(stranger)
        self.away = False

    def get(self, path: str = "/", *, host: str = "", **_: Any) -> httpx.Response:
        if self.away:
            raise Unmeasurable("nothing answers HTTP on 10.0.0.2 port 80")
        return self.stranger if host == site.STRANGER else self.page

    def address(self) -> str:
        return "10.0.0.2"


def endpoints(service: str, *, ready: bool = True) -> dict[str, Any]:
    return {
        "kind": "EndpointSlice",
        "metadata": {"name": service, "namespace": "todo", "labels": {"kubernetes.io/service-name": service}},
        "endpoints": [
            {"conditions": {"ready": ready}, "targetRef": {"name": f"{service}-{number}"}}
            for number in (1, 2)
        ],
    }


def make(http: FakeHttp, *, without: str = "") -> World:
    services = [each.service for each in COMPONENTS]
    api = FakeApi(*(endpoints(each, ready=each != without) for each in services))
    return world_of(Settings(), api=api, http=http)


SICK: dict[str, int] = {}
"""Pod -> what its health endpoint answers, where that is not 200."""


@pytest.fixture(autouse=True)
def _pods(monkeypatch: pytest.MonkeyPatch) -> None:
    SICK.clear()

    def ask(world: World, pod: Mapping[str, Any], port: int, path: str, **_: Any) -> httpx.Response:
        assert (port, path) in {(each.port, each.health) for each in COMPONENTS} and world
        return httpx.Response(SICK.get(pod["metadata"]["name"], 200))

    monkeypatch.setattr(pod_http, "ask", ask)


def test_page_control_and_health() -> None:
    outcome = site.answers(make(FakeHttp()))
    assert outcome.status is Status.PASSED
    assert outcome.evidence["health"] == {
        "frontend-svc:3000/": 200,
        "backend-svc:8000/health": 200,
        "mcp-server-svc:8080/health": 200,
    }


@pytest.mark.parametrize(
    ("http", "words"),
    [
        (FakeHttp(404), "no Ingress of the controller's class names this host"),
        (FakeHttp(502), "leads to no ready endpoint"),
        (FakeHttp(503), "leads to no ready endpoint"),
        (FakeHttp(500), "answered 500"),
        (FakeHttp(text="<title>Welcome to nginx!</title>"), "not with the page of the application"),
        (FakeHttp(kind="application/json"), "not with the page of the application"),
    ],
)
def test_causes_are_told_apart(http: FakeHttp, words: str) -> None:
    outcome = site.answers(make(http))
    assert outcome.status is Status.FAILED
    assert words in outcome.observed


def test_a_sick_service_is_named() -> None:
    SICK["backend-svc-2"] = 500
    outcome = site.answers(make(FakeHttp()))
    assert outcome.status is Status.FAILED
    assert outcome.observed == "backend-svc:8000/health answered 500"


def test_a_service_that_leads_nowhere_is_named() -> None:
    outcome = site.answers(make(FakeHttp(), without="backend-svc"))
    assert outcome.status is Status.FAILED
    assert outcome.observed == "backend-svc:8000/health answered 503"


def test_a_control_that_answers_everything_proves_nothing() -> None:
    outcome = site.answers(make(FakeHttp(stranger=200)))
    assert outcome.status is Status.UNPROVEN
    assert "the control failed" in outcome.observed


def test_nothing_that_answers_cannot_be_measured() -> None:
    http = FakeHttp()
    http.away = True
    with pytest.raises(Unmeasurable):
        site.answers(make(http))


def visit(seconds: float, *problems: str) -> dict[str, Any]:
    return {
        "seconds": seconds,
        "first_byte": 0.1,
        "with_start_of_browser": seconds + 1,
        "title": "Todo AI",
        "problems": list(problems),
    }


def browse(monkeypatch: pytest.MonkeyPatch, *visits: dict[str, Any]) -> list[Path]:
    pictures: list[Path] = []
    left = list(visits)

    def one(_: World, picture: Path) -> dict[str, Any]:
        pictures.append(picture)
        return left.pop(0)

    monkeypatch.setattr(site, "_visit", one)
    return pictures


def test_a_quick_page_needs_one_visit(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = browse(monkeypatch, visit(0.8))
    outcome = site.loads_in_browser(world_of(Settings()))
    assert outcome.status is Status.PASSED
    assert "loaded in 0.80 s" in outcome.observed
    assert outcome.evidence["picture"] == str(pictures[0])
    assert len(pictures) == 1


def test_the_median_of_three_visits_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    browse(monkeypatch, visit(4.0), visit(1.5), visit(1.2))
    outcome = site.loads_in_browser(world_of(Settings()))
    assert outcome.green
    assert outcome.evidence["loads"] == [4.0, 1.5, 1.2]


def test_two_slow_visits_of_three_are_a_slow_page(monkeypatch: pytest.MonkeyPatch) -> None:
    browse(monkeypatch, visit(4.0), visit(3.5), visit(1.2))
    outcome = site.loads_in_browser(world_of(Settings()))
    assert outcome.status is Status.FAILED
    assert "3.50 s" in outcome.observed


def test_a_page_that_does_not_come_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    browse(monkeypatch, visit(60.0, "the page did not load: Timeout 60000ms exceeded."))
    outcome = site.loads_in_browser(world_of(Settings()))
    assert outcome.status is Status.FAILED
    assert "did not load" in outcome.observed


def test_a_slow_page_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    browse(monkeypatch, visit(4.0), visit(3.5), visit(3.9))
    outcome = site.loads_in_browser(world_of(Settings()))
    assert outcome.status is Status.FAILED
    assert "3.90 s" in outcome.observed


def test_a_page_with_errors_fails_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    browse(monkeypatch, visit(0.5, "GET http://todo.local/app.js was answered 404"))
    outcome = site.loads_in_browser(world_of(Settings()))
    assert outcome.status is Status.FAILED
    assert "app.js was answered 404" in outcome.observed


def test_without_a_browser_it_cannot_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: World, __: Path) -> dict[str, Any]:
        raise Unmeasurable("no Chromium or Chrome is on this machine")

    monkeypatch.setattr(site, "_visit", none)
    with pytest.raises(Unmeasurable):
        site.loads_in_browser(world_of(Settings()))


class OverTls(FakeHttp):
    """Production: HTTPS with what the browser is to remember, and what plain HTTP answers."""

    def __init__(self, said: str, moved: int, target: str) -> None:
        super().__init__()
        self.page.headers["strict-transport-security"] = said
        self.plain = httpx.Response(moved, headers={"location": target})

    def get(self, path: str = "/", *, host: str = "", plain: bool = False, **_: Any) -> httpx.Response:
        return self.plain if plain else super().get(path, host=host)


@pytest.mark.parametrize(
    ("said", "moved", "target", "problem"),
    [
        ("max-age=31536000", 308, "https://todo.local/", ""),
        ("max-age=63072000; includeSubDomains", 301, "https://todo.local/", ""),
        ("", 308, "https://todo.local/", "says Strict-Transport-Security nothing"),
        ("max-age=60", 308, "https://todo.local/", "max-age=60, not max-age=31536000"),
        ("max-age=31536000", 200, "", "answered 200"),
        ("max-age=31536000", 308, "https://todo.local:8443/", "not a redirect to https://todo.local/"),
        ("max-age=31536000", 308, "https://todo.local.evil.test/", "not a redirect"),
    ],
)
def test_production_keeps_browsers_to_https(said: str, moved: int, target: str, problem: str) -> None:
    http = OverTls(said, moved, target)
    world = make(http)
    world.clients.settings = Settings(env="prod")
    outcome = site.answers(world)
    assert outcome.green is not bool(problem)
    assert problem in outcome.observed
