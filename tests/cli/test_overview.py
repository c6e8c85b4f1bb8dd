"""What the commands that only look say: of the cluster that answers now, with its age, and of no other."""

from __future__ import annotations

import json
import sys
import webbrowser
from dataclasses import replace
from typing import Any

import pytest

from runbook import catalogue
from runbook.cli import overview
from runbook.clients.process import environment
from runbook.engine.errors import RunbookError
from runbook.engine.events import Mode, Result
from runbook.engine.journal import Journal, Place
from runbook.engine.plan import Plan
from runbook.engine.settings import Settings
from runbook.engine.step import Step, failed, passed
from runbook.world import World
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

STEPS = (Step("T001", "one", lambda _: passed("")), Step("T002", "two", lambda _: passed("")))


class Here:
    """A cluster that answers or not, and a journal with what was seen on it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.cluster = FakeCluster()
        self.api = FakeApi({"kind": "Namespace", "metadata": {"name": "kube-system", "uid": "uid-1"}})

    def world(self) -> World:
        return world_of(self.settings, api=self.api, cluster=self.cluster)

    def remember(self, place: Place) -> None:
        journal = Journal(self.settings.state / "journal.jsonl", lambda: place)
        journal.began(Plan(STEPS, frozenset()), Mode.APPLY)
        journal.finished(Result(STEPS[0], passed("good")))
        journal.finished(Result(STEPS[1], failed("bad", wanted="good", hint="-")))


@pytest.fixture
def here(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Here:
    there = Here(settings)
    monkeypatch.setattr(catalogue, "STEPS", STEPS)
    monkeypatch.setattr(World, "of", lambda _settings: there.world())
    return there


def told(capsys: pytest.CaptureFixture[str], here: Here) -> tuple[str, str]:
    overview.show_status(here.settings, as_json=False, details=True)
    status = capsys.readouterr().out
    overview.list_steps(here.settings, as_json=False)
    return status, capsys.readouterr().out


def rows(capsys: pytest.CaptureFixture[str], here: Here) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    overview.show_status(here.settings, as_json=True, details=False)
    status = json.loads(capsys.readouterr().out)
    overview.list_steps(here.settings, as_json=True)
    listed = json.loads(capsys.readouterr().out)
    assert status["schema"] == listed["schema"] == 1
    return status, listed["steps"]


def test_what_was_seen_on_this_cluster_is_told_with_its_age(
    here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    here.remember(Place("embedded", "uid-1"))
    status, steps = told(capsys, here)
    assert "1 passed, 1 failed (asked just now)" in status
    assert "T002 failed: bad" in status
    assert "T001  passed         just now" in steps
    as_json, listed = rows(capsys, here)
    assert as_json["steps"]["passed"] == ["T001"]
    assert [row["status"] for row in listed] == ["passed", "failed"]


@pytest.mark.parametrize(
    "place",
    [Place("embedded", "uid-2"), Place("kind", "uid-1"), Place("embedded", "uid-1", "0" * 32), Place()],
)
def test_what_was_seen_on_another_cluster_is_unknown_here(
    here: Here, capsys: pytest.CaptureFixture[str], place: Place
) -> None:
    here.remember(place)
    status, steps = told(capsys, here)
    assert "2 were last asked just now on" in status and "unknown here; try: inv verify" in status
    assert "1 passed" not in status and "open     " not in status
    assert "T001  unknown" in steps and "✔" not in steps and "ok" not in steps.split()
    as_json, listed = rows(capsys, here)
    assert as_json["steps"]["passed"] == [] and as_json["elsewhere"] == ["T001", "T002"]
    assert [row["status"] for row in listed] == [None, None]


@pytest.mark.parametrize("away", ["stopped", "silent"])
def test_where_no_cluster_answers_nothing_is_green(
    here: Here, capsys: pytest.CaptureFixture[str], away: str
) -> None:
    here.remember(Place("embedded", "uid-1"))
    here.cluster.running = away != "stopped"
    here.api.away = away == "silent"
    status, steps = told(capsys, here)
    assert "on a cluster (embedded) that does not answer now: unknown here" in status
    assert "passed," not in status and "T001  unknown" in steps


@pytest.mark.parametrize(("of", "status"), [("now", "passed"), ("before", "unproven"), ("", "unproven")])
def test_a_drill_proved_on_an_older_release_is_not_green(
    here: Here, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, of: str, status: str
) -> None:
    drill = replace(STEPS[0], drill=True, fingerprint=lambda _: "now")
    monkeypatch.setattr(catalogue, "STEPS", (drill, STEPS[1]))
    journal = Journal(here.settings.state / "journal.jsonl", lambda: Place("embedded", "uid-1"))
    journal.began(Plan((drill,), frozenset()), Mode.APPLY)
    journal.finished(Result(drill, passed("good"), fingerprint=of))
    as_json, listed = rows(capsys, here)
    assert as_json["steps"][status] == ["T001"]
    assert listed[0]["status"] == status
    assert overview.standing(here.settings)["T001"][0].value == status
    assert (f"T001 unproven: {overview.OLDER}" in told(capsys, here)[0]) is (status == "unproven")


@pytest.mark.parametrize("variable", ["", "DISPLAY", "BROWSER"])
def test_the_application_is_shown_where_there_is_a_desktop(
    here: Here, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(webbrowser, "open", shown.append)
    monkeypatch.setattr(sys, "platform", "linux")
    for name in overview.DESKTOP:
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setattr(environment, "_given", {variable: ":0"})
    for name, check in (("host", "resolves"), ("site", "answers")):
        monkeypatch.setattr(f"runbook.checks.web.{name}.{check}", lambda _: passed("as wanted"))
    overview.open_application(here.settings)
    assert capsys.readouterr().out == "http://todo.local/\n"
    assert shown == (["http://todo.local/"] if variable else [])


def test_an_application_that_is_not_found_is_not_opened(
    here: Here, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unknown = failed("todo.local is not known on this machine", wanted="-", hint="inv deploy")
    monkeypatch.setattr("runbook.checks.web.host.resolves", lambda _: unknown)
    with pytest.raises(RunbookError, match=r"todo\.local is not known"):
        overview.open_application(here.settings)
    assert capsys.readouterr().out == ""
