"""The project's folders: there, filled, and each service complete."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook.checks.project import layout
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import World
from tests.fakes.worlds import world_of

MANIFEST = """
[project]
name = "todo-backend"
dependencies = ["fastapi>=0.1", "sqlmodel>=0.1", "asyncpg>=0.3", "openai-agents>=0.2,<0.3"]
[project.scripts]
todo-backend = "todo_backend.main:run"
"""
LOCK = """
[[package]]
name = "fastapi"
version = "0.2"
[[package]]
name = "todo-backend"
version = "1.0.0"
[package.metadata]
requires-dist = [
  { name = "fastapi", specifier = ">=0.1" },
  { name = "sqlmodel", specifier = ">=0.1" },
  { name = "asyncpg", specifier = ">=0.3" },
  { name = "openai-agents", specifier = "<0.3,>=0.2" },
]
"""


def write(root: Path, files: dict[str, str]) -> World:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return world_of(Settings(project=root))


def backend(root: Path, **changes: str) -> World:
    files = {"pyproject.toml": MANIFEST, "uv.lock": LOCK, "main.py": "def run() -> None: ..."} | changes
    places = {"main.py": "backend/src/todo_backend/main.py"}
    return write(root, {places.get(name, f"backend/{name}"): text for name, text in files.items()})


def test_this_very_project_is_complete() -> None:
    world = world_of(Settings())
    for check in (
        layout.has_folders,
        layout.chart_folders,
        layout.complete_backend,
        layout.complete_frontend,
        layout.complete_mcp_server,
    ):
        outcome = check(world)
        assert outcome.green, outcome.observed


def test_rooted(tmp_path: Path) -> None:
    world = write(tmp_path, dict.fromkeys(layout.ROOT_FILES, "x"))
    assert layout.rooted(world).green
    (tmp_path / "tasks.py").unlink()
    outcome = layout.rooted(world)
    assert outcome.status is Status.FAILED
    assert "has no tasks.py" in outcome.observed


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    world = write(tmp_path, {f"{name}/x": "" for name in layout.FOLDERS})
    assert layout.has_folders(world).green
    (tmp_path / "k8s" / "x").unlink()
    outcome = layout.has_folders(world)
    assert (outcome.status, outcome.observed) == (Status.FAILED, "missing or empty: k8s")


def test_a_chart_without_a_folder_and_one_that_forgets_a_sub_chart(tmp_path: Path) -> None:
    names = ["charts/frontend/templates", "charts/backend/templates", "charts/mcp-server/templates"]
    files = {f"{layout.CHART}/{name}/x.yaml": "" for name in [*names, "templates/security", "templates/dapr"]}
    dependencies = "dependencies: [{name: frontend}, {name: backend}, {name: mcp-server}]"
    world = write(tmp_path, files | {f"{layout.CHART}/Chart.yaml": dependencies})
    assert layout.chart_folders(world).green
    write(tmp_path, {f"{layout.CHART}/Chart.yaml": "dependencies: [{name: frontend}, {name: backend}]"})
    assert "does not depend on mcp-server" in layout.chart_folders(world).observed
    (tmp_path / layout.CHART / "templates/dapr/x.yaml").unlink()
    assert "missing or empty in charts/todo-app: templates/dapr" in layout.chart_folders(world).observed


def test_a_complete_backend(tmp_path: Path) -> None:
    outcome = layout.complete_backend(backend(tmp_path))
    assert outcome.green, outcome.observed


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pyproject.toml": MANIFEST.replace("fastapi>=0.1", "fastapi>=0.9")}, "differ in fastapi"),
        ({"pyproject.toml": MANIFEST.replace('"asyncpg>=0.3", ', "")}, "asyncpg is not a dependency"),
        ({"pyproject.toml": MANIFEST.replace("main:run", "main:walk")}, "names no function of main.py"),
        ({"pyproject.toml": MANIFEST.replace("main:run", "start:run")}, "cannot be read"),
        ({"pyproject.toml": "[project"}, "manifest or lock file cannot be read"),
        ({"uv.lock": "package = []"}, "uv.lock does not hold todo-backend"),
        ({"main.py": "def run("}, "cannot be read"),
    ],
)
def test_an_incomplete_backend(tmp_path: Path, changes: dict[str, str], words: str) -> None:
    outcome = layout.complete_backend(backend(tmp_path, **changes))
    assert outcome.status is Status.FAILED
    assert words in outcome.observed
    assert outcome.hint == "cd backend && uv lock --check"


def frontend(root: Path, *, locked: str = "15.5.0", asked: str = "15.5.0", page: bool = True) -> World:
    manifest = {"dependencies": {"next": asked}, "scripts": {"build": "x", "start": "y"}}
    lock = {"packages": {"": {"dependencies": {"next": locked}}, "node_modules/next": {"version": locked}}}
    files = {
        "package.json": json.dumps(manifest),
        "package-lock.json": json.dumps(lock),
        "src/app/layout.tsx": "",
    }
    return write(
        root,
        {
            f"frontend/{name}": text
            for name, text in (files | ({"src/app/page.tsx": ""} if page else {})).items()
        },
    )


def test_a_complete_frontend(tmp_path: Path) -> None:
    assert layout.complete_frontend(frontend(tmp_path)).green


def test_an_incomplete_frontend(tmp_path: Path) -> None:
    assert "differ" in layout.complete_frontend(frontend(tmp_path, asked="15.6.0")).observed
    assert (
        "Next.js is locked at 14.0.0"
        in layout.complete_frontend(frontend(tmp_path, asked="14.0.0", locked="14.0.0")).observed
    )
    (tmp_path / "frontend/src/app/page.tsx").unlink()
    assert "there is no page.tsx" in layout.complete_frontend(frontend(tmp_path, page=False)).observed
    (tmp_path / "frontend/package.json").unlink()
    outcome = layout.complete_frontend(world_of(Settings(project=tmp_path)))
    assert outcome.status is Status.FAILED
