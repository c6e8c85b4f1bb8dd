"""Where manifests come from: files, folders, charts; ours in all their variants."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from runbook.errors import CommandFailed, UsageError
from runbook.manifests import sources
from runbook.settings import Settings
from runbook.world import World
from runbook.world.helm import Values
from tests.worlds import world_of

PROJECT = Path(__file__).resolve().parents[2]
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {0}}}\n"
RENDERED = """\
---
# Source: shop/templates/web.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
---
# Source: shop/charts/db/templates/db.yaml
apiVersion: v1
kind: Namespace
metadata: {name: db}
"""


class FakeHelm:
    """Renders each chart to the same text, and remembers what it was asked."""

    def __init__(self, text: str = RENDERED, error: CommandFailed | None = None) -> None:
        self.text, self.error = text, error
        self.asked: list[tuple[str, str, str, Values]] = []

    def rendered(self, chart: Path, *, release: str, namespace: str, values: Values) -> str:
        if self.error:
            raise self.error
        self.asked.append((chart.name, release, namespace, values))
        return self.text


def world(helm: FakeHelm | None = None, project: Path = PROJECT) -> World:
    return world_of(Settings(project=project), helm=helm or FakeHelm())


def chart(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "Chart.yaml").write_text("name: shop\nversion: 1.0.0\n")
    (folder / "values.yaml").write_text("a: {{ no yaml\n")
    return folder


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(
        CONFIG.format("a")
        + "---\nsome: values\n---\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
    )
    found = sources.theirs(world(), file)
    assert [item.title for item in found.scenes[0].items] == ["ConfigMap default/a"]
    assert found.passed_over == 2


def test_a_folder_is_walked_and_charts_in_it_are_rendered_each_by_itself(tmp_path: Path) -> None:
    for name in (
        "a.yaml",
        "deep/b.yml",
        "deep/c.json",
        ".hidden/d.yaml",
        "node_modules/e.yaml",
        "deep/notes.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(CONFIG.format(Path(name).stem))
    chart(tmp_path / "charts" / "shop")
    helm = FakeHelm()
    found = sources.theirs(world(helm), tmp_path)
    titles = [[item.title for item in scene.items] for scene in found.scenes]
    assert titles == [
        ["ConfigMap default/web", "Namespace db"],
        ["ConfigMap default/a", "ConfigMap default/b", "ConfigMap default/c"],
    ]
    assert [asked[:3] for asked in helm.asked] == [("shop", "shop", "default")]


def test_what_helm_rendered_is_found_in_its_template(tmp_path: Path) -> None:
    folder = chart(tmp_path / "my.Shop_1")
    values = tmp_path / "prod.yaml"
    values.write_text("{}")
    helm = FakeHelm()
    (scene,) = sources.theirs(world(helm), folder, [values]).scenes
    assert [item.file for item in scene.items] == [
        f"{folder}/templates/web.yaml",
        f"{folder}/charts/db/templates/db.yaml",
    ]
    assert scene.items[0].line_of("metadata") is None
    assert helm.asked[0][1:] == ("my-shop-1", "default", Values((values,)))


@pytest.mark.parametrize(
    ("path", "values", "words"),
    [
        ("none", [], "there is no"),
        ("a.yaml", ["a.yaml"], "is no chart"),
        ("shop", ["none.yaml"], "there is no .*none.yaml"),
        ("binary.yaml", [], "cannot be read"),
    ],
)
def test_bad_paths_are_usage_errors(tmp_path: Path, path: str, values: list[str], words: str) -> None:
    (tmp_path / "a.yaml").write_text(CONFIG.format("a"))
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    chart(tmp_path / "shop")
    with pytest.raises(UsageError, match=words):
        sources.theirs(world(), tmp_path / path, [tmp_path / each for each in values])


def test_a_chart_that_does_not_render_is_bad_input(tmp_path: Path) -> None:
    helm = FakeHelm(error=CommandFailed("found in Chart.yaml,\nbut missing: dependency db"))
    with pytest.raises(
        UsageError, match=r"does not render: found in Chart.yaml, but missing.*helm dependency build"
    ):
        sources.theirs(world(helm), chart(tmp_path / "shop"))


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    (scene,) = sources.theirs(world(), tmp_path).scenes
    assert scene.items == ()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Our charts and manifests, without what Helm alone could read."""
    for folder in ("charts", "k8s"):
        shutil.copytree(PROJECT / folder, tmp_path / folder)
    return tmp_path


def test_our_chart_is_rendered_with_each_values_file_and_each_switch(project: Path) -> None:
    helm = FakeHelm()
    found = sources.ours(world(helm, project))
    titles = [scene.title for scene in found.scenes]
    assert {"defaults", "values-dev.yaml", "defaults with Dapr", "values-dev.yaml with Dapr"} <= set(titles)
    charts = [name for name, *_ in helm.asked]
    assert charts.count("todo-app") == len(titles)
    assert (charts.count("postgres"), charts.count("offline-model")) == (1, 1)
    local = {scene.title: len(scene.items) for scene in found.scenes}
    assert local["values-dev.yaml"] == local["defaults"] + 4
    assert all(
        any(item.title == "Secret todo/todo-secrets" for item in scene.items) for scene in found.scenes
    )


def test_a_switch_that_the_chart_does_not_know_is_left_out(project: Path) -> None:
    (project / "charts" / "todo-app" / "values.yaml").write_text(
        "global: {dapr: {}}\nredis: {enabled: false}\n"
    )
    titles: list[Any] = [scene.title for scene in sources.ours(world(project=project)).scenes]
    assert "defaults with Redis" in titles
    assert "defaults with Dapr" not in titles
