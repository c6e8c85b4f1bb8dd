"""One test per step id: the deploy from nothing proved it, and asking again proves it again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import PROVEN, Answer, inv

from runbook.cluster.embedded.node import Embedded
from runbook.world import World


@pytest.fixture(scope="module")
def asked_again(deployed: Answer) -> Answer:
    return inv("verify", "--json")


@pytest.mark.parametrize("step", PROVEN)
def test_deploy_proves(deployed: Answer, step: str) -> None:
    found = {entry["id"]: entry for entry in deployed.document["steps"]}[step]
    assert found["status"] == "passed", (
        f"{found['observed']}; wanted: {found['wanted']}; try: {found['hint']}"
    )


@pytest.mark.parametrize("step", PROVEN)
def test_asking_again_proves(asked_again: Answer, step: str) -> None:
    found = {entry["id"]: entry for entry in asked_again.document["steps"]}[step]
    assert found["status"] == "passed", (
        f"{found['observed']}; wanted: {found['wanted']}; try: {found['hint']}"
    )
    assert not found["changed"]


def test_what_is_turned_on_is_green_and_the_rest_is_named(asked_again: Answer) -> None:
    """After a deploy alone: no sidecar is red, none is green."""
    off = asked_again.document["not_turned_on"]
    assert {"T079", "T088", "T101", "T114", "T126"} <= off.keys()
    assert not off.keys() & asked_again.statuses().keys()
    red = {step: status for step, status in asked_again.statuses().items() if status != "passed"}
    assert (red, asked_again.code) == ({}, 0)


@pytest.mark.parametrize(("place", "status"), [("88", "failed"), ("91", "unproven"), ("101", "unproven")])
def test_what_nobody_asked_for_is_not_green(deployed: Answer, place: str, status: str) -> None:
    """No sidecar, and no drill, after a deploy alone."""
    only = inv("verify.step", place, "--json").document["steps"][-1]
    assert only["id"] == f"T{int(place):03d}"
    assert only["status"] in (status, "blocked")


def test_a_second_deploy_changes_nothing(world: World) -> None:
    """Neither a step's apply runs, nor does the API server's audit log show a write by an administrator."""
    cluster = world.cluster
    before = cluster.audit_log.stat().st_size if isinstance(cluster, Embedded) else 0
    again = inv("deploy", "--json")
    assert again.code == 0, again.stderr
    assert [step["id"] for step in again.document["steps"] if step["changed"]] == []
    if isinstance(cluster, Embedded):
        assert _writes(cluster.audit_log, before) == []


def test_the_audit_log_shows_a_write(world: World) -> None:
    """The control of the test above: a write by an administrator is seen."""
    if not isinstance(world.cluster, Embedded):
        pytest.skip("only the embedded node keeps an audit log that can be read")
    before = world.cluster.audit_log.stat().st_size
    mark = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "written", "namespace": "default"}}
    world.api.apply(mark)
    world.api.delete("ConfigMap", "written", "default")
    assert len(_writes(world.cluster.audit_log, before)) == 2


def _writes(audit: Path, offset: int) -> list[str]:
    """What an administrator wrote since; the control plane's own writes go under its own names."""
    with audit.open("rb") as log:
        log.seek(offset)
        events = [json.loads(line) for line in log]
    return [
        f"{event['verb']} {event['requestURI']}"
        for event in events
        if event["verb"] in ("create", "update", "patch", "delete")
        and "system:masters" in event["user"].get("groups", [])
        and not event["user"]["username"].startswith("system:")
        and not event["requestURI"].endswith(("exec", "portforward"))
        and "accessreviews" not in event["requestURI"]
        and "dryRun=All" not in event["requestURI"]
    ]
