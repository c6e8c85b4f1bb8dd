"""Production is confirmed by the name of the cluster, before anything is written."""

from __future__ import annotations

import builtins
import sys

import pytest

from runbook.actions.package import release
from runbook.app import blueprint
from runbook.cli import production
from runbook.engine.errors import UsageError
from runbook.engine.settings import Settings
from runbook.report.writer import Writer
from tests.fakes.releases import released
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

PRODUCTION = Settings(env="prod", cluster="existing", registry="registry.example.org/team")


def agree(settings: Settings, confirm: str = "", provider: str = "existing") -> None:
    cluster = FakeCluster()
    cluster.name, cluster.provider = "shop-eu", provider
    world = world_of(settings, api=FakeApi(), cluster=cluster)
    production.agree(world, Writer(sys.stdout), "deploy", confirm)


def typed(monkeypatch: pytest.MonkeyPatch, answer: str) -> list[str]:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        if answer == "EOF":
            raise EOFError
        return answer

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(builtins, "input", ask)
    return asked


def test_development_is_not_asked_about() -> None:
    agree(Settings())


def test_the_flag_with_the_name_is_enough() -> None:
    agree(PRODUCTION, "shop-eu")


@pytest.mark.parametrize("confirm", ["shop", "SHOP-EU", "yes", "shop-eu-2"])
def test_another_name_is_refused(confirm: str) -> None:
    with pytest.raises(UsageError) as refused:
        agree(PRODUCTION, confirm)
    assert refused.value.wanted == "shop-eu" and "nothing was changed" in refused.value.observed


def test_without_a_terminal_the_flag_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    with pytest.raises(UsageError) as refused:
        agree(PRODUCTION)
    assert refused.value.hint == "inv deploy --env prod --confirm shop-eu"


def test_the_name_is_typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked = typed(monkeypatch, " shop-eu ")
    agree(PRODUCTION)
    assert "shop-eu" in asked[0]
    said = capsys.readouterr().out
    assert "https://todo.local" in said and "offline model" in said and "PostgreSQL of this cluster" in said


@pytest.mark.parametrize("answer", ["", "y", "yes", "shop", "EOF"])
def test_anything_else_that_is_typed_ends_it(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    typed(monkeypatch, answer)
    with pytest.raises(UsageError, match="nothing was changed"):
        agree(PRODUCTION)


def test_the_flag_without_production_is_refused() -> None:
    with pytest.raises(UsageError, match="of production alone"):
        agree(Settings(), "shop-eu")


@pytest.mark.parametrize("provider", ["embedded", "minikube"])
def test_a_cluster_without_a_registry_runs_no_production(provider: str) -> None:
    with pytest.raises(UsageError, match=provider):
        agree(PRODUCTION, "shop-eu", provider)


def test_a_registry_is_wanted() -> None:
    with pytest.raises(UsageError) as refused:
        agree(PRODUCTION.model_copy(update={"registry": ""}), "shop-eu")
    assert refused.value.wanted == "TODO_REGISTRY"


@pytest.mark.parametrize(("scheme", "settings"), [("https", Settings()), ("http", PRODUCTION)])
def test_no_command_turns_a_release_of_one_environment_into_the_other(
    scheme: str, settings: Settings
) -> None:
    world = world_of(settings, api=FakeApi(released(scheme)), cluster=FakeCluster())
    with pytest.raises(UsageError, match="it was left as it is"):
        release.bring(world, blueprint.Mode())


def test_a_certificate_that_cannot_be_read_is_refused_at_once() -> None:
    files = {"tls_certificate": "/nowhere/tls.crt", "tls_key": "/nowhere/tls.key"}
    with pytest.raises(UsageError, match="cannot be read"):
        agree(PRODUCTION.model_copy(update=files), "shop-eu")
