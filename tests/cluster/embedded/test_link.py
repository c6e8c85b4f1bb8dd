"""The link between machine and node, for real, and other people's links of the same name. Needs root."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runbook.cluster.embedded import link
from runbook.cluster.embedded.addresses import Addresses
from runbook.cluster.embedded.node import Embedded
from runbook.cluster.embedded.sandbox import Sandbox, ServiceDefinition
from runbook.engine.errors import RunbookError
from runbook.engine.settings import Settings

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("s6-svscan") is None, reason="needs root and s6 (inv setup)"
)
NAME = "linktest"
SOMEBODY = "/home/somebody/.local/state/todo-runbook/linktest/node"


def ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True).stdout


def there() -> dict[str, Any] | None:
    found = [
        each for each in json.loads(ip("-json", "-details", "link", "show")) if each["ifname"] == f"td-{NAME}"
    ]
    return found[0] if found else None


@pytest.fixture
def foreign() -> Iterator[dict[str, Any]]:
    """The link of a node that another home folder's run made under the same name."""
    ip("link", "add", f"td-{NAME}", "type", "veth", "peer", "name", f"tp-{NAME}")
    ip("link", "set", "dev", f"td-{NAME}", "alias", SOMEBODY)
    before = there()
    assert before is not None
    yield before
    assert there() == before, "a link that is not ours was changed or removed"
    ip("link", "del", "dev", f"td-{NAME}")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    found = Sandbox("todo-linktest", tmp_path / "node", network=True)
    yield found
    found.stop()


@needs_root
class TestALinkOfAnotherHome:
    @pytest.fixture
    def node(self, foreign: dict[str, Any]) -> Embedded:
        return Embedded(Settings(cluster="embedded", cluster_name=NAME))

    def test_its_cluster_is_not_brought_up_a_second_time(self, node: Embedded) -> None:
        with pytest.raises(RunbookError, match=f"td-{NAME} belongs to {SOMEBODY}") as refused:
            node.up(lambda _: None)
        assert "TODO_CLUSTER_NAME" in refused.value.hint
        assert not node.settings.state.exists()

    def test_its_cluster_is_not_taken_down(self, node: Embedded) -> None:
        with pytest.raises(RunbookError, match=SOMEBODY):
            node.down(lambda _: None)

    def test_what_is_left_of_ours_goes_and_the_link_stays(self, node: Embedded) -> None:
        node.folder.mkdir(parents=True)
        node.down(lambda _: None)
        assert not node.folder.exists()

    def test_it_is_named_in_the_status(self, node: Embedded) -> None:
        assert SOMEBODY in node.status().detail
        assert node.leftovers() == []


@needs_root
def test_the_link_is_ours_from_its_creation_and_goes_when_we_say(sandbox: Sandbox) -> None:
    sandbox.start({"sleeper": ServiceDefinition(["sleep", "1000"])})
    addresses = Addresses(249)
    assert link.ensure(NAME, sandbox, addresses) is True
    assert link.ensure(NAME, sandbox, addresses) is False
    assert link.exists(NAME, sandbox) and not link.foreign(NAME, sandbox)
    found = there()
    assert found is not None and found["ifalias"] == str(sandbox.folder)
    ip(
        "link", "set", "dev", f"td-{NAME}", "alias", ""
    )  # as where the run was killed before it could label it
    assert link.exists(NAME, sandbox)
    link.remove(NAME, sandbox)
    assert there() is None
    link.remove(NAME, sandbox)


@needs_root
def test_the_link_of_another_sandbox_is_left(sandbox: Sandbox, foreign: dict[str, Any]) -> None:
    sandbox.start({"sleeper": ServiceDefinition(["sleep", "1000"])})
    link.remove(NAME, sandbox)
    assert not link.exists(NAME, sandbox)
    with pytest.raises(RunbookError, match=SOMEBODY):
        link.ensure(NAME, sandbox, Addresses(249))


@needs_root
def test_neighbours_and_node_are_apart_on_a_machine_that_forwards(tmp_path: Path) -> None:
    """In a network namespace that stands for the machine: nothing of the real one is touched."""
    program = Path(__file__).with_name("forwarding_machine.py")
    found = subprocess.run(
        ["unshare", "--net", "--mount", sys.executable, str(program), str(tmp_path / "node")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    reached = json.loads(found.stdout)
    controls = {"machine to node", "neighbour to further", "node to machine"}
    assert {who for who, did in reached.items() if did} == controls
    assert len(reached) == len(controls) + 9
