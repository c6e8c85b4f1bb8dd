"""The charts by the real Helm: what they render, what their schemas refuse, and that planted faults are told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from runbook.actions.package.helm_release import HOOKS
from runbook.app.application import BACKEND, COMPONENTS, FRONTEND, MCP_SERVER
from runbook.catalogue import STEPS
from runbook.clients.helm import NO_VALUES, Helm, Values
from runbook.clients.process.commands import Commands
from runbook.engine.errors import CommandFailed
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import World
from tests.charts.binary import HELM

PROJECT = Path(__file__).resolve().parents[2]
CHARTS = PROJECT / "charts"
APPLICATION = CHARTS / "todo-app"
RENDERED = (
    "T020",
    "T021",
    "T022",
    "T023",
    "T024",
    *(f"T0{n}" for n in range(25, 34)),
    "T038",
    "T039",
    "T040",
    "T041",
    "T042",
    *(f"T0{n}" for n in range(55, 71)),
    *(f"T0{n}" for n in range(81, 85)),
)

pytestmark = pytest.mark.skipif(HELM is None, reason="Helm is not installed: inv setup")


def client(settings: Settings) -> Helm:
    cluster: Any = None
    helm = Helm(settings, Commands(settings), cluster, lambda name, namespace: None)
    vars(helm)["binary"] = HELM
    return helm


@pytest.fixture
def helm() -> Helm:
    return client(Settings())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the charts and manifests, to be broken."""
    root = tmp_path / "project"
    for folder in ("charts", "k8s"):
        shutil.copytree(PROJECT / folder, root / folder)
    return root


def outcome_of(step_id: str, root: Path) -> Any:
    world = World.of(Settings(project=root))
    vars(world.clients)["helm"] = client(world.settings)
    step = next(step for step in STEPS if step.id == step_id)
    assert step.check is not None
    return step.check(world)


@pytest.mark.parametrize("step_id", RENDERED)
def test_each_step_of_the_chart_passes(step_id: str) -> None:
    outcome = outcome_of(step_id, PROJECT)
    assert outcome.status is Status.PASSED, outcome


