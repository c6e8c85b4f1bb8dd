"""`inv plan`: exit 0 nothing, 4 changes, 1 something in the way; nothing is written, not even a state folder."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runbook import catalogue
from runbook.app import forecast
from runbook.app.forecast import Forecast
from runbook.cli import plan
from runbook.engine.errors import Unmeasurable, UsageError
from runbook.engine.events import Mode, Result
from runbook.engine.journal import Journal
from runbook.engine.plan import Plan
from runbook.engine.settings import Settings
from runbook.engine.step import Outcome, Status, Step, failed, passed
from runbook.world import World
from tests.fakes.worlds import FakeCluster, world_of


def good(_: World) -> Outcome:
    return passed("as wanted")


def bad(_: World) -> Outcome:
    return failed("not as wanted", wanted="better", hint="-")


def make(_: World) -> None:
    raise AssertionError("a plan applies nothing")


class Planned:
    def __init__(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.settings, self.monkeypatch, self.capsys = settings, monkeypatch, capsys
        monkeypatch.setattr(World, "of", lambda *_: world_of(settings, cluster=FakeCluster()))

    def show(self, *steps: Step, as_json: bool = True) -> tuple[int, Any]:
        self.monkeypatch.setattr(catalogue, "STEPS", steps)
        self.monkeypatch.setattr(plan, "TARGETS", {"deploy": tuple(step.id for step in steps)})
        with pytest.raises(SystemExit) as ended:
            plan.show(self.settings, "deploy", as_json=as_json)
        out = self.capsys.readouterr().out
        return int(ended.value.code or 0), json.loads(out) if as_json else out


@pytest.fixture
def planned(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Planned:
    return Planned(settings, monkeypatch, capsys)


def test_nothing_to_do_is_0_and_leaves_no_state(planned: Planned) -> None:
    code, document = planned.show(Step("T001", "one", good))
    assert (code, document["passed"], document["apply"], document["schema"]) == (0, 1, [], 1)
    assert not planned.settings.state.exists()


def test_what_will_be_done_what_follows_and_what_runs_side_by_side(planned: Planned) -> None:
    steps = (
        Step("T001", "one", bad, make),
        Step("T002", "two", bad, make),
        Step("T003", "three", good, needs=("T001", "T002")),
        Step("T004", "four", good, drill=True, needs=("T003",)),
    )
    code, document = planned.show(*steps)
    assert code == 4
    assert [row["id"] for row in document["apply"]] == ["T001", "T002"]
    assert (document["then_checked"], document["drills"]) == (["T003"], ["T004"])
    assert document["side_by_side"] == [["T001", "T002"], ["T003"], ["T004"]]
    assert document["critical_path"] in (["T001", "T003", "T004"], ["T002", "T003", "T004"])
    _, told = planned.show(*steps, as_json=False)
    for words in (
        "Will be done",
        "T001  one: not as wanted",
        "Drills",
        "T004",
        "T001, T002",
        "Longest chain",
    ):
        assert words in told


def test_an_unproven_drill_alone_is_a_change(planned: Planned) -> None:
    assert planned.show(Step("T001", "one", good, drill=True))[0] == 4


def test_what_the_command_cannot_change_is_1(planned: Planned) -> None:
    code, document = planned.show(Step("T001", "one", bad))
    assert (code, [row["id"] for row in document["in_the_way"]]) == (1, ["T001"])


def test_objects_are_foreseen_and_where_not_it_is_said(
    planned: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Forecast("change", "Deployment", "backend", "todo", "image is a, the release says b", True)
    monkeypatch.setattr(forecast, "of_releases", lambda _: [write])
    step = Step("T048", "release", bad, make)
    assert planned.show(step)[1]["objects"][0]["name"] == "backend"
    told = planned.show(step, as_json=False)[1]
    assert "change  Deployment todo/backend, its pods are recreated: image is a" in told

    def away(_: World) -> Any:
        raise Unmeasurable("the API does not answer")

    monkeypatch.setattr(forecast, "of_releases", away)
    assert planned.show(step)[1]["objects_unknown"] == "the API does not answer"


def test_an_unknown_target_names_the_known(settings: Settings) -> None:
    with pytest.raises(UsageError, match="one of deploy, full"):
        plan.show(settings, "secur")


@pytest.mark.parametrize(
    ("found", "code"), [({"todo-app": []}, 0), ({"todo-app": ["Service x is not there"]}, 4)]
)
def test_drift_exits_by_what_differs(
    found: dict[str, list[str]],
    code: int,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(forecast, "drift", lambda _: found)
    for as_json in (False, True):
        with pytest.raises(SystemExit) as ended:
            plan.show_drift(settings, as_json=as_json)
        assert ended.value.code == code
        assert "todo-app" in capsys.readouterr().out


def test_the_journal_tells_how_long_steps_and_runs_took(journal: Journal) -> None:
    steps = (Step("T001", "one", good),)
    assert (journal.spent(), journal.took(["T001"])) == ({}, None)
    journal.began(Plan(steps, frozenset()), Mode.APPLY)
    journal.finished(Result(steps[0], passed("x"), 2.5))
    journal.ended(0)
    assert journal.spent() == {"T001": 2.5}
    took = journal.took(["T001"])
    assert took is not None
    assert took >= 0
    assert journal.took(["T002"]) is None
    before = journal.path.read_bytes()
    journal.unwritten().began(Plan(steps, frozenset()), Mode.VERIFY)
    journal.unwritten().finished(Result(steps[0], Outcome(Status.FAILED, "y")))
    assert journal.path.read_bytes() == before
