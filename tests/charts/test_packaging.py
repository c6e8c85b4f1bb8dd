"""Phase 6 on the charts by the real Helm: what it passes, and that each planted fault is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook.clients.helm import Helm, Values
from runbook.engine.errors import CommandMissing, Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from tests.charts.binary import HELM
from tests.charts.test_charts import (
    APPLICATION,
    PROJECT,
    client,
    development,
    environment,
    outcome_of,
    project,
    replace,
)

__all__ = ["project"]

pytestmark = pytest.mark.skipif(HELM is None, reason="Helm is not installed: inv setup")

AUTHORED = tuple(f"T{number:03d}" for number in range(93, 100))
PRODUCTION = APPLICATION / "values-prod.yaml"
Edit = Callable[[str], str]


@pytest.fixture
def helm() -> Helm:
    return client(Settings())


@pytest.mark.parametrize("step_id", AUTHORED)
def test_each_step_of_the_package_passes(step_id: str) -> None:
    outcome = outcome_of(step_id, PROJECT)
    assert outcome.status is Status.PASSED, outcome


def added(text: str) -> Edit:
    return lambda there: there + text


FAULTS: list[tuple[str, str, Edit, str]] = [
    ("T093", "values-prod.yaml", replace("mcp-server:\n  replicaCount: 3", "mcp-server:\n  replicaCount: 2"),
        "mcp-server has 2 replicas, not 3|the default is repeated: mcp-server.replicaCount"),
    ("T093", "values-prod.yaml", replace("  imageRegistry: registry.example.com/todo\n", ""),
        "comes from no registry"),
    ("T093", "values-prod.yaml", replace("imagePullPolicy: Always", "imagePullPolicy: Never"), "is pulled Never"),
    ("T093", "values-prod.yaml", replace("DoNotSchedule", "ScheduleAnyway"), "may all be on one node"),
    ("T093", "values-prod.yaml", replace("scheme: https", "scheme: http"), "calls itself http://todo.example.com"),
    ("T093", "values-prod.yaml", replace("secretName: todo-tls", 'secretName: ""'),
        "has no certificate for todo.exam"),
    ("T093", "values-prod.yaml", replace("    enabled: true\n    sidecar", "    enabled: false\n    sidecar"),
        "sidecar|asks"),
    ("T093", "values-prod.yaml", replace("persistence:\n    enabled: true", "persistence:\n    enabled: false"),
        "on no claimed volume"),
    ("T093", "templates/_helpers.tpl", replace("maxUnavailable: 1\n", "maxUnavailable: 0\n"),
        "0 pods of frontend may be"),
    ("T093", "templates/_helpers.tpl", replace("maxUnavailable: 1\n", "minAvailable: 100%\n"),
        "0 pods of frontend may"),
    ("T093", "templates/_helpers.tpl", replace("image.digest -}}", "image.digestt -}}"),
        "although a digest was given"),
    ("T093", "templates/security/_contexts.tpl", replace("Filesystem: true", "Filesystem: false"), "readOnly"),
    ("T094", "README.md", replace("| `global.host` | `todo.local` |", "| `global.hots` | `todo.local` |"),
        "global.hots is described and does not exist"),
    ("T094", "README.md", replace("| `frontend.replicaCount` | `2` |", "| `frontend.replicaCount` | `3` |"),
        "the default of frontend.replicaCount is 2, not 3"),
    ("T094", "README.md", replace('| `global.userId` | `1000` |', '| `global.userId` | `"1000"` |'),
        "global.userId is 1000"),
    ("T094", "values.yaml", replace("  maxMemory: 96mb", "  maxMemory: 96mb\n  ports: { plain: 1 }"),
        "redis.ports.plain is not described"),
    ("T094", "values.schema.json", replace('"maxMemory": {', '"maxClients": { "type": "integer" },\n"maxMemory": {'),
        "redis.maxClients is not described (the schema takes it"),
    ("T094", "charts/redis/values.yaml", added("timeout: 3\n"), "redis.timeout is not described"),
    ("T094", "README.md", replace("| `redis.maxMemory` |",
        "| `redis.persistence` | `{}` | twice |\n| `redis.maxMemory` |"),
        "is described by 2 rows"),
    ("T095", "templates/NOTES.txt", replace("--namespace {{ .Release.Namespace }} --watch",
        "--namespace todo --watch"),
        "is for another namespace than elsewhere"),
    ("T095", "templates/NOTES.txt", replace("helm rollback {{ .Release.Name }}", "helm rollback todo-app"),
        "is for another release than shop"),
    ("T095", "templates/NOTES.txt", replace(".Values.global.scheme", '"http"'),
        "where to open it: https://shop.example"),
    ("T095", "templates/NOTES.txt", replace("its own and daprd", "its own"), "with Dapr they do not say daprd"),
    ("T095", "templates/NOTES.txt", added("Key: sk-abcdefghijklmnopqrstuvwx\n"), "they hold an API key"),
    ("T095", "templates/NOTES.txt", added("{{ .Values.nowhere.deep }}"), "the notes do not render"),
    ("T096", "Chart.yaml", replace("- name: redis\n    version: 1.0.0", "- name: redis\n    version: 2.0.0"),
        "redis is listed as 2.0.0 and is 1.0.0"),
    ("T096", "Chart.yaml", replace("condition: backend.enabled", "condition: backend.on"),
        "backend.on is not a switch"),
    ("T096", "Chart.yaml", replace("condition: backend.enabled", "condition: frontend.enabled"),
        "with backend switched off it has"),
    ("T096", "Chart.yaml", lambda text: text[: text.index("  - name: redis")], "sub-chart redis is not listed"),
    ("T096", "charts/redis/Chart.yaml", replace("name: redis", "name: valkey"), "calls itself valkey"),
    ("T096", "charts/extra/Chart.yaml", added("apiVersion: v2\nname: extra\nversion: 1.0.0\n"),
        "charts/extra is not listed"),
    ("T097", "values-prod.yaml", replace("  replicaCount: 3\n  ingress", "  replicas: 3\n  ingress"), "replicas"),
    ("T097", "charts/frontend/templates/ingress.yaml", replace("secretName: {{ . }}", "secretName: {{ .a.b }}"),
        "error"),
    ("T097", "values.schema.json", replace('"replicaCount": { "$ref": "#/definitions/replicas" },',
        '"replicaCount": {}, "replicaCuont": {},'), 'takes the misspelt {"frontend": {"replicaCuont": 2}}'),
    ("T098", "values-dev.yaml", replace("mcp-server:\n  replicaCount: 1", "mcp-server:\n  replicaCount: 2"),
        "mcp-server has 2 replicas, not 1"),
    ("T098", "values-dev.yaml", replace("imagePullPolicy: Never", "imagePullPolicy: Always"),
        "pulled Always, not Never"),
    ("T098", "templates/_helpers.tpl",
        replace("kind: Service\nmetadata:\n  name: {{ include \"todo-app.service\" . }}\n"
        "  namespace: {{ .Release.Namespace }}",
        "kind: Service\nmetadata:\n  name: {{ include \"todo-app.service\" . }}\n"
        "  namespace: default"), "Service frontend-svc goes to namespace default"),
    ("T098", "charts/backend/templates/extra.yaml", added("apiVersion: v1\nkind: Secret\nmetadata:\n  name: backend\n"
        "  namespace: {{ .Release.Namespace }}\n  labels: {{- include \"todo-app.labels\" . | nindent 4 }}\n"
        "stringData: { password: not-for-a-chart }\n"), "backend has a Secret that nobody expects"),
    ("T098", "charts/backend/templates/service.yaml", lambda text: f"{text}\n---\n{text}",
        "backend-svc is there 2 times"),
    ("T098", "charts/backend/templates/service.yaml", lambda _: "", "backend has no Service"),
    ("T098", "templates/_helpers.tpl", replace("enableServiceLinks: false\n", "hostNetwork: true\n"),
        "shares the node's Network"),
    ("T099", "values-prod.yaml", replace("backend:\n  replicaCount: 3", "backend:\n  replicaCount: 4"),
        "backend has 4 replicas, not 3"),
    ("T099", "values-prod.yaml", replace("    enabled: true\n    sidecar", "    enabled: false\n    sidecar"),
        "todo-app has no Component"),
    ("T099", "templates/_helpers.tpl", replace("kind: PodDisruptionBudget", "kind: ConfigMap"),
        "no PodDisruptionBudget"),
]  # fmt: skip


@pytest.mark.parametrize(("step_id", "path", "edit", "part"), FAULTS)
def test_a_planted_fault_is_told(
    project: Path,
    step_id: str,
    path: str,
    edit: Edit,
    part: str,
) -> None:
    file = project / "charts" / "todo-app" / path
    file.parent.mkdir(exist_ok=True)
    file.write_text(edit(file.read_text() if file.is_file() else ""))
    outcome = outcome_of(step_id, project)
    assert outcome.status is Status.FAILED, outcome
    assert any(each in outcome.observed for each in part.split("|")), outcome.observed
    assert outcome.hint


@pytest.mark.parametrize("step_id", ("T093", "T099"))
def test_without_production_values_nothing_is_measured(project: Path, step_id: str) -> None:
    (project / "charts/todo-app/values-prod.yaml").unlink()
    with pytest.raises(Unmeasurable, match=r"there is no .*values-prod\.yaml"):
        outcome_of(step_id, project)


def test_a_readme_without_a_table_describes_nothing(project: Path) -> None:
    (project / "charts/todo-app/README.md").write_text("# Chart\n")
    with pytest.raises(Unmeasurable, match="0 rows and"):
        outcome_of("T094", project)
    (project / "charts/todo-app/README.md").unlink()
    assert "the chart has no README" in outcome_of("T094", project).observed


@pytest.mark.parametrize("step_id", [each for each in AUTHORED if each != "T094"])
def test_without_helm_nothing_is_measured(monkeypatch: pytest.MonkeyPatch, step_id: str) -> None:
    def missing(*_: Any, **__: Any) -> Any:
        raise CommandMissing("the command helm is not there", hint="inv setup")

    monkeypatch.setattr(Helm, "_run", missing)
    with pytest.raises(CommandMissing):
        outcome_of(step_id, PROJECT)


def test_mail_brings_its_variables_its_key_and_its_way_out(helm: Helm) -> None:
    assert "SMTP_HOST" not in environment(development(helm)["Deployment", "frontend"])
    mail = {"host": "mail.example.org", "port": 465, "from": "todo@example.org"}
    objects = development(helm, frontend={"mail": mail})
    given = environment(objects["Deployment", "frontend"])
    assert {name: value for name, value in given.items() if name.startswith("SMTP")} == {
        "SMTP_HOST": "mail.example.org",
        "SMTP_PORT": "465",
        "SMTP_FROM": "todo@example.org",
    }
    (way,) = objects["NetworkPolicy", "frontend-to-mail"]["spec"]["egress"]
    assert way["ports"] == [{"protocol": "TCP", "port": 587}]
    given = environment(
        development(helm, frontend={"mail": mail | {"user": "todo"}})["Deployment", "frontend"]
    )
    assert (given["SMTP_USER"], given["SMTP_PASSWORD"]) == ("todo", "todo-secrets:smtp-password")


def test_a_certificate_is_asked_for_where_one_is_named(helm: Helm) -> None:
    assert "tls" not in development(helm)["Ingress", "frontend"]["spec"]
    objects = development(helm, frontend={"ingress": {"tls": {"secretName": "own"}}})
    assert objects["Ingress", "frontend"]["spec"]["tls"] == [{"hosts": ["todo.local"], "secretName": "own"}]


def test_replicas_are_spread_as_asked_and_each_rollout_by_itself(helm: Helm) -> None:
    values = Values((PRODUCTION,))
    objects = helm.template(APPLICATION, release="todo-app", namespace="n", values=values)
    deployment = next(each for each in objects if each["kind"] == "Deployment")
    found = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert {each["topologyKey"]: each["whenUnsatisfiable"] for each in found} == {
        "kubernetes.io/hostname": "DoNotSchedule",
        "topology.kubernetes.io/zone": "ScheduleAnyway",
    }
    assert {(each["nodeTaintsPolicy"], *each["matchLabelKeys"]) for each in found} == {
        ("Honor", "pod-template-hash")
    }
