"""The project's own folders: there, and complete (manifest, lock file and entry point agree)."""

from __future__ import annotations

import ast
import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from packaging.requirements import Requirement

from runbook.app.application import COMPONENTS
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

ROOT_FILES = ("pyproject.toml", "tasks.py", "README.md", "runbook/catalogue/__init__.py")
FOLDERS = ("backend", "frontend", "mcp-server", "charts/todo-app", "k8s", "scripts")
CHART = "charts/todo-app"
SHARED_TEMPLATES = ("security", "dapr")
"""What no single component owns lies in the parent chart; each component is a sub-chart of its own."""


def rooted(world: World) -> Outcome:
    """The files that make this folder the project are there.

    Source: T001.
    """
    root = world.settings.project
    wanted = f"{', '.join(ROOT_FILES)} in one folder"
    missing = [name for name in ROOT_FILES if not (root / name).is_file()]
    if missing:
        return failed(f"{root} has no {', '.join(missing)}", wanted=wanted, hint="git status")
    return passed(f"the project is {root}", wanted=wanted, root=str(root))


def has_folders(world: World) -> Outcome:
    """Each part has a folder with something in it.

    Source: T002.
    """
    wanted = f"{', '.join(FOLDERS)}, none of them empty"
    missing = [name for name in FOLDERS if not _filled(world.settings.project / name)]
    if missing:
        return failed(f"missing or empty: {', '.join(missing)}", wanted=wanted, hint="git status")
    return passed(f"{len(FOLDERS)} folders with content", wanted=wanted, folders=FOLDERS)


def chart_folders(world: World) -> Outcome:
    """Each component is a sub-chart that the parent names; security and Dapr have template folders of the parent.

    Source: T003. The list's templates/<component>/ are the sub-charts' own templates folders.
    """
    chart = world.settings.project / CHART
    places = {each.name: f"charts/{each.name}/templates" for each in COMPONENTS}
    places |= {name: f"templates/{name}" for name in SHARED_TEMPLATES}
    wanted = f"templates in {', '.join(places.values())} of {CHART}, and each sub-chart named by the parent"
    missing = [place for place in places.values() if not _filled(chart / place)]
    if missing:
        return failed(f"missing or empty in {CHART}: {', '.join(missing)}", wanted=wanted, hint="git status")
    unnamed = [each.name for each in COMPONENTS if each.name not in _dependencies(chart)]
    if unnamed:
        return failed(
            f"{CHART}/Chart.yaml does not depend on {', '.join(unnamed)}",
            wanted=wanted,
            hint=f"cat {CHART}/Chart.yaml",
        )
    return passed(
        f"{len(places)} template folders, {len(COMPONENTS)} sub-charts", wanted=wanted, folders=places
    )


def complete_backend(world: World) -> Outcome:
    """The backend's manifest, lock file and entry point agree, and it stands on FastAPI.

    Source: T009. The list copies an earlier phase's folder; here the service is written in place.
    """
    return _complete_python(
        world.settings.project / "backend", needs=("fastapi", "sqlmodel", "asyncpg", "openai-agents")
    )


def complete_mcp_server(world: World) -> Outcome:
    """The MCP server's manifest, lock file and entry point agree, and it stands on the MCP SDK.

    Source: T011.
    """
    return _complete_python(world.settings.project / "mcp-server", needs=("mcp", "asyncpg"))


