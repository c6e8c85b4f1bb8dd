"""The application's Secret and its template: complete, empty where it belongs, and taken by the API server."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runbook.actions.database import database, rotation
from runbook.app.secrets import secret_data
from runbook.checks.chart import secret_template
from runbook.checks.database import secret
from runbook.clients.kube.reviews import Admission
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import World
from tests.fakes.stored import make, put

LAST = secret_data.LAST_APPLIED


def test_a_complete_secret_passes_without_its_values() -> None:
    world, api, _ = make()
    api.objects["Secret", "todo", "todo-secrets"]["metadata"]["managedFields"] = [{"manager": "todo-runbook"}]
    outcome = secret.complete(world)
    assert outcome.status is Status.PASSED, outcome.observed
    assert outcome.observed == "7 keys, each of the right form; written by todo-runbook"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"openai-api-key": None}, "lacks the key openai-api-key"),
        ({"better-auth-secret": ""}, "lacks the key better-auth-secret"),
        ({"better-auth-secret": "b" * 40 + "\n"}, "the key better-auth-secret of Secret todo-secrets has white space"),
        ({"mcp-signing-key": "bWNwLXNpZ25pbmcta2V5LW9mLXRoZS1ydW5ib29rLXR3aWNl"}, "was encoded twice"),
        ({"database-url": "https://db.example.test/"}, "holds no PostgreSQL URL"),
        ({"database-url": "postgresql://other:pw-of-other@h/todo"}, "does not sign in as the database's role"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_used_is_named_by_its_key(values: dict[str, str | None], words: str) -> None:
    world, api, _ = make()
    put(api, values)
    outcome = secret.complete(world)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed
    assert not any(value and value.strip() in str(outcome) for value in values.values())
    database.keep_secret(world)
    assert secret.complete(world).green


def test_a_copy_of_the_values_in_an_annotation_is_told_and_taken_away() -> None:
    world, api, _ = make()
    metadata = api.objects["Secret", "todo", "todo-secrets"]["metadata"]
    metadata["annotations"] = {LAST: "{}"}
    outcome = secret.complete(world)
    assert "holds a copy of its values" in outcome.observed
    assert f"annotate secret todo-secrets {LAST}-" in outcome.hint
    database.keep_secret(world)
    assert secret.complete(world).green


def test_an_immutable_secret_can_never_be_rotated() -> None:
    world, api, _ = make()
    api.objects["Secret", "todo", "todo-secrets"]["immutable"] = True
    assert "is immutable" in secret.complete(world).observed


def test_without_an_api_there_is_no_verdict() -> None:
    world, api, _ = make()
    api.away = True
    with pytest.raises(Unmeasurable):
        secret.complete(world)


class Reviews:
    """Takes what has good keys, unless it takes anything or nothing."""

    def __init__(self, takes: str = "good") -> None:
        self.takes = takes
        self.asked: list[dict[str, Any]] = []

    def applied(self, manifest: dict[str, Any]) -> Admission:
        self.asked.append(manifest)
        good = all(" " not in key for key in manifest["stringData"])
        accepted = {"good": good, "anything": True, "nothing": False}[self.takes]
        return Admission(accepted, "" if accepted else "field is immutable")


def referring(*keys: str) -> list[dict[str, Any]]:
    env = [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "todo-secrets", "key": key}}} for key in keys]
    pod = {"containers": [{"name": "c", "env": env}]}
    return [{"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": {"spec": pod}}}]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with our template and an empty chart."""
    source = Settings().project / secret_template.PATH
    (tmp_path / "k8s").mkdir()
    (tmp_path / secret_template.PATH).write_text(source.read_text())
    (tmp_path / "charts" / "todo-app").mkdir(parents=True)
    return tmp_path


def of(project: Path, *keys: str, takes: str = "good") -> tuple[World, Reviews]:
    reviews = Reviews(takes)

    def template(*_: Any, values: Any, **__: Any) -> list[dict[str, Any]]:
        mail = [secret_data.MAIL_KEY] if values.overrides == secret_template.MAIL else []
        return referring(*keys or secret_data.KEYS, *mail)

    helm = SimpleNamespace(template=template)
    world, api, _ = make(Settings(project=project), helm=helm)
    api.reviews = reviews  # type: ignore[attr-defined]
    return world, reviews


def change(project: Path, old: str, new: str) -> None:
    path = project / secret_template.PATH
    path.write_text(path.read_text().replace(old, new))


def test_our_template_has_every_key_and_no_value(project: Path) -> None:
    outcome = secret_template.complete(of(project)[0])
    assert outcome.status is Status.PASSED, outcome.observed


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('  openai-api-key: ""\n', "", "it lacks the key openai-api-key"),
        ('openai-api-key: ""', 'openai-api-key: "x"', "the key openai-api-key has a value"),
        ("type: Opaque", "type: Opaque\ndata: {another: ''}", "nothing takes the key another"),
        ("name: todo-secrets", "name: secrets", "it is a Secret named secrets"),
        ("kind: Secret", "kind: [", "cannot be read"),
        ("type: Opaque", "---\nkind: Other", "holds 2 objects"),
    ],
)
def test_a_template_that_says_something_else_fails(project: Path, old: str, new: str, words: str) -> None:
    change(project, old, new)
    outcome = secret_template.complete(of(project)[0])
    assert outcome.status is Status.FAILED
    assert words in outcome.observed


def test_a_key_of_the_chart_that_nobody_makes_is_named(project: Path) -> None:
    world, _ = of(project, *secret_data.KEYS, "invented")
    assert "the chart refers to the key invented" in secret_template.complete(world).observed


def test_the_server_takes_it_in_the_namespace_of_the_settings(project: Path) -> None:
    world, reviews = of(project)
    assert secret_template.accepted(world).green
    assert reviews.asked[0]["metadata"]["namespace"] == "todo"


def test_a_refusal_and_a_server_that_takes_anything_fail(project: Path) -> None:
    assert "field is immutable" in secret_template.accepted(of(project, takes="nothing")[0]).observed
    outcome = secret_template.accepted(of(project, takes="anything")[0])
    assert "takes a key that is none" in outcome.observed
    (project / secret_template.PATH).unlink()
    with pytest.raises(RunbookError, match="cannot be read"):
        secret_template.accepted(of(project)[0])


def test_a_rotation_that_is_half_way_is_told() -> None:
    world, _, _ = make()
    rotation.begin(world)
    outcome = secret.complete(world)
    assert outcome.green
    assert outcome.observed.endswith("; new credentials are half-way in: inv db")
