"""The three-way comparison, and what of it is shown."""

from __future__ import annotations

import json

import pytest

from runbook.checks.network.isolation import verdict_of
from runbook.engine.step import Status
from runbook.netpol.matrix import Matrix, Way, judge, listening, mark_of
from runbook.netpol.policies import End, Side, Verdict
from runbook.netpol.traffic.probes import Seen
from runbook.netpol.traffic.scene import Place
from runbook.netpol.traffic.targets import Target
from runbook.netpol.truth import Mark, Mode, table

ALLOWED, DENIED = Verdict(Side(), Side()), Verdict(Side(("todo/default-deny",)), Side())
OPEN, SILENT, REFUSED, TIMEOUT = Seen.OPEN, Seen.SILENT, Seen.REFUSED, Seen.TIMEOUT
PASSED, FAILED, UNPROVEN = Status.PASSED, Status.FAILED, Status.UNPROVEN


@pytest.mark.parametrize(
    ("mark", "verdict", "seen", "alive", "status"),
    [
        (Mark.OPEN, ALLOWED, (OPEN, OPEN), True, PASSED),
        (Mark.OPEN, ALLOWED, (OPEN, TIMEOUT), True, FAILED),
        (Mark.OPEN, ALLOWED, (SILENT, SILENT), True, FAILED),
        (Mark.OPEN, ALLOWED, (Seen.DNS, Seen.DNS), True, FAILED),
        (Mark.OPEN, ALLOWED, (REFUSED, REFUSED), False, FAILED),
        (Mark.OPEN, DENIED, (OPEN, OPEN), True, FAILED),
        (Mark.CLOSED, DENIED, (TIMEOUT, TIMEOUT), True, PASSED),
        (Mark.CLOSED, DENIED, (Seen.PROHIBITED, TIMEOUT), True, PASSED),
        (Mark.CLOSED, DENIED, (TIMEOUT, TIMEOUT), False, UNPROVEN),
        (Mark.CLOSED, DENIED, (TIMEOUT, OPEN), True, FAILED),
        (Mark.CLOSED, DENIED, (REFUSED, REFUSED), True, FAILED),
        (Mark.CLOSED, DENIED, (SILENT, TIMEOUT), True, FAILED),
        (Mark.CLOSED, ALLOWED, (TIMEOUT, TIMEOUT), True, FAILED),
        (Mark.CLOSED, DENIED, (Seen.CHECKFAILED, TIMEOUT), True, UNPROVEN),
        (Mark.CLOSED, DENIED, (), True, UNPROVEN),
        (Mark.LOOPBACK, DENIED, (TIMEOUT, TIMEOUT), False, PASSED),
        (Mark.LOOPBACK, DENIED, (REFUSED, TIMEOUT), False, PASSED),
        (Mark.LOOPBACK, DENIED, (OPEN, TIMEOUT), False, FAILED),
        (Mark.LOOPBACK, ALLOWED, (REFUSED, REFUSED), False, FAILED),
        (Mark.REPORTED, ALLOWED, (OPEN, OPEN), True, PASSED),
        (Mark.UNJUDGED, ALLOWED, (), False, PASSED),
    ],
)
def test_a_way_is_green_only_where_all_three_agree(
    mark: Mark, verdict: Verdict, seen: tuple[Seen, ...], alive: bool, status: Status
) -> None:
    assert judge(mark, verdict, seen, listening=alive)[0] is status


def test_a_blocked_connection_proves_nothing_where_the_source_could_not_be_asked() -> None:
    assert judge(Mark.CLOSED, DENIED, (), listening=True, trouble="no way in") == (UNPROVEN, "no way in")


def test_a_service_that_refuses_proves_nothing_and_one_that_answers_fails() -> None:
    def through(*seen: Seen) -> Status:
        return judge(Mark.CLOSED, DENIED, seen, listening=True, service=True)[0]

    assert through(REFUSED, TIMEOUT) is UNPROVEN
    assert through(REFUSED, OPEN) is FAILED
    assert through(TIMEOUT, TIMEOUT) is PASSED


