"""The package on the deployed application: upgraded, broken, rolled back, and in the end where it began.

Each planted fault turns exactly its steps red: `inv verify.mutants package` says so of every one of them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import Answer, inv

from runbook.actions.package import release
from runbook.cli.entry import PACKAGE
from runbook.clients.kube.releases import PENDING, newest
from runbook.engine.settings import Settings
from runbook.engine.waiting import NotYet, eventually
from runbook.faults import group
from runbook.faults.planting import MARK
from runbook.probes import upgrading
from runbook.world import World


@pytest.fixture(scope="module")
def packaged(deployed: Answer) -> Answer:
    return inv("package", "--json")


@pytest.mark.parametrize("step", PACKAGE)
def test_each_step_passes(packaged: Answer, step: str) -> None:
    found = {entry["id"]: entry for entry in packaged.document["steps"]}[step]
    assert found["status"] == "passed", f"{found['observed']}; try: {found['hint']}"


def test_the_drills_left_nothing(packaged: Answer, world: World) -> None:
    assert packaged.code == 0, packaged.stderr
    start = upgrading.begin(world)
    assert start.revision.status == "deployed"
    assert not [
        image
        for images in world.cluster.holdings().nodes.values()
        for image in images
        if image.endswith("-drill")
    ]
    assert world.api.get("Namespace", "todo-drill") is None
    assert world.api.get("Namespace", "todo-prod") is None


def test_asking_again_disturbs_nobody_and_the_proofs_stand(packaged: Answer, world: World) -> None:
    before = upgrading.running(world)
    revision = newest(world.api, "todo-app", "todo")
    answer = inv("verify.package", "--json")
    assert answer.code == 0, answer.stderr
    assert set(answer.statuses()) == set(PACKAGE)
    assert upgrading.running(world) == before
    assert newest(world.api, "todo-app", "todo") == revision


def test_helm_that_is_killed_in_an_upgrade_is_repaired_by_the_next_deploy(
    packaged: Answer, world: World, tmp_path: Path
) -> None:
    """SIGKILL leaves the release pending for ever; a deploy sees that, goes back, and makes it current."""
    start = upgrading.begin(world)
    changed = start.changed({"mcp-server": {"podAnnotations": {"todo.runbook/drill": "killed"}}})
    given = tmp_path / "values.json"
    given.write_text(json.dumps(changed.values.overrides))
    pinned = world.cluster.kubeconfig()
    helm = world.commands.start(
        [world.helm.binary, "upgrade", changed.release, changed.chart, "--namespace", changed.namespace]
        + [part for file in (*changed.values.files, given) for part in ("--values", file)]
        + ["--kubeconfig", pinned.path, "--kube-context", pinned.context]
    )
    try:
        eventually(
            lambda: _is_pending(world, True),
            timeout=60,
            every=0.02,
            slowest=0.05,
            wanted="a pending revision",
        )
    finally:
        helm.kill()
        helm.communicate()
    _is_pending(world, True)
    assert inv("verify.step", "48").code == 1
    answer = inv("deploy", "--json")
    assert answer.code == 0, answer.stderr
    world.clients.memory.forget()
    _is_pending(world, False)
    assert start.differences(world) == []


def test_every_mutant_is_killed(packaged: Answer, settings: Settings) -> None:
    answer = inv("verify.mutants", "package", "--json")
    assert answer.code == 0, answer.stderr
    verdicts = answer.document["mutants"]
    assert [each for each in verdicts if each["verdict"] != "killed"] == []
    assert len(verdicts) == len(group("package", settings).mutants)


def test_nothing_planted_is_left(packaged: Answer, world: World) -> None:
    for kind in group("package", world.settings).makes:
        assert world.api.list(kind, labels=MARK) == []
    release.wait(world)


def _is_pending(world: World, wanted: bool) -> None:
    last = newest(world.api, "todo-app", "todo")
    if last is None or (last.status in PENDING) is not wanted:
        raise NotYet(f"the last revision is {last.status if last else 'not there'}")
