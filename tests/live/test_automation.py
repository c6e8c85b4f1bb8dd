"""The scripts on a cluster of their own, beside the one of these tests, which is not touched by it."""

from __future__ import annotations

import pytest
from commands import Answer, inv

from runbook.app.sidecars import application_pods
from runbook.cli.entry import AUTOMATION
from runbook.engine.settings import Settings
from runbook.probes.scratch import Scratch
from runbook.world import World


@pytest.fixture(scope="module")
def tried(deployed: Answer, settings: Settings) -> Answer:
    before = [pod["metadata"]["uid"] for pod in application_pods(World.of(settings))]
    answer = inv("automation", "--json")
    assert [pod["metadata"]["uid"] for pod in application_pods(World.of(settings))] == before
    return answer


@pytest.mark.parametrize("step", AUTOMATION)
def test_each_step_passes(tried: Answer, step: str) -> None:
    found = {entry["id"]: entry for entry in tried.document["steps"]}[step]
    assert found["status"] == "passed", f"{found['observed']}; try: {found['hint']}"


def test_nothing_of_the_other_cluster_is_left(tried: Answer, settings: Settings) -> None:
    assert Scratch.beside(World.of(settings)).left() == []
