"""The drills of upgrade and rollback on a release in a dictionary: what they pass, and each way in which they fail."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.checks.package import rollbacks, upgrades
from runbook.clients.kube.releases import newest
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.step import Check, Status
from runbook.probes import upgrading
from runbook.probes.load import Failure
from tests.fakes.upgraded import IMAGES, Place

DRILLS = (upgrades.tag_reaches_the_pods, upgrades.broken_rolls_back, rollbacks.returns)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place()
    for module in (upgrades, rollbacks):
        monkeypatch.setattr(module, "watched", made.watched)
    return made


@pytest.mark.parametrize("drill", DRILLS)
def test_a_drill_passes_and_ends_where_it_began(place: Place, drill: Check) -> None:
    before = newest(place.api, "todo-app", "todo")
    stands_on = upgrades.fingerprint(place.world)
    outcome = drill(place.world)
    assert outcome.status is Status.PASSED, outcome
    assert "none of 50 requests failed" in outcome.observed
    after = newest(place.api, "todo-app", "todo")
    assert before and after
    assert (after.digest, after.manifest(), after.status) == (before.digest, before.manifest(), "deployed")
    assert upgrades.fingerprint(place.world) == stands_on != ""
    assert place.cluster.images == IMAGES
    assert ("Namespace", "", "todo-drill") not in place.api.objects


@pytest.mark.parametrize("drill", DRILLS)
def test_a_failed_request_fails_the_drill(place: Place, drill: Check) -> None:
    place.load.failures.append(Failure(2.0, "the page", "502"))
    outcome = drill(place.world)
    assert outcome.status is Status.FAILED
    assert "1 of 51 requests failed; the first: after 2.0 s the page: 502" in outcome.observed


@pytest.mark.parametrize("drill", DRILLS)
def test_without_a_release_to_come_back_to_nothing_is_disturbed(place: Place, drill: Check) -> None:
    place.api.objects["Deployment", "todo", "backend"]["spec"]["replicas"] = 2
    history = place.history()
    with pytest.raises(Unmeasurable, match="replicas is 2"):
        drill(place.world)
    assert place.history() == history


def test_the_images_of_the_other_tag_are_gone_afterwards(place: Place) -> None:
    upgrades.tag_reaches_the_pods(place.world)
    assert sorted(place.engine.discarded) == [
        f"{name}:1.0.0-drill" for name in ("todo-backend", "todo-frontend", "todo-mcp-server")
    ]


def test_the_same_image_under_another_tag_fails(place: Place) -> None:
    """By id, whatever the tag says."""
    place.engine.same = True
    outcome = upgrades.tag_reaches_the_pods(place.world)
    assert outcome.status is Status.FAILED
    assert "the image of backend was the same one before" in outcome.observed


def test_an_upgrade_that_does_not_reach_the_pods_fails(place: Place) -> None:
    place.helm.deaf = True
    outcome = upgrades.tag_reaches_the_pods(place.world)
    assert outcome.status is Status.FAILED
    assert (
        "backend ran todo-backend:1.0.0 (sha256:222222222222), not todo-backend:1.0.0-drill"
        in outcome.observed
    )
    assert "3 pods were not replaced" in outcome.observed


def test_a_node_that_takes_no_images_fails_the_upgrade_and_all_is_back(place: Place) -> None:
    place.cluster.loads = False
    with pytest.raises(RunbookError, match="ErrImageNeverPull"):
        upgrades.tag_reaches_the_pods(place.world)
    assert place.history()[-1][1] == "deployed"
    assert {pod["spec"]["containers"][0]["image"] for pod in place.api.list("Pod", "todo")} == {
        image
        for image in IMAGES
        if image.split(":")[0] in ("todo-backend", "todo-frontend", "todo-mcp-server")
    }


def test_a_cluster_of_the_user_is_no_verdict(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise RunbookError("images cannot be loaded into context mine", hint="docker push")

    monkeypatch.setattr(place.cluster, "load_images", refuse)
    with pytest.raises(Unmeasurable, match="cannot be loaded"):
        upgrades.tag_reaches_the_pods(place.world)


def test_both_ways_back_are_in_the_history(place: Place) -> None:
    assert upgrades.broken_rolls_back(place.world).green
    assert place.history() == [
        (1, "superseded", "Upgrade complete"),
        (2, "failed", "Upgrade complete"),
        (3, "superseded", "Rollback to 1"),
        (4, "superseded", "Upgrade complete"),
        (5, "superseded", "Rollback to 3"),
        (6, "deployed", "Upgrade complete"),
    ]


def test_helm_that_does_not_notice_is_found_out(place: Place) -> None:
    place.helm.notices = False
    outcome = upgrades.broken_rolls_back(place.world)
    assert outcome.status is Status.FAILED
    assert outcome.observed.startswith("a broken upgrade ended as if it were good; it made 1 revisions")
    assert place.history()[-1][1] == "deployed"


def test_helm_that_does_not_roll_back_is_found_out(place: Place) -> None:
    place.helm.rolls_back = False
    outcome = upgrades.broken_rolls_back(place.world)
    assert outcome.status is Status.FAILED
    assert "it made 1 revisions, not the broken one and the one that takes it back" in outcome.observed


def test_evidence_that_was_not_kept_is_missed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrading, "_evidence", lambda _: [])
    assert "no evidence was kept" in upgrades.broken_rolls_back(place.world).observed


def test_a_rollback_that_leaves_later_objects_is_found_out(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    roll = place.helm.rollback

    def leaving(name: str, revision: int, space: str, **options: Any) -> None:
        budget = place.api.get("PodDisruptionBudget", "mcp-server", space)
        roll(name, revision, space, **options)
        if budget:
            place.api.put(budget)

    monkeypatch.setattr(place.helm, "rollback", leaving)
    outcome = rollbacks.returns(place.world)
    assert outcome.status is Status.FAILED
    assert "in todo-drill: the PodDisruptionBudget of revision 2 is still there" in outcome.observed


def test_a_rollback_that_changes_nothing_is_found_out(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place.helm, "rollback", lambda *_, **__: None)
    outcome = rollbacks.returns(place.world)
    assert outcome.status is Status.FAILED
    assert "live: a pod still has what the rollback takes away" in outcome.observed


def test_a_namespace_of_somebody_else_is_left_alone(place: Place) -> None:
    place.api.put({"kind": "Namespace", "metadata": {"name": "todo-drill", "labels": {}}})
    with pytest.raises(Unmeasurable, match="todo-drill was not made by this installation"):
        rollbacks.returns(place.world)
    assert ("delete", "Namespace", "todo-drill") not in place.api.written


def test_a_release_that_is_not_deployed_carries_no_proof(place: Place) -> None:
    assert upgrades.fingerprint(place.world)
    record = place.api.objects["Secret", "todo", "sh.helm.release.v1.todo-app.v1"]
    record["metadata"]["labels"]["status"] = "failed"
    assert upgrades.fingerprint(place.world) == ""
