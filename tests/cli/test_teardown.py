"""The commands that take away: what goes and what stays is said first, and nothing goes without a yes."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

import pytest

from runbook.actions.cluster import prospect
from runbook.actions.tools import toolchain
from runbook.actions.web import hosts
from runbook.cli import teardown
from runbook.engine.errors import Foreign, UsageError
from runbook.engine.settings import Settings
from runbook.engine.step import passed
from runbook.ownership import installation
from runbook.world import World
from tests.actions.package.test_release import FakeHelm
from tests.fakes import running
from tests.fakes.worlds import FakeApi, FakeCluster, world_of


def space(name: str, labels: dict[str, str]) -> dict[str, Any]:
    return {"kind": "Namespace", "metadata": {"name": name, "labels": labels}}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Docker:
    def in_users_own(self, label: str) -> dict[str, str]:
        assert label == installation.LABEL
        return {"todo-backend:1.0.0": "123MB"}


@pytest.fixture
def api(settings: Settings) -> FakeApi:
    claim = {
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": "data-postgres-0",
            "namespace": "todo-database",
            "managedFields": [{"manager": "kube-controller-manager", "fieldsV1": {"f:spec": {}}}],
        },
        "spec": {"resources": {"requests": {"storage": "1Gi"}}},
    }
    marks = installation.labels(settings)
    return FakeApi(
        space("kube-system", {}), space("todo", marks), space("todo-database", marks), claim,
        running.release_secret(),
    )  # fmt: skip


@pytest.fixture
def cluster(api: FakeApi, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeCluster:
    there = FakeCluster()
    world = world_of(settings, api=api, cluster=there, helm=FakeHelm(api), docker=Docker())
    monkeypatch.setattr(World, "of", lambda _: world)
    monkeypatch.setattr(toolchain, "stop_engine", lambda _: passed("no build engine of ours runs"))
    monkeypatch.setattr(toolchain, "running_clusters", lambda _: [])
    monkeypatch.setattr(prospect, "_packages", lambda _: "Debian packages: s6 (1 MB)")
    file = tmp_path / "hosts"
    file.write_text("")
    for name in ("present", "remove"):
        original = getattr(hosts, name)
        monkeypatch.setattr(hosts, name, lambda settings, original=original: original(settings, file))
    return there


REMOVE = {
    "cleanup": lambda settings, yes: teardown.clean(settings, yes=yes),
    "cluster.down": lambda settings, yes: teardown.cluster_down(settings, yes=yes),
}


@pytest.mark.parametrize("command", REMOVE)
@pytest.mark.parametrize(
    "stdin",
    [
        io.StringIO(""), io.StringIO("n\n"), io.StringIO("y\n"), Terminal(""), Terminal("\n"), Terminal("n\n"),
        Terminal("no\n"), Terminal("yess\n"),
    ],
)  # fmt: skip
def test_without_a_yes_nothing_changes(
    settings: Settings,
    api: FakeApi,
    cluster: FakeCluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    stdin: io.StringIO,
) -> None:
    """Not a terminal: `--yes` is wanted, whatever is piped in. A terminal: Ctrl-D, return and all but yes are a no."""
    stdin.seek(0)
    monkeypatch.setattr("sys.stdin", stdin)
    before = copy.deepcopy(api.objects)
    with pytest.raises(UsageError, match="nothing was removed") as refused:
        REMOVE[command](settings, False)
    assert refused.value.exit_code == 2
    assert (api.objects, api.written, cluster.calls) == (before, [], [])
    shown = capsys.readouterr().out
    for words in (
        "release todo-app in namespace todo",
        "namespace todo-database with its data: volume data-postgres-0 of 1Gi",
        "cluster todo (embedded), with all that is in it",
    ):
        assert words in shown.partition("Stays:")[0]
    for words in ("Debian packages: s6", "images in your Docker: todo-backend:1.0.0 123MB"):
        assert words in shown.partition("Stays:")[2]


@pytest.mark.parametrize("stdin", [Terminal("y\n"), Terminal("YES\n")])
def test_a_yes_on_a_terminal_is_enough(
    settings: Settings, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO
) -> None:
    monkeypatch.setattr("sys.stdin", stdin)
    teardown.cluster_down(settings, yes=False)
    assert cluster.calls == ["down"]


def test_the_last_words_of_a_cleanup_are_true(
    settings: Settings, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    (settings.cache / "toolchain").mkdir(parents=True)
    with pytest.raises(SystemExit) as ended:
        teardown.clean(settings, yes=True)
    assert ended.value.code == 0
    assert cluster.calls == ["down"] and not settings.state.exists() and settings.cache.exists()
    last = capsys.readouterr().out.partition("is gone; on this machine stay:")[2]
    for words in (f"the cache {settings.cache}: toolchain", "--cache", "Debian packages: s6", "todo-backend"):
        assert words in last


def test_the_cache_goes_where_it_is_asked_for_and_nobody_runs_on_it(
    settings: Settings, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.cache / "toolchain").mkdir(parents=True)
    monkeypatch.setattr(toolchain, "running_clusters", lambda _: ["other"])
    with pytest.raises(SystemExit) as ended:
        teardown.clean(settings, yes=True, cache=True)
    assert ended.value.code == 1 and settings.cache.exists()
    monkeypatch.setattr(toolchain, "running_clusters", lambda _: [])
    with pytest.raises(SystemExit) as ended:
        teardown.clean(settings, yes=True, cache=True)
    assert ended.value.code == 0 and not settings.cache.exists()


@pytest.mark.parametrize("command", REMOVE)
def test_what_is_not_ours_stays_also_with_a_yes(
    settings: Settings, api: FakeApi, cluster: FakeCluster, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = space("todo-bob", {"todo.runbook/made-by": "todo-runbook", installation.LABEL: "f" * 32})
    api.put(foreign)
    with pytest.raises((Foreign, SystemExit)) as ended:
        REMOVE[command](settings, True)
    assert getattr(ended.value, "code", 2) in (1, 2)
    assert cluster.calls == [] and api.get("Namespace", "todo-bob") == foreign
    assert "todo-bob" in f"{ended.value}{capsys.readouterr().out}"


def test_cluster_down_wants_the_pin_and_a_cluster_that_can_be_looked_at(
    settings: Settings, api: FakeApi, cluster: FakeCluster
) -> None:
    api.pinned = False
    with pytest.raises(Exception, match="pinned"):
        teardown.cluster_down(settings, yes=True)
    api.pinned = True
    cluster.running, cluster.stopped = False, True
    with pytest.raises(Exception, match="does not run"):
        teardown.cluster_down(settings, yes=True)
    assert cluster.calls == []
    teardown.cluster_down(settings, yes=True, unseen=True)
    assert cluster.calls == ["down"]
