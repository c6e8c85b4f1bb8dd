"""Where manifests come from: files, folders, charts that Helm renders, kustomizations, and our own charts."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from runbook.app.application import DATABASE_NAMESPACE, DATABASE_RELEASE, MODEL_NAMESPACE, MODEL_RELEASE
from runbook.app.blueprint import chart_of
from runbook.checks.chart.rendering import DIRECT, MESHED, NAMESPACE, RELEASE, variants
from runbook.checks.tools.installed import kubectl_binary
from runbook.clients.helm import NO_VALUES, Values
from runbook.engine.errors import RunbookError, UsageError

if TYPE_CHECKING:
    from runbook.world import World

SUFFIXES = (".yaml", ".yml", ".json")
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
STAND_INS = (
    ("postgres", DATABASE_RELEASE, DATABASE_NAMESPACE),
    ("offline-model", MODEL_RELEASE, MODEL_NAMESPACE),
)
KUSTOMIZE_SECONDS = 60.0
ABSOLUTE = "absolute"
"""The folder of the scratch folder for sources with an absolute path."""

_DEFAULT_NAMESPACE = re.compile(
    r"""(\bnamespace"?:[ \t]*)(["']?)default\2(?=[ \t]*(?:[,}#\r]|$))""", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Source:
    """Objects that are applied together; `title` is what a person calls them."""

    title: str
    files: tuple[Path, ...]


@dataclass(slots=True)
class Found:
    """What there is to judge, and by title what could not be rendered, and why."""

    sources: list[Source] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    """What is not meant to be rendered by itself, such as a library chart."""

    def render(self, title: str, scratch: Path, text: Callable[[], str]) -> None:
        """Keep what a renderer makes as a file named like its source; a failure keeps nobody else from being judged."""
        try:
            rendered = text()
        except RunbookError as error:
            self.unread[title] = " ".join(error.observed.split())
            return
        self.sources.append(Source(title, (_copy(rendered, f"{title}.yaml", scratch),)))


def _copy(text: str, name: str, scratch: Path) -> Path:
    """The text under that name in the scratch folder, without the namespace `default`.

    kube-score takes an object without a namespace and one in `default` for two places.
    """
    file = scratch / ABSOLUTE / name.lstrip("/") if name.startswith("/") else scratch / name
    file = Path(os.path.normpath(str(file).replace("..", "__")))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_DEFAULT_NAMESPACE.sub(r'\1""', text), encoding="utf-8")
    return file


def _as_read(file: Path, scratch: Path) -> Path:
    """The file itself, or a copy where it names the namespace that others of its kind leave out."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return file  # kube-score says what is wrong with it
    return _copy(text, str(file), scratch) if _DEFAULT_NAMESPACE.search(text) else file


def ours(world: World, scratch: Path) -> Found:
    """The application's chart with each values file, with and without Dapr; the stand-ins; the files of k8s/."""
    found, chart = Found(), chart_of(world)
    for mode in (DIRECT, MESHED):
        for title, values in variants(chart, mode):
            _chart(found, world, chart, f"charts/todo-app ({title})", scratch, values, RELEASE, NAMESPACE)
    for name, release, namespace in STAND_INS:
        folder = world.settings.project / "charts" / name
        _chart(found, world, folder, f"charts/{name}", scratch, NO_VALUES, release, namespace)
    found.sources.append(Source("k8s", tuple(sorted((world.settings.project / "k8s").glob("*.yaml")))))
    return found


def theirs(world: World, path: Path, values: Sequence[Path], scratch: Path) -> Found:
    """A manifest, a folder of manifests, a chart, a kustomization, or a folder that holds any of them.

    Raises `UsageError` for a path or a values file that is not there.
    """
    if not path.exists():
        raise UsageError(
            f"there is no {path}", wanted="a manifest, a folder of manifests, a chart or a kustomization"
        )
    if missing := [file for file in values if not file.is_file()]:
        raise UsageError(f"there is no {missing[0]}", wanted="a values file for the chart")
    if path.name in KUSTOMIZATIONS:
        path = path.resolve().parent
    charts, kustomizations, files = _walk(path) if path.is_dir() else ([], [], [path])
    if path.suffix == ".tgz":
        charts, files = [path], []
    if values and not charts:
        raise UsageError(f"{path} holds no chart", wanted="a chart for --values")
    found = Found()
    for chart in charts:
        if _is_library(chart):
            found.skipped[str(chart)] = "a library chart, which renders nothing by itself"
        else:
            _chart(
                found, world, chart, str(chart), scratch, Values(tuple(values)), _release(chart), "default"
            )
    for folder in _outermost(kustomizations):
        found.render(str(folder), scratch, lambda folder=folder: _kustomized(world, folder))  # type: ignore[misc]
    if files:
        found.sources.append(Source(str(path), tuple(_as_read(file, scratch) for file in files)))
    return found


def _chart(
    found: Found,
    world: World,
    chart: Path,
    title: str,
    scratch: Path,
    values: Values,
    release: str,
    namespace: str,
) -> None:
    def text() -> str:
        return world.helm.rendered(chart, release=release, namespace=namespace, values=values)

    found.render(title, scratch, text)


def _kustomized(world: World, folder: Path) -> str:
    argv: list[str | Path] = [kubectl_binary(world), "kustomize", folder]
    return world.commands.run(argv, timeout=KUSTOMIZE_SECONDS).stdout


def _walk(root: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """Charts, kustomizations and manifests of a folder; files of the first two are not judged by themselves."""
    charts: list[Path] = []
    kustomizations: list[Path] = []
    files: list[Path] = []
    for here, folders, names in os.walk(root):
        place = Path(here)
        if "Chart.yaml" in names:
            charts.append(place)
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")
        if any(name in KUSTOMIZATIONS for name in names):
            kustomizations.append(place)
        elif not any(parent in kustomizations for parent in place.parents):
            files += [place / name for name in sorted(names) if name.endswith(SUFFIXES)]
    return charts, kustomizations, files


def _outermost(kustomizations: Iterable[Path]) -> Iterator[Path]:
    """Those that no other one builds on, without components, which are nothing by themselves."""
    read = {folder: _read(folder) for folder in kustomizations}
    used = {
        (folder / str(entry)).resolve()
        for folder, content in read.items()
        for key in ("resources", "bases", "components")
        for entry in content.get(key) or []
    }
    for folder, content in read.items():
        if folder.resolve() not in used and content.get("kind") != "Component":
            yield folder


def _read(folder: Path) -> dict[str, Any]:
    """What a kustomization says; empty where it cannot be read, which kustomize then says better."""
    file = next(folder / name for name in KUSTOMIZATIONS if (folder / name).is_file())
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}


def _is_library(chart: Path) -> bool:
    try:
        content = yaml.safe_load((chart / "Chart.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return False
    return isinstance(content, dict) and content.get("type") == "library"


def _release(chart: Path) -> str:
    """A name that Helm takes for a release."""
    plain = "".join(
        sign if sign.isalnum() else "-" for sign in chart.resolve().name.removesuffix(".tgz").lower()
    )
    return plain.strip("-")[:53].strip("-") or "release"