def replace(old: str, new: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        assert old in text, old
        return text.replace(old, new)

    return edit


FAULTS = [
    ("T020", "Chart.yaml", replace("version: 1.0.0\nappVersion", "version: 1.1.0\nappVersion"), "version is 1.1.0"),
    ("T021", "values.yaml", replace("imagePullPolicy: IfNotPresent", "imagePullPolicy: Never"), "never pulled"),
    ("T022", "values-dev.yaml", replace("imagePullPolicy: Never", "imagePullPolicy: Always"), "is Always"),
    ("T023", "charts/frontend/templates/ingress.yaml", replace('include "todo-app.labels" .', '"app: own"'), "its own"),
    ("T024", "values.yaml", replace("replicaCount: 2", "replicaCuont: 2"), "replicaCuont"),
    ("T024", "charts/backend/templates/service.yaml", lambda text: text + "{{ .Values.nowhere.deep }}", "error"),
    ("T025", "templates/security/_contexts.tpl", replace("Filesystem: true", "Filesystem: false"), "readOnly"),
    ("T025", "charts/frontend/templates/deployment.yaml", replace("/app/.next", "/app/next"), "/app/.next/cache"),
    ("T026", "values.yaml", replace("{ cpu: 500m, memory: 256Mi,", "{ cpu: 500m, memory: 250Mi,"), "memory is 250Mi"),
    ("T027", "values.yaml", replace("    liveness: /\n", "    liveness: /health\n"), "asks /health, not /"),
    ("T028", "templates/_helpers.tpl", replace("type: ClusterIP", "type: NodePort"), "NodePort"),
    ("T029", "values.yaml", replace("ingressClassName: nginx", "ingressClassName: other"), "its class is other"),
    ("T029", "values.yaml", replace("host: todo.local", "host: other.local"), "no rule for all of todo.local"),
    ("T030", "values.yaml", replace("userId: 1000", "userId: 1001"), "runAsUser is 1001"),
    ("T031", "values.yaml", replace("cpu: 1000m", "cpu: 900m"), "cpu is 900m"),
    ("T032", "templates/_helpers.tpl", replace("livenessProbe", "otherProbe"), "does not render|no liveness probe"),
    ("T033", "values.yaml", replace("backend: 8000", "backend: 8001"), "8001"),
    ("T038", "templates/security/_contexts.tpl", replace("drop: [ALL]", "drop: [NET_RAW]"), "drop is not ALL"),
    ("T040", "values-dev.yaml", lambda text: text + "  probes: {liveness: /live}\n", "with values-dev.yaml"),
    ("T041", "templates/_helpers.tpl", replace("{{ .Chart.Name }}-svc", "{{ .Chart.Name }}"), "no Service"),
    ("T055", "templates/security/_access.tpl", replace("Token: false", "Token: true"), "is True, not false"),
    ("T056", "templates/security/_access.tpl", replace("verbs: [get]", "verbs: [get, list]"), "allows list secrets"),
    ("T060", "templates/security/_access.tpl", replace('name: {{ include "todo-app.account" . }}\n    namespace',
        "name: default\n    namespace"), "todo/default"),
    ("T065", "templates/_helpers.tpl", replace('serviceAccountName: {{ include "todo-app.account" . }}',
        "serviceAccountName: default"), "run under default"),
    ("T067", "templates/security/networkpolicy.yaml", replace("[Ingress, Egress]", "[Ingress]"), "not close egress"),
    ("T067", "values.yaml", replace("networkPolicy:\n    enabled: true", "networkPolicy:\n    enabled: false"),
        "there is no NetworkPolicy default-deny"),
    ("T068", "charts/frontend/templates/networkpolicy.yaml", replace('(list . "backend") | nindent 8',
        '(list . "bakend") | nindent 8'), "does not mean the pods of backend"),
    ("T069", "templates/security/_network.tpl", replace("app.kubernetes.io/name: {{ index . 1 }}",
        "app.kubernetes.io/part-of: todo-app"), "admits todo/frontend too|does not mean"),
    ("T070", "values.yaml", replace("        - 10.0.0.0/8\n", ""), "a pod's address"),
    ("T070", "charts/backend/templates/networkpolicy.yaml", replace('"backend-to-database" "Egress"',
        '"backend-to-database" "Ingress"'), "not about egress"),
    ("T068", "templates/security/_network.tpl", replace("}}50002{{", "}}50003{{"), "it opens TCP 50003, not TCP 50002"),
    ("T081", "templates/dapr/config.yaml", replace("Action: deny", "Action: allow"), "is allow, not deny"),
    ("T081", "templates/dapr/config.yaml", replace('"/mcp"', '"/**"'), "todo/todo-backend may call /**"),
    ("T082", "templates/dapr/statestore.yaml", replace("scopes:", "#"), "it is for every application"),
    ("T082", "templates/dapr/statestore.yaml", replace("key: password", "key: other"), "not key password of Secret"),
    ("T083", "templates/dapr/_sidecar.tpl", replace('dapr.io/enabled: "true"', 'dapr.io/enable: "true"'), "not set"),
    ("T084", "values.yaml", replace("{ cpu: 300m, memory: 256Mi }", "{ cpu: 1, memory: 256Mi }"), "is 1, not 300m"),
]  # fmt: skip


@pytest.mark.parametrize(("step_id", "path", "edit", "part"), FAULTS)
def test_a_planted_fault_is_told(
    project: Path, step_id: str, path: str, edit: Callable[[str], str], part: str
) -> None:
    file = project / "charts" / "todo-app" / path
    file.write_text(edit(file.read_text()))
    outcome = outcome_of(step_id, project)
    assert outcome.status is Status.FAILED, outcome
    assert any(each in outcome.observed for each in part.split("|")), outcome.observed
    assert outcome.hint


BAD_VALUES: list[dict[str, Any]] = [
    {"frontent": {}},
    {"global": {"imageTag": "latest"}},
    {"global": {"imagePullPolicy": "Sometimes"}},
    {"global": {"userId": 0}},
    {"global": {"host": "Todo Local"}},
    {"global": {"ports": {"backend": 80}}},
    {"frontend": {"replicaCount": 0}},
    {"frontend": {"replicaCount": "two"}},
    {"frontend": {"image": {"repository": "Todo Frontend"}}},
    {"frontend": {"image": {"digest": "sha256:short"}}},
    {"frontend": {"podAnnotations": {"count": 1}}},
    {"backend": {"resources": {"limits": {"cpu": "lots"}}}},
    {"backend": {"resources": {"limits": {"gpu": 1}}}},
    {"backend": {"model": {"baseUrl": "somewhere"}}},
    {"backend": {"probes": {"readiness": "health"}}},
    {"mcp-server": {"ingress": {}}},
    {"global": {"spread": {"kubernetes.io/hostname": "Maybe"}}},
    {"frontend": {"ingress": {"tls": {"secret": "own"}}}},
    {"frontend": {"mail": {"host": "mail.example.org"}}},
    {"frontend": {"mail": {"host": "mail.example.org", "from": "nobody"}}},
]


@pytest.mark.parametrize("overrides", BAD_VALUES, ids=json.dumps)
def test_the_schema_refuses_a_typo(overrides: dict[str, Any]) -> None:
    schema = json.loads((APPLICATION / "values.schema.json").read_text())
    values = merged(yaml.safe_load((APPLICATION / "values.yaml").read_text()), overrides)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, schema)