def complete_frontend(world: World) -> Outcome:
    """The frontend's manifest and lock file agree, it stands on Next.js 15, and its App Router has a first page.

    Source: T010.
    """
    folder = world.settings.project / "frontend"
    wanted = "package.json and package-lock.json that agree, Next.js 15, a layout and a first page"
    hint = "cd frontend && npm install --package-lock-only"
    try:
        manifest = json.loads((folder / "package.json").read_text())
        locked = json.loads((folder / "package-lock.json").read_text())["packages"]
    except (OSError, ValueError, KeyError) as problem:
        return failed(
            f"the frontend's manifest or lock file cannot be read: {problem}", wanted=wanted, hint=hint
        )
    problems = [
        f"{section} of package.json and package-lock.json differ"
        for section in ("dependencies", "devDependencies")
        if manifest.get(section, {}) != locked.get("", {}).get(section, {})
    ]
    version = str((locked.get("node_modules/next") or {}).get("version", ""))
    if version.partition(".")[0] != "15":
        problems.append(f"Next.js is locked at {version or 'no version'}")
    problems += [
        f"there is no script {name}" for name in ("build", "start") if name not in manifest.get("scripts", {})
    ]
    pages = folder / "src" / "app"
    problems += [f"there is no {page}" for page in ("layout.tsx", "page.tsx") if not (pages / page).is_file()]
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=hint)
    return passed(f"Next.js {version}, {len(locked) - 1} packages locked", wanted=wanted, next=version)


def _complete_python(folder: Path, *, needs: tuple[str, ...]) -> Outcome:
    wanted = f"pyproject.toml and uv.lock that agree, an entry point, and {', '.join(needs)}"
    hint = f"cd {folder.name} && uv lock --check"
    try:
        manifest = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        packages = tomllib.loads((folder / "uv.lock").read_text())["package"]
    except (OSError, tomllib.TOMLDecodeError, KeyError) as problem:
        return failed(
            f"{folder.name}'s manifest or lock file cannot be read: {problem}", wanted=wanted, hint=hint
        )
    asked = {Requirement(each).name: Requirement(each) for each in manifest.get("dependencies", [])}
    problems = [f"{name} is not a dependency" for name in needs if name not in asked]
    problems += _lock_problems(str(manifest.get("name")), asked, packages)
    entries = manifest.get("scripts") or {}
    problems += (
        [_entry_problem(folder, target) for target in entries.values()] if entries else ["no entry point"]
    )
    problems = [problem for problem in problems if problem]
    if problems:
        return failed(f"{folder.name}: {'; '.join(problems)}", wanted=wanted, hint=hint)
    return passed(
        f"{len(asked)} dependencies, {len(packages) - 1} packages locked, entry point {', '.join(entries.values())}",
        wanted=wanted,
        dependencies=sorted(asked),
        entry_points=dict(entries),
    )


def _lock_problems(
    name: str, asked: Mapping[str, Requirement], packages: list[Mapping[str, Any]]
) -> list[str]:
    """What uv.lock says of the project itself, against its manifest."""
    own = next((each for each in packages if each["name"] == name), None)
    if own is None:
        return [f"uv.lock does not hold {name}"]
    held = {
        each["name"]: each.get("specifier", "")
        for each in (own.get("metadata") or {}).get("requires-dist") or []
    }
    differing = sorted(
        set(asked.keys() ^ held.keys())
        | {
            name
            for name in asked.keys() & held.keys()
            if _parts(str(asked[name].specifier)) != _parts(held[name])
        }
    )
    return [f"uv.lock and pyproject.toml differ in {', '.join(differing)}"] if differing else []


def _parts(specifier: str) -> set[str]:
    return {part.strip() for part in specifier.split(",") if part.strip()}


def _entry_problem(folder: Path, target: str) -> str:
    """Empty when `package.module:function` names a function that the sources define."""
    module, _, function = target.partition(":")
    path = folder / "src" / (module.replace(".", "/") + ".py")
    if not path.is_file():
        path = path.with_suffix("") / "__init__.py"
    try:
        tree = ast.parse(path.read_text())
    except (OSError, SyntaxError) as problem:
        return f"the entry point {target} cannot be read: {problem}"
    return (
        ""
        if function in _functions(tree.body)
        else f"the entry point {target} names no function of {path.name}"
    )


def _functions(body: Iterable[ast.stmt]) -> set[str]:
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def _dependencies(chart: Path) -> set[str]:
    try:
        document = yaml.safe_load((chart / "Chart.yaml").read_text())
    except (OSError, yaml.YAMLError):
        return set()
    return {str(each.get("name")) for each in document.get("dependencies") or []}


def _filled(folder: Path) -> bool:
    """Whether there is a file in the folder or below it."""
    return any(path.is_file() for path in folder.rglob("*"))
