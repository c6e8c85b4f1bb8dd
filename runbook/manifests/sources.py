"""Where manifests come from: files, folders, charts that Helm renders, and our own charts in all their variants."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.application import DATABASE_NAMESPACE, DATABASE_RELEASE, MODEL_NAMESPACE, MODEL_RELEASE
from runbook.checks.rendering import NAMESPACE, RELEASE, chart_of, variants
from runbook.errors import CommandFailed, UsageError
from runbook.manifests.documents import Document, documents
from runbook.manifests.item import Item
from runbook.manifests.scene import Scene
from runbook.world.helm import NO_VALUES, Values

if TYPE_CHECKING:
    from runbook.world import World

SUFFIXES = (".yaml", ".yml", ".json")
DEFAULT_NAMESPACE = "default"
CLUSTER_WIDE = frozenset(
    {
        "APIService",
        "CSIDriver",
        "CertificateSigningRequest",
        "ClusterIssuer",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    }
)
STAND_INS = (
    ("postgres", DATABASE_RELEASE, DATABASE_NAMESPACE),
    ("offline-model", MODEL_RELEASE, MODEL_NAMESPACE),
)
SWITCHES: dict[str, dict[str, Any]] = {
    "Dapr": {"global": {"dapr": {"enabled": True}}, "redis": {"enabled": True}},
    "Redis": {"redis": {"enabled": True}},
}
"""Parts of the application's chart that its values files leave off."""

_SOURCE = "# Source: "


@dataclass(frozen=True, slots=True, eq=False)
class Rendering:
    """A chart with values, as a release in a namespace."""

    chart: Path
    release: str
    namespace: str
    values: Values = NO_VALUES


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to judge, and how many documents are no Kubernetes objects."""

    scenes: tuple[Scene, ...]
    passed_over: int = 0


def ours(world: World, file: str = "") -> Found:
    """The application's chart with each values file, plain and with its switches on; the stand-ins beside a local one.

    With `file` only the renderings with that values file. The manifests of k8s/ are part of each: the namespace, and
    the form of the Secret.
    """
    chart, project = chart_of(world), world.settings.project
    plain = [item for file in sorted((project / "k8s").glob("*.yaml")) for item in _file(file)[0]]
    stand_ins = [Rendering(project / "charts" / name, release, where) for name, release, where in STAND_INS]
    wanted: dict[str, list[Rendering]] = {}
    for title, values in variants(chart):
        if file and title != file:
            continue
        for switch, overrides in {"": {}, **_switches(chart)}.items():
            chosen = Values(values.files, overrides)
            parts = [Rendering(chart, RELEASE, NAMESPACE, chosen)]
            local = any("dev" in file.stem for file in values.files)
            wanted[f"{title} with {switch}" if switch else title] = parts + (stand_ins if local else [])
    rendered = _all(world, dict.fromkeys(part for parts in wanted.values() for part in parts))
    return Found(
        tuple(
            Scene(title, (*plain, *(item for part in parts for item in rendered[part])))
            for title, parts in wanted.items()
        )
    )


def theirs(world: World, path: Path, values: Sequence[Path] = ()) -> Found:
    """A manifest, a folder of manifests, a chart, or a folder in which there are charts."""
    if not path.exists():
        raise UsageError(f"there is no {path}", wanted="a manifest, a folder of manifests or a chart")
    for file in values:
        if not file.is_file():
            raise UsageError(f"there is no {file}", wanted="a values file for the chart")
    charts = [path] if _is_chart(path) else []
    files: list[Path] = []
    if path.is_dir() and not charts:
        charts, files = _walk(path)
    elif not charts:
        files = [path]
    if values and not charts:
        raise UsageError(f"{path} is no chart", wanted="a chart for --values")
    chosen = Values(tuple(values))
    renderings = [Rendering(chart, _release(chart), DEFAULT_NAMESPACE, chosen) for chart in charts]
    rendered = _all(world, renderings)
    # Each chart by itself: what one release holds is no other's.
    scenes = [Scene(str(each.chart), tuple(rendered[each])) for each in renderings]
    read = [_file(file) for file in files]
    items = [item for found, _ in read for item in found]
    if items or not scenes:
        scenes.append(Scene(str(path), tuple(items)))
    return Found(tuple(scenes), sum(passed for _, passed in read))


def items_of(text: str, name: str, namespace: str = DEFAULT_NAMESPACE) -> tuple[list[Item], int]:
    """The objects of a YAML stream, and how many of its documents are none."""
    items, passed = [], 0
    for document in (each for found in documents(text, name) for each in found.items()):
        if _is_object(document.value):
            items.append(_item(document, namespace, name))
        else:
            passed += 1
    return items, passed


def _item(document: Document, namespace: str, file: str, *, rendered: bool = False) -> Item:
    """Raises `UsageError` for what has no name that one could speak of it by."""
    value, metadata = document.value, document.value.get("metadata")
    if not isinstance(metadata, Mapping) or not (metadata.get("name") or metadata.get("generateName")):
        where = file if rendered else f"{file}:{document.line}"
        raise UsageError(f"{where}: a {value['kind']} without metadata.name", wanted="Kubernetes objects")
    cluster_wide = value["kind"] in CLUSTER_WIDE
    effective = "" if cluster_wide else str(metadata.get("namespace") or namespace)
    return Item(document, effective, file, rendered)


def _all(world: World, wanted: Iterable[Rendering]) -> dict[Rendering, list[Item]]:
    """Rendered on all cores: Helm is a process of its own."""
    listed = list(wanted)
    with ThreadPoolExecutor(max(1, min(len(listed), os.cpu_count() or 1))) as pool:
        return dict(zip(listed, pool.map(lambda each: _render(world, each), listed), strict=True))


def _render(world: World, each: Rendering) -> list[Item]:
    try:
        text = world.helm.rendered(
            each.chart, release=each.release, namespace=each.namespace, values=each.values
        )
    except CommandFailed as error:
        told = " ".join(error.observed.split())
        raise UsageError(
            f"the chart {each.chart} does not render: {told}",
            wanted="a chart that Helm renders with these values",
            hint=f"helm dependency build {each.chart}" if "dependenc" in told else f"helm lint {each.chart}",
        ) from error
    lines = text.splitlines()
    items = []
    for document in (part for found in documents(text, str(each.chart)) for part in found.items()):
        if _is_object(document.value):
            template = _template(lines, document.line, each.chart)
            items.append(_item(document, each.namespace, template, rendered=True))
    return items


def _template(lines: Sequence[str], line: int, chart: Path) -> str:
    """The template that made the document of that line, as a path below the chart's folder."""
    for text in reversed(lines[: line - 1]):
        if text.startswith(_SOURCE):
            return _relative(chart / text.removeprefix(_SOURCE).partition("/")[2])
    return _relative(chart)


