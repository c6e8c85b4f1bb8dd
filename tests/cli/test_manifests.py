"""`inv verify.manifests` with the real kube-score, kustomize and Helm, on small folders as people have them."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.tools.installed import kubectl_binary
from runbook.cli import manifests as command
from runbook.clients.kube_score import PART, KubeScore
from runbook.clients.process.commands import Commands
from runbook.engine.errors import CommandMissing, UsageError
from runbook.engine.settings import Settings, load
from runbook.world import World

GOOD = """\
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  selector: { app: web }
  ports: [{ port: 80 }]
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: default, labels: { app: web } }
spec:
  containers: [{ name: web, image: "web:1" }]
"""
LOST = GOOD.replace("selector: { app: web }", "selector: { app: wbe }")
QUIET = (
    "container-image-tag", "container-resources", "container-ephemeral-storage-request-and-limit", "pod-networkpolicy",
    "container-security-context-user-group-id", "container-security-context-readonlyrootfilesystem", "pod-probes",
    "container-image-pull-policy",
)  # fmt: skip
"""Tests that are not what these cases are about."""


@pytest.fixture(scope="session")
def programs() -> dict[str, Path]:
    """The real programs by name; kube-score is built where it is missing, for which the tests need Go."""
    chosen = Settings()  # a fixture of the session: with the caches of whoever runs it
    world = World.of(chosen)
    try:
        score = KubeScore(world.commands, lambda: world.clients.built(PART, lambda _: None)).binary
        return {"kube-score": score, "helm": world.helm.binary, "kubectl": kubectl_binary(world)}
    except CommandMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(autouse=True)
def _installed(programs: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Commands, "find", lambda _, name: programs.get(name))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config.yaml").write_text(json.dumps({"disable": dict.fromkeys(QUIET, "not asked here")}))
    (tmp_path / "repo").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        file = folder / "repo" / name.replace("__", "/").replace("_yaml", ".yaml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def run(capsys: pytest.CaptureFixture[str], path: str = "repo", **options: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(SystemExit) as ended:
        command.verify(load({}, {}), path, config="config.yaml", json=True, **options)
    return int(ended.value.code or 0), json.loads(capsys.readouterr().out)


def findings(document: dict[str, Any]) -> dict[str, list[str]]:
    return {
        source["title"]: [
            f"{check['check']['id']} {each['object_name'].rpartition('/')[2]}"
            for each in source["objects"]
            for check in each["checks"]
            if check["grade"] < 10 and not check["skipped"]
        ]
        for source in document["sources"]
    }


def test_what_is_good_is_0_and_a_service_without_pods_is_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, web_yaml=GOOD)
    code, document = run(capsys)
    assert (code, findings(document)) == (0, {"repo": []})
    write(folder, web_yaml=LOST)
    code, document = run(capsys)
    assert (code, findings(document)) == (1, {"repo": ["service-targets-pod web"]})


TEMPLATE = 'metadata:\n  {{- include "x" . | nindent 2 }}\n'


@pytest.mark.parametrize(
    "bad", ["kind: [x\n", "apiVersion: v1\nkind: Service\nspec: 5\n", "\x00\x01", TEMPLATE, "just words\n"]
)
def test_a_file_that_cannot_be_read_is_named_and_keeps_nobody_from_being_judged(
    folder: Path, capsys: pytest.CaptureFixture[str], bad: str
) -> None:
    write(folder, web_yaml=GOOD, bad_yaml=bad)
    code, document = run(capsys)
    assert code == 3
    assert list(document["unjudged"]) == ["repo/bad.yaml"]
    assert [len(source["objects"]) for source in document["sources"]] == [2]
    write(folder, web_yaml=LOST)
    assert run(capsys)[0] == 1


@pytest.mark.parametrize("foreign", ["site: !!python/name:a.b\n", "db: !vault |\n  12\n", "x: =\n"])
def test_foreign_yaml_is_named_and_changes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], foreign: str
) -> None:
    write(folder, web_yaml=GOOD, mkdocs_yaml=foreign)
    code, document = run(capsys)
    assert (code, findings(document)) == (0, {"repo": []})
    assert "repo/mkdocs.yaml" in document["skipped"]


def test_nothing_to_judge_is_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, mkdocs_yaml="site: x\n")
    assert run(capsys)[0] == 3


def test_a_kustomization_is_rendered_and_its_parts_are_not_judged_by_themselves(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        folder,
        base__kustomization_yaml="resources: [web.yaml]\n",
        base__web_yaml=LOST,
        overlays__prod__kustomization_yaml="resources: [../../base]\npatches: [{ path: fix.yaml }]\n",
        overlays__prod__fix_yaml=GOOD.partition("---")[0],
        overlays__dev__kustomization_yaml="resources: [../../base]\nnamePrefix: dev-\n",
        overlays__broken__kustomization_yaml="resources: [nowhere.yaml]\n",
        overlays__part__kustomization_yaml="apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
    )
    code, document = run(capsys)
    assert code == 1
    assert findings(document) == {
        "repo/overlays/dev": ["service-targets-pod dev-web"],
        "repo/overlays/prod": [],
    }
    assert list(document["unjudged"]) == ["repo/overlays/broken"]
    assert "nowhere.yaml" in document["unjudged"]["repo/overlays/broken"]
    code, document = run(capsys, "repo/overlays/prod/kustomization.yaml")
    assert (code, [len(source["objects"]) for source in document["sources"]]) == (0, [2])


def test_a_chart_is_rendered_a_library_is_skipped_and_one_that_fails_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = "apiVersion: v2\nname: {}\nversion: 1.0.0\n"
    write(
        folder,
        app__Chart_yaml=metadata.format("app"),
        app__values_yaml="label: wbe\n",
        app__templates__web_yaml=LOST.replace("wbe", "{{ .Values.label }}"),
        lib__Chart_yaml=f"{metadata.format('lib')}type: library\n",
        needs__Chart_yaml=metadata.format("needs"),
        needs__templates__web_yaml='a: {{ required "a name is wanted" .Values.name }}\n',
    )
    code, document = run(capsys)
    assert (code, findings(document)) == (1, {"repo/app": ["service-targets-pod web"]})
    assert "a name is wanted" in document["unjudged"]["repo/needs"]
    assert list(document["skipped"]) == ["repo/lib"]
    (folder / "good.yaml").write_text("label: web\n")
    assert run(capsys, "repo/app", values=["good.yaml"])[0] == 0


def test_reports_say_the_same_as_the_screen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, web_yaml=LOST, bad_yaml="kind: [x\n")
    names = ["out/r.sarif", "out/r.xml", "out/r.json"]
    code, document = run(capsys, files=names)
    sarif = json.loads((folder / names[0]).read_text())
    (uri,) = {
        place["physicalLocation"]["artifactLocation"]["uri"]
        for run_ in sarif["runs"]
        for result in run_["results"]
        for place in result["locations"]
    }
    assert (sarif["version"], uri) == ("2.1.0", "repo/web.yaml")
    assert "repo/bad.yaml" in json.dumps(sarif["runs"][-1]["invocations"])
    junit = ET.parse(folder / names[1])
    assert [case.get("name") for case in junit.iter("testcase") if case.find("failure") is not None]
    assert [case.get("name") for case in junit.iter("testcase") if case.find("error") is not None] == [
        "repo/bad.yaml"
    ]
    assert json.loads((folder / names[2]).read_text()) == document
    with pytest.raises(SystemExit) as ended:
        command.verify(load({}, {}), "repo", config="config.yaml")
    assert ended.value.code == code == 1
    shown = capsys.readouterr().out
    assert "could not be judged: repo/bad.yaml" in shown
    assert "critical 1, warning 0, could not be judged 1; objects 2" in shown
    assert "Service Targets Pod" in shown


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"path": "nowhere"}, "there is no nowhere"),
        ({"path": "repo", "values": ["none.yaml"]}, "there is no none.yaml"),
        ({"path": "repo", "values": ["config.yaml"]}, "repo holds no chart"),
        ({"path": "", "values": ["config.yaml"]}, "--values without --path"),
        ({"path": "repo", "files": ["r.pdf"]}, "--report r.pdf"),
        ({"path": "repo", "config": "missing.yaml"}, "missing.yaml cannot be read"),
        ({"path": "repo", "config": "odd.yaml"}, "other keys than disable and enable"),
        (
            {"path": "repo", "config": "typo.yaml"},
            "no test 'pod-probe'; wanted: the mappings disable and enable",
        ),
        ({"path": "repo", "config": "bare.yaml"}, "a test of `disable` has no reason"),
    ],
)
def test_bad_input_is_a_usage_error(folder: Path, options: dict[str, Any], words: str) -> None:
    (folder / "odd.yaml").write_text("off: {}\n")
    (folder / "typo.yaml").write_text("disable: { pod-probe: why }\n")
    (folder / "bare.yaml").write_text("disable: { pod-probes: }\n")
    path = options.pop("path")
    with pytest.raises(UsageError) as caught:
        command.verify(load({}, {}), path, **options)
    assert words in str(caught.value)


def test_our_own_charts_are_clean(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.verify(load({}, {}), json=True)
    document = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0, findings(document)
    titles = {source["title"] for source in document["sources"] if source["objects"]}
    assert {
        "charts/postgres",
        "charts/offline-model",
        "charts/todo-app (values-prod.yaml, Dapr on)",
    } <= titles


def test_an_anchor_bomb_ends(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    write(folder, web_yaml=GOOD, bomb_yaml="\n".join(lines) + "\nkind: Pod\napiVersion: v1\n")
    code, document = run(capsys)
    assert code == 3
    assert list(document["unjudged"]) == ["repo/bomb.yaml"]


def test_a_loop_of_links_ends(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, web_yaml=GOOD)
    (folder / "repo" / "again").symlink_to(folder / "repo")
    assert run(capsys)[0] == 0


def test_a_path_with_spaces(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, web_yaml=LOST)
    shutil.move(folder / "repo", folder / "my shop")
    assert run(capsys, "my shop")[0] == 1
