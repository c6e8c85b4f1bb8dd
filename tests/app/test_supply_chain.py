"""What comes from a registry is pinned by hash, for every platform, and none of its scripts run at installation."""

from __future__ import annotations

import json
import os
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


LEFT_OUT = {"node_modules", ".venv", ".next", ".git"}


@cache
def files() -> list[Path]:
    listed = []
    for folder, below, names in os.walk(PROJECT):
        below[:] = [name for name in below if name not in LEFT_OUT]
        listed += [Path(folder, name) for name in names]
    return listed


def found(pattern: str) -> list[Path]:
    matching = [path for path in files() if path.match(pattern)]
    assert matching
    return matching


@pytest.mark.parametrize(
    "lock", found("package-lock.json"), ids=lambda path: str(path.parent.relative_to(PROJECT))
)
def test_each_npm_package_has_a_hash_also_those_for_other_platforms(lock: Path) -> None:
    packages = json.loads(lock.read_text())["packages"]
    # What lies in another package's archive has no archive of its own: that one's hash covers it.
    own = {
        name: each
        for name, each in packages.items()
        if name and not each.get("inBundle") and not each.get("link")
    }
    assert own
    assert [name for name, each in own.items() if not str(each.get("integrity")).startswith("sha512-")] == []


@pytest.mark.parametrize("lock", found("uv.lock"), ids=lambda path: str(path.parent.relative_to(PROJECT)))
def test_each_python_package_has_hashes(lock: Path) -> None:
    packages = [each for each in tomllib.loads(lock.read_text())["package"] if "registry" in each["source"]]
    listed = [
        file for each in packages for file in [*each.get("wheels", []), *filter(None, [each.get("sdist")])]
    ]
    assert len(listed) > len(packages) / 2
    assert all(file.get("hash", "").startswith("sha256:") for file in listed)


@pytest.mark.parametrize(
    "file", [*found("*requirements*.txt"), *found("traefik.txt")], ids=lambda path: path.name
)
def test_each_requirement_has_hashes(file: Path) -> None:
    joined = file.read_text().replace("\\\n", " ")
    pinned = [line for line in joined.splitlines() if re.match(r"\w", line)]
    assert pinned
    assert all(re.match(r"\S+==\S+ .*--hash=sha256:[0-9a-f]{64}", line) for line in pinned)


def test_no_script_of_an_npm_package_runs_at_its_installation() -> None:
    """It would run beside the npmrc of whoever builds, who may be allowed to publish."""
    recipes = [*found("Dockerfile"), *found("*.Dockerfile"), *(PROJECT / "scripts").iterdir()]
    calls = [
        (recipe.name, line.strip())
        for recipe in recipes
        if recipe.is_file()
        for line in recipe.read_text().splitlines()
        if re.search(r"\bnpm (ci|install|i)\b", line) and not line.lstrip().startswith("#")
    ]
    assert calls
    assert [call for call in calls if "--ignore-scripts" not in call[1]] == []


def test_every_go_module_is_verified_by_a_sum_file() -> None:
    for module in found("go.mod"):
        required = re.findall(r"^\t?(?:require )?(\S+\.\S+/\S+) v\S+", module.read_text(), re.MULTILINE)
        sums = module.with_name("go.sum").read_text() if module.with_name("go.sum").exists() else ""
        assert bool(required) == bool(sums.strip()), module