def _file(file: Path) -> tuple[list[Item], int]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}", wanted="a text file of manifests") from error
    return items_of(text, _relative(file))


def _walk(root: Path) -> tuple[list[Path], list[Path]]:
    """Charts and manifests of a folder; what belongs to a chart is that chart's."""
    charts, files = [], []
    for here, folders, names in os.walk(root):
        place = Path(here)
        if _is_chart(place):
            charts.append(place)
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")
        files += [place / name for name in sorted(names) if name.endswith(SUFFIXES)]
    return charts, files


def _is_chart(path: Path) -> bool:
    return (path / "Chart.yaml").is_file() or (path.is_file() and path.suffix == ".tgz")


def _release(chart: Path) -> str:
    """A name that Helm takes for a release."""
    kept = "".join(
        sign if sign.isalnum() else "-" for sign in chart.resolve().name.removesuffix(".tgz").lower()
    ).strip("-")
    return kept[:53].strip("-") or "release"


def _is_object(value: Any) -> bool:
    """Configuration of programs (kustomize, the kubelet) has a kind too, but neither metadata nor a spec."""
    if not isinstance(value, Mapping) or not ("metadata" in value or "spec" in value):
        return False
    return bool(value.get("apiVersion")) and bool(value.get("kind"))


def _switches(chart: Path) -> dict[str, dict[str, Any]]:
    """The switches that this chart's values know."""
    known = documents((chart / "values.yaml").read_text(encoding="utf-8"), "values.yaml")[0].value
    return {name: overrides for name, overrides in SWITCHES.items() if _knows(known, overrides)}


def _knows(values: Any, overrides: Mapping[str, Any]) -> bool:
    return all(
        isinstance(values, Mapping)
        and key in values
        and (not isinstance(wanted, Mapping) or _knows(values[key], wanted))
        for key, wanted in overrides.items()
    )


def _relative(path: Path) -> str:
    """As the user may open it from where they are."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()