@pytest.mark.parametrize("chart", ["todo-app", "postgres", "offline-model"])
def test_helm_asks_the_schema(helm: Helm, chart: str) -> None:
    with pytest.raises(CommandFailed, match="values don't meet the specifications"):
        helm.template(CHARTS / chart, release="a", namespace="n", values=Values(overrides={"imag": {}}))


def merged(values: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """Values as Helm merges them: maps together, everything else replaced."""
    result = {**values}
    for key, value in overrides.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return result


@pytest.mark.parametrize("chart", ["todo-app", "postgres", "offline-model"])
def test_the_schema_is_a_schema_and_takes_the_defaults(chart: str) -> None:
    schema = json.loads((CHARTS / chart / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load((CHARTS / chart / "values.yaml").read_text()), schema)


def development(helm: Helm, **overrides: Any) -> dict[tuple[str, str], Any]:
    values = Values((APPLICATION / "values-dev.yaml",), overrides or None)
    objects = helm.template(APPLICATION, release="todo-app", namespace="todo", values=values)
    return {(each["kind"], each["metadata"]["name"]): each for each in objects}


def environment(workload: Any) -> dict[str, str]:
    """Variables of the one container: its value, or `secret:key`."""
    container = workload["spec"]["template"]["spec"]["containers"][0]
    return {
        each["name"]: each.get("value")
        or ":".join(each["valueFrom"]["secretKeyRef"][key] for key in ("name", "key"))
        for each in container["env"]
    }


def test_every_service_gets_its_own_variables_and_no_other_secret(helm: Helm) -> None:
    objects = development(helm)
    assert environment(objects["Deployment", "frontend"]) == {
        "NODE_ENV": "production",
        "HOSTNAME": "0.0.0.0",
        "PORT": "3000",
        "BACKEND_URL": "http://backend-svc:8000",
        "BETTER_AUTH_URL": "http://todo.local",
        "TRUSTED_PROXIES": "1",
        "DATABASE_URL": "todo-secrets:frontend-database-url",
        "BETTER_AUTH_SECRET": "todo-secrets:better-auth-secret",
    }
    assert environment(objects["Deployment", "backend"]) == {
        "PORT": "8000",
        "SHUTDOWN_TIMEOUT": "94",
        "CHAT_REQUESTS_PER_MINUTE": "20",
        "CHAT_REQUESTS_PER_DAY": "0",
        "CHAT_REQUESTS_PER_DAY_IN_ALL": "0",
        "FRONTEND_URL": "http://todo.local",
        "MCP_SERVER_URL": "http://mcp-server-svc:8080/mcp",
        "OPENAI_BASE_URL": "http://offline-model.todo-model.svc.cluster.local:8090/v1",
        "OPENAI_MODEL": "offline-model",
        "DATABASE_URL": "todo-secrets:database-url",
        "OPENAI_API_KEY": "todo-secrets:openai-api-key",
        "BETTER_AUTH_SECRET": "todo-secrets:better-auth-secret",
        "MCP_SIGNING_KEY": "todo-secrets:mcp-signing-key",
    }
    assert environment(objects["Deployment", "mcp-server"]) == {
        "PORT": "8080",
        "SHUTDOWN_TIMEOUT": "94",
        "DATABASE_URL": "todo-secrets:mcp-database-url",
        "MCP_SIGNING_KEY": "todo-secrets:mcp-signing-key",
    }


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ({}, 94),
        ({"terminationGracePeriodSeconds": 70, "drainSeconds": 10}, 55),
        ({"dapr": {"enabled": True}}, 63),
        ({"terminationGracePeriodSeconds": 3, "drainSeconds": 3}, 1),
    ],
)
def test_requests_under_way_get_what_the_drain_leaves_of_the_grace_period(
    helm: Helm, values: dict[str, Any], seconds: int
) -> None:
    objects = development(helm, **{"global": values, "redis": {"enabled": True}})
    for component in ("backend", "mcp-server"):
        assert environment(objects["Deployment", component])["SHUTDOWN_TIMEOUT"] == str(seconds)


