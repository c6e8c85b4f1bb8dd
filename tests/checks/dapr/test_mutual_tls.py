"""The settings of mutual TLS: as wanted, otherwise, and not measurable."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.checks.dapr import mutual_tls
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Outcome, Status, failed, passed
from runbook.world import World
from tests.fakes import meshed_chart
from tests.fakes.chart_objects import Object, changed
from tests.fakes.worlds import FakeApi, world_of

CONFIGURED = mutual_tls.configured(lifetime="24h", skew="15m")


def world(*objects: Object) -> World:
    return world_of(Settings(), api=FakeApi(*objects))


def test_one_with_the_wanted_figures_passes() -> None:
    outcome = CONFIGURED(world(meshed_chart.system()))
    assert outcome.status is Status.PASSED
    assert "certificates of 24h" in outcome.observed


def test_the_same_duration_in_other_words_is_the_same() -> None:
    assert CONFIGURED(world(changed(meshed_chart.system(), "spec.mtls.workloadCertTTL", "23h60m"))).green


@pytest.mark.parametrize(
    ("path", "value", "part"),
    [
        ("spec.mtls.enabled", False, "mutual TLS is off"),
        ("spec.mtls", None, "mutual TLS is off"),
        ("spec.mtls.workloadCertTTL", "720h", "workloadCertTTL is 720h, not 24h"),
        ("spec.mtls.allowedClockSkew", None, "allowedClockSkew is not set, not 15m"),
        ("spec.mtls.allowedClockSkew", "soon", "allowedClockSkew is soon"),
        ("metadata.namespace", "todo", "daprsystem is in todo"),
        ("metadata.name", "other", "daprsystem is in no namespace"),
    ],
)
def test_other_settings_are_told(path: str, value: Any, part: str) -> None:
    outcome = CONFIGURED(world(changed(meshed_chart.system(), path, value)))
    assert outcome.status is Status.FAILED
    assert part in outcome.observed
    assert outcome.hint


def test_a_second_one_is_told() -> None:
    second = changed(meshed_chart.system(), "metadata.namespace", "todo")
    assert CONFIGURED(world(meshed_chart.system(), second)).observed == "daprsystem is in dapr-system, todo"


def test_a_cluster_that_is_away_is_not_measurable() -> None:
    away = FakeApi()
    away.away = True
    with pytest.raises(Unmeasurable):
        CONFIGURED(world_of(Settings(), api=away))


def test_both_are_green_together_and_the_first_that_is_not_is_told() -> None:
    def good(_world: World) -> Outcome:
        return passed("one", wanted="w")

    def bad(_world: World) -> Outcome:
        return failed("two", wanted="w", hint="h")

    nowhere = world()
    assert mutual_tls.both(good, good)(nowhere).observed == "one; one"
    assert mutual_tls.both(good, bad)(nowhere).observed == "two"
    assert mutual_tls.both(bad, good)(nowhere).observed == "two"


@pytest.mark.parametrize(
    ("text", "number"), [("24h", 86400), ("15m", 900), ("1h30m", 5400), ("90s", 90), ("", None), ("h", None)]
)
def test_durations(text: str, number: int | None) -> None:
    assert mutual_tls.seconds(text) == number
