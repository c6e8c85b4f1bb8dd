"""`inv verify.images` and `inv sbom` on images made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runbook.cli import inspection
from runbook.engine.settings import Settings
from runbook.engine.step import failed, passed, unproven
from runbook.world import World
from tests.fakes.saved import OS_RELEASE, Files, save
from tests.fakes.worlds import FakeApi, world_of

SECRET = {
    "kind": "Secret",
    "metadata": {"name": "todo-secrets", "namespace": "todo"},
    "data": {"better-auth-secret": "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"},
}
OURS = ("todo-backend", "todo-frontend", "todo-mcp-server")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a world that holds the application's three images, to each of which `extra` can be added."""
    (tmp_path / "frontend").mkdir()
    (tmp_path / "frontend" / "package-lock.json").write_text(
        '{"packages": {"node_modules/next": {"version": "15.0.0"}}}'
    )
    return Settings(project=tmp_path, bases="stand-in")


def put(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, *extra: Files, objects: tuple[Any, ...] = (SECRET,)
) -> None:
    def write(references: list[str], file: Path) -> None:
        save(file, {each: [OS_RELEASE, *extra] for each in references})

    def image(reference: str) -> Any:
        return SimpleNamespace(id=f"sha256:{reference}") if reference.startswith(OURS) else None

    world = world_of(settings, api=FakeApi(*objects), docker=SimpleNamespace(image=image, save=write))
    monkeypatch.setattr(World, "of", staticmethod(lambda _: world))


@pytest.mark.parametrize(
    ("extra", "objects", "code", "words"),
    [
        ({"app": b"x"}, (SECRET,), 0, "1 secrets of the running application were searched for by value"),
        ({"app": b"correct-horse-battery"}, (SECRET,), 1, "the value of todo-secrets/better-auth-secret"),
        ({"su": (0o4755, b"x")}, (SECRET,), 1, "todo-mcp-server:1.0.0: su"),
        ({"usr/bin/bash": b"x"}, (SECRET,), 1, "todo-frontend:1.0.0: usr/bin/bash"),
        ({"app": b"x"}, (), 3, "no application runs whose secrets could be searched for"),
    ],
)
def test_images_are_looked_into(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    extra: Files,
    objects: tuple[Any, ...],
    code: int,
    words: str,
) -> None:
    put(monkeypatch, settings, extra, objects=objects)
    with pytest.raises(SystemExit) as ended:
        inspection.verify(settings)
    out = capsys.readouterr().out
    assert ended.value.code == code, out
    assert words in out
    assert "correct-horse" not in out


def test_outcomes_as_json(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(monkeypatch, settings)
    with pytest.raises(SystemExit):
        inspection.verify(settings, as_json=True)
    found = json.loads(capsys.readouterr().out)["images"]
    assert {each["title"] for each in found} == {"secrets", "setuid", "shells"}
    assert len(found) == 10


def test_bills_are_written(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(monkeypatch, settings)
    inspection.write_bills(settings)
    names = sorted(each.name for each in (settings.project / inspection.FOLDER).iterdir())
    assert names == [f"{name}.cdx.json" for name in OURS]
    assert "todo-frontend.cdx.json: 1 Node packages; not listed:" in capsys.readouterr().out


def test_exit_codes() -> None:
    bad, odd = failed("x", wanted="y", hint="z"), unproven("x", hint="z")
    codes = [inspection.exit_code(each) for each in ([passed("x")], [passed("x"), odd], [odd, bad], [])]
    assert codes == [0, 3, 1, 3]