def test_mail_proxies_and_allowances_are_values(helm: Helm) -> None:
    mail = {"host": "mail.example.org", "from": "todo@example.org", "contactTo": "us@example.org"}
    chat = {"perPersonAndMinute": 1, "perPersonAndDay": 2, "perDay": 3}
    objects = development(helm, frontend={"mail": mail, "trustedProxies": 2}, backend={"chat": chat})
    frontend = environment(objects["Deployment", "frontend"])
    assert (frontend["CONTACT_EMAIL_TO"], frontend["TRUSTED_PROXIES"]) == ("us@example.org", "2")
    backend = environment(objects["Deployment", "backend"])
    names = ("CHAT_REQUESTS_PER_MINUTE", "CHAT_REQUESTS_PER_DAY", "CHAT_REQUESTS_PER_DAY_IN_ALL")
    assert [backend[name] for name in names] == ["1", "2", "3"]


def test_migrations_end_before_helm_gives_up(helm: Helm) -> None:
    job = development(helm)["Job", "todo-app-migrate"]
    assert job["spec"]["activeDeadlineSeconds"] < HOOKS


def test_names_and_the_world_may_have_further_addresses(helm: Helm) -> None:
    outside6 = {"cidr": "::/0", "except": ["fc00::/7"]}
    network = {"dns": {"cidrs": ["169.254.20.10/32"]}, "outside6": outside6, "model": {"namespace": ""}}
    objects = development(helm, **{"global": {"networkPolicy": network}})
    names = objects["NetworkPolicy", "dns"]["spec"]["egress"][0]["to"]
    assert {"ipBlock": {"cidr": "169.254.20.10/32"}} in names
    world = objects["NetworkPolicy", "backend-to-model"]["spec"]["egress"][0]["to"]
    assert {"ipBlock": outside6} in world


def test_an_endpoint_of_ones_own_takes_the_offline_models_place(helm: Helm) -> None:
    objects = development(helm, backend={"model": {"baseUrl": "", "name": ""}})
    assert not {"OPENAI_BASE_URL", "OPENAI_MODEL"} & environment(objects["Deployment", "backend"]).keys()


