"""Stop and start: of a cluster that was made here only, and nothing in it is removed."""

from __future__ import annotations

import pytest

from runbook.actions.package import release
from runbook.cli import pause
from runbook.engine.errors import UsageError
from runbook.engine.settings import Settings
from runbook.world import World
from tests.fakes import running
from tests.fakes.worlds import FakeApi, FakeCluster, world_of


class There:
    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings, self.cluster, self.waited = settings, FakeCluster(), 0
        self.api = FakeApi({"kind": "Namespace", "metadata": {"name": "kube-system"}})
        self.world = world_of(settings, cluster=self.cluster, api=self.api)
        monkeypatch.setattr(World, "of", lambda *_: self.world)
        monkeypatch.setattr(pause, "sweep", lambda *_: True)
        monkeypatch.setattr(release, "wait", self._wait)

    def _wait(self, _: World) -> None:
        self.waited += 1


@pytest.fixture
def there(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> There:
    return There(settings, monkeypatch)


def test_stopped_and_started_again(there: There, capsys: pytest.CaptureFixture[str]) -> None:
    there.api.put(running.release_secret())
    pause.stop(there.settings)
    assert there.cluster.calls == ["stop"]
    assert "is stopped; all that is in it stays" in capsys.readouterr().out
    pause.start(there.settings)
    assert there.cluster.calls == ["stop", "up"]
    assert there.waited == 1
    assert there.api.written == []


def test_without_an_application_nothing_is_waited_for(there: There) -> None:
    pause.start(there.settings)
    assert (there.cluster.calls, there.waited) == (["up"], 0)


@pytest.mark.parametrize("command", [pause.stop, pause.start])
def test_another_s_cluster_or_none_is_refused(there: There, command: object) -> None:
    assert callable(command)
    there.cluster.ours = False
    with pytest.raises(UsageError, match="was not made here"):
        command(there.settings)
    there.cluster.running = False
    with pytest.raises(UsageError, match="there is no cluster"):
        command(there.settings)
    assert there.cluster.calls == []


@pytest.mark.parametrize("command", [pause.stop, pause.start])
def test_an_existing_cluster_is_refused_in_one_line(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, command: object
) -> None:
    assert callable(command)
    chosen = settings.model_copy(update={"cluster": "existing", "context": "theirs"})
    real = World.of(chosen)
    monkeypatch.setattr(World, "of", lambda *_: real)
    with pytest.raises(UsageError, match="somebody else's cluster"):
        command(chosen)
    assert not chosen.state.exists()
