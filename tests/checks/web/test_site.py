"""The page through the ingress, with its control, and in a browser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from runbook.checks.web import site
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


def make(http: FakeHttp, answers: Mapping[str, int] | None = None) -> World:
    api = FakeApi()
    api.answers = dict(answers or {})
    return world_of(Settings(), api=api, http=http)


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
    outcome = site.answers(make(FakeHttp(), {"backend-svc": 503}))
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


def test_the_quickest_of_three_visits_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    browse(monkeypatch, visit(4.0), visit(3.5), visit(1.2))
    outcome = site.loads_in_browser(world_of(Settings()))
    assert outcome.green
    assert outcome.evidence["loads"] == [4.0, 3.5, 1.2]


def test_a_slow_page_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    browse(monkeypatch, visit(4.0), visit(3.5), visit(3.9))
    outcome = site.loads_in_browser(world_of(Settings()))
    assert outcome.status is Status.FAILED
    assert "3.50 s" in outcome.observed


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