BACK = End("back", "10.1.0.6", "todo")
PORT = Target("backend", BACK, 8000, "10.1.0.6", 8000)
VACANT = Target("backend", BACK, 9, "10.1.0.6", 9, "UDP", vacant=True)


def test_listening_is_shown_in_every_round() -> None:
    assert listening([(PORT, (OPEN, OPEN))]) == {("10.1.0.6", 8000, "TCP")}
    assert listening([(PORT, (OPEN, TIMEOUT))]) == set()
    assert listening([(PORT, (REFUSED, REFUSED)), (VACANT, (OPEN, OPEN))]) == set()
    assert listening([(VACANT, (REFUSED, REFUSED))]) == {("10.1.0.6", 9, "UDP")}
    assert listening([(PORT, ())]) == set()


def place(role: str) -> Place:
    return Place(role, End(role, "10.1.0.5", "todo"), {})


def way(source: str, status: Status = PASSED, mark: Mark = Mark.OPEN, target: Target = PORT) -> Way:
    verdict = ALLOWED if mark is Mark.OPEN else DENIED
    reason = "" if status is PASSED else "must be open, and was TIMEOUT"
    return Way(place(source), target, mark, verdict, (OPEN, OPEN), status, reason)


def matrix(*ways: Way, missing: str = "") -> Matrix:
    return Matrix(Mode.DIRECT, ways, 4.2, missing)


def test_the_own_node_is_told_and_not_judged() -> None:
    node = Target("api", End("n1", "10.0.0.2", node="n1"), 6443, "10.0.0.2", 6443, named=443)
    own = Verdict(Side(), Side(), own_node=True)
    assert mark_of(table(Mode.DIRECT), place("backend"), node, own) is Mark.REPORTED
    assert mark_of(table(Mode.DIRECT), place("backend"), node, DENIED) is Mark.CLOSED
    assert mark_of(table(Mode.DIRECT), place("stranger"), node, own) is Mark.OPEN


def test_all_green_passes_and_counts() -> None:
    seen = verdict_of(matrix(way("frontend"), way("stranger", mark=Mark.CLOSED)))
    assert seen.status is PASSED
    assert "2 ways" in seen.observed
    assert "1 open, 1 blocked" in seen.observed


def test_one_red_cell_fails_and_is_named() -> None:
    seen = verdict_of(matrix(way("frontend", FAILED), way("stranger", UNPROVEN, Mark.CLOSED)))
    assert seen.status is FAILED
    assert seen.observed == "frontend to backend:8000 by pod: must be open, and was TIMEOUT"
    assert seen.hint


def test_one_cell_that_was_not_measured_is_never_green() -> None:
    assert verdict_of(matrix(way("frontend"), way("stranger", UNPROVEN, Mark.CLOSED))).status is UNPROVEN


def test_an_outside_that_was_not_stood_in_for_is_said_and_not_green() -> None:
    seen = verdict_of(matrix(way("frontend"), missing="no stand-ins for the outside: no root here"))
    assert seen.status is UNPROVEN
    assert "no root here" in seen.observed


def test_no_way_at_all_is_unmeasurable() -> None:
    from runbook.engine.errors import Unmeasurable

    with pytest.raises(Unmeasurable):
        verdict_of(matrix())


def test_a_cell_shows_the_worst_of_its_ways_and_is_json() -> None:
    service = Target("backend", BACK, 8000, "10.2.0.1", 8000, via="service backend-svc")
    found = matrix(way("frontend"), way("frontend", FAILED, target=service)).evidence()
    cell = found["cells"]["frontend backend:8000"]
    assert cell["status"] == "failed"
    assert cell["ways"] == 2
    assert cell["reasons"] == [
        "frontend to backend:8000 by service backend-svc: must be open, and was TIMEOUT"
    ]
    json.dumps(found)