def test_migrations_run_before_each_release_as_the_owner_and_just_as_safely(helm: Helm) -> None:
    objects = development(helm)
    job = objects["Job", "todo-app-migrate"]
    assert job["metadata"]["annotations"] == {
        "helm.sh/hook": "pre-install,pre-upgrade",
        "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
    }
    pod = job["spec"]["template"]["spec"]
    backend = objects["Deployment", "backend"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["command"] == ["alembic", "upgrade", "head"]
    assert environment(job) == {"DATABASE_URL": "todo-secrets:migration-database-url"}
    assert pod["securityContext"] == backend["securityContext"]
    assert pod["containers"][0]["securityContext"] == backend["containers"][0]["securityContext"]
    assert pod["containers"][0]["image"] == backend["containers"][0]["image"]
    assert pod["automountServiceAccountToken"] is False
    assert "todo-app-migrate" not in {
        name for kind, name in development(helm, backend={"migrations": {"enabled": False}})
    }


def test_an_annotation_reaches_the_pods_of_its_component_only(helm: Helm) -> None:
    objects = development(helm, frontend={"podAnnotations": {"todo.runbook/image-id": "sha256:1"}})
    found = {
        name: each["spec"]["template"]["metadata"].get("annotations")
        for (kind, name), each in objects.items()
        if kind == "Deployment"
    }
    assert found == {"frontend": {"todo.runbook/image-id": "sha256:1"}, "backend": None, "mcp-server": None}


def test_images_come_by_registry_tag_or_digest(helm: Helm) -> None:
    digest = "sha256:" + "a" * 64
    objects = development(
        helm,
        **{"global": {"imageRegistry": "registry.example.org/team", "imageTag": "2.0"}},
        backend={"image": {"digest": digest}},
    )
    images = {
        name: each["spec"]["template"]["spec"]["containers"][0]["image"]
        for (kind, name), each in objects.items()
        if kind == "Deployment"
    }
    assert images["frontend"] == "registry.example.org/team/todo-frontend:2.0"
    assert images["backend"] == f"registry.example.org/team/todo-backend@{digest}"


def test_other_ports_reach_every_place_that_names_them(helm: Helm) -> None:
    objects = development(helm, **{"global": {"ports": {"backend": 9000, "mcp-server": 9001}}})
    assert environment(objects["Deployment", "frontend"])["BACKEND_URL"] == "http://backend-svc:9000"
    assert environment(objects["Deployment", "backend"])["MCP_SERVER_URL"] == "http://mcp-server-svc:9001/mcp"
    assert environment(objects["Deployment", "backend"])["PORT"] == "9000"
    assert objects["Service", "backend-svc"]["spec"]["ports"][0]["port"] == 9000
    container = objects["Deployment", "backend"]["spec"]["template"]["spec"]["containers"][0]
    assert container["ports"][0]["containerPort"] == 9000


def test_a_rollout_never_has_fewer_pods_than_asked_for(helm: Helm) -> None:
    for component in COMPONENTS:
        spec = development(helm)["Deployment", component.name]["spec"]
        assert spec["strategy"] == {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        }


def test_replicas_are_spread_where_there_are_some(helm: Helm) -> None:
    objects = development(helm, backend={"replicaCount": 3})
    assert "topologySpreadConstraints" in objects["Deployment", "backend"]["spec"]["template"]["spec"]
    assert "topologySpreadConstraints" not in objects["Deployment", "frontend"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("component", [FRONTEND, BACKEND, MCP_SERVER])
def test_a_component_can_be_left_out(helm: Helm, component: Any) -> None:
    assert ("Deployment", component.name) not in development(helm, **{component.name: {"enabled": False}})


def test_the_stand_ins_render_hardened_pods(helm: Helm) -> None:
    for name in ("postgres", "offline-model"):
        objects = helm.template(CHARTS / name, release=name, namespace="n", values=NO_VALUES)
        pods = [each["spec"]["template"]["spec"] for each in objects if "template" in each.get("spec", {})]
        assert len(pods) == 1
        assert pods[0]["automountServiceAccountToken"] is False
        security = pods[0]["containers"][0]["securityContext"]
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["runAsUser"] == 1000
        assert set(pods[0]["containers"][0]["resources"]) == {"requests", "limits"}


def test_the_secrets_template_lists_exactly_the_keys_that_the_chart_reads(helm: Helm) -> None:
    template = yaml.safe_load((PROJECT / "k8s/secrets-template.yaml").read_text())
    mail = {"host": "mail.example.org", "from": "todo@example.org", "user": "todo"}
    read = {
        value.removeprefix("todo-secrets:")
        for each in development(helm, frontend={"mail": mail}).values()
        if each["kind"] in ("Deployment", "Job")
        for value in environment(each).values()
        if value.startswith("todo-secrets:")
    }
    assert set(template["stringData"]) == read
    assert not any(template["stringData"].values())
