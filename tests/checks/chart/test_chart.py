"""The checks of the chart: passing, failing with a hint, and not measurable."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook.app.application import FRONTEND
from runbook.checks.chart import chart, claims, routes, values
from runbook.clients.helm import NO_VALUES, Values
from runbook.clients.helm_lines import Finding
from runbook.engine.errors import CommandFailed, CommandMissing, Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Check, Outcome, Status
from runbook.world import World
from tests.fakes.chart_objects import Object, all_objects, changed, deployment, namespace, service

SERVICE = routes.service(FRONTEND)
NAMESPACE = claims.namespace({"env": "development"})
LINT = chart.lints("postgres")
METADATA = chart.metadata(name="todo-app", version="1.0.0", app_version="1.0.0")
MANIFEST = chart.manifest(NAMESPACE, "k8s/namespace.yaml")

CHART_YAML = """\
apiVersion: v2
name: todo-app
version: 1.0.0
appVersion: "1.0.0"
dependencies: [{name: frontend}, {name: backend}, {name: mcp-server}]
"""


class FakeHelm:
    """Renders what it is given; with the development values `development`, where that is set."""

    def __init__(self) -> None:
        self.objects = [each for each in all_objects() if each["kind"] != "Namespace"]
        self.development: list[Object] | None = None
        self.findings: dict[str, list[Finding]] = {}
        self.strict = True
        self.error: Exception | None = None
        self.shared = True
        self.overrides: Any = None

    def template(
        self, path: Path, *, release: str, namespace: str, values: Values = NO_VALUES
    ) -> list[Object]:
        if self.error:
            raise self.error
        self.overrides = values.overrides or self.overrides
        if set(values.overrides or {}) - {"global"} and self.strict:
            raise CommandFailed("additional properties not allowed")
        if (path / "templates" / "_0-planted.tpl").is_file():
            return self._planted()
        return self.objects if not values.files or self.development is None else self.development

    def lint(self, path: Path, values: Values = NO_VALUES) -> list[Finding]:
        if self.error:
            raise self.error
        return self.findings.get("+".join([path.name, *(file.name for file in values.files)]), [])

    def _planted(self) -> list[Object]:
        objects = copy.deepcopy(self.objects)
        for each in objects[0 if self.shared else 1 :]:
            spec = each["spec"]
            places = [each["metadata"]["labels"]]
            if each["kind"] == "Service":
                each["metadata"]["name"] = each["metadata"]["name"].replace("-svc", "-planted")
                places.append(spec["selector"])
            if each["kind"] == "Deployment":
                places += [spec["selector"]["matchLabels"], spec["template"]["metadata"]["labels"]]
            for place in places:
                place["todo.runbook/mark"] = "planted"
        return objects


class FakeApi:
    def __init__(self) -> None:
        self.objects = all_objects()
        self.error: Exception | None = None
        self.namespaces: set[str | None] = set()

    def get(self, kind: str, name: str, where: str | None = None) -> Object | None:
        if self.error:
            raise self.error
        self.namespaces.add(where)
        index = {(each["kind"], each["metadata"]["name"]): each for each in self.objects}
        return index.get((kind, name))


class Place:
    """A project folder with a chart, and a world with fake clients."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.helm, self.api = FakeHelm(), FakeApi()
        self.write("charts/todo-app/Chart.yaml", CHART_YAML)
        self.write("charts/todo-app/values-dev.yaml", "{}")
        self.write("charts/todo-app/templates/_helpers.tpl", "")
        self.write(
            "k8s/namespace.yaml", "kind: Namespace\nmetadata: {name: todo, labels: {env: development}}\n"
        )

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def ask(self, check: Check, **settings: Any) -> Outcome:
        world = World.of(Settings(project=self.root, **settings))
        vars(world.clients).update(helm=self.helm, api=self.api)
        return check(world)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def assert_failed(outcome: Outcome, part: str) -> None:
    assert outcome.status is Status.FAILED, outcome
    assert part in outcome.observed
    assert outcome.wanted
    assert outcome.hint


@pytest.mark.parametrize(
    "check",
    [
        chart.rendered(SERVICE),
        chart.deployed(SERVICE),
        chart.deployed(NAMESPACE),
        MANIFEST,
        METADATA,
        LINT,
        chart.helpers_are_shared,
        values.fit_for_development,
    ],
)
def test_a_good_chart_passes(place: Place, check: Check) -> None:
    outcome = place.ask(check)
    assert outcome.status is Status.PASSED, outcome
    assert outcome.observed


@pytest.mark.parametrize(
    "check",
    [
        chart.rendered(SERVICE),
        LINT,
        chart.helpers_are_shared,
        values.fit_for_production,
        values.fit_for_development,
    ],
)
def test_without_helm_nothing_is_said(place: Place, check: Check) -> None:
    place.helm.error = CommandMissing("the command helm is not there", hint="inv setup")
    with pytest.raises(Unmeasurable):
        place.ask(check)


def test_the_rendered_chart_is_judged_with_each_values_file(place: Place) -> None:
    place.helm.development = [deployment(), changed(service(), "spec.type", "NodePort")]
    outcome = place.ask(chart.rendered(SERVICE))
    assert_failed(outcome, "with values-dev.yaml: its type is NodePort")
    assert "with defaults" not in outcome.observed


def test_an_object_that_is_not_rendered_is_told(place: Place) -> None:
    place.helm.objects = []
    assert_failed(place.ask(chart.rendered(SERVICE)), "with defaults: there is no Service frontend-svc")


def test_a_chart_that_does_not_render_fails_with_helms_reason(place: Place) -> None:
    place.helm.error = CommandFailed("parse error at line 3")
    assert_failed(place.ask(chart.rendered(SERVICE)), "does not render: parse error at line 3")


def test_live_objects_are_asked_in_the_namespace(place: Place) -> None:
    place.api.objects = [deployment(), changed(service(), "spec.ports.0.port", 80)]
    outcome = place.ask(chart.deployed(SERVICE))
    assert_failed(outcome, "it serves port 80, not 3000")
    assert outcome.hint == "kubectl --namespace todo get service frontend-svc --output yaml"
    assert place.api.namespaces == {"todo"}


def test_a_live_object_that_is_not_there_fails(place: Place) -> None:
    place.api.objects = []
    assert_failed(place.ask(chart.deployed(SERVICE)), "there is no Service frontend-svc")


def test_an_api_that_is_away_is_not_measurable(place: Place) -> None:
    place.api.error = Unmeasurable("the API server does not answer")
    with pytest.raises(Unmeasurable):
        place.ask(chart.deployed(SERVICE))


def test_the_namespace_itself_is_asked_without_a_namespace(place: Place) -> None:
    place.api.objects = [changed(namespace(), "metadata.labels", {})]
    assert_failed(place.ask(chart.deployed(NAMESPACE)), "label env is not set, not development")
    assert place.api.namespaces == {None}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (None, "there is no file k8s/namespace.yaml"),
        ("kind: Namespace\nmetadata: {name: other}\n", "there is no Namespace todo"),
        ("kind: Namespace\nmetadata: {name: todo}\n", "label env is not set"),
        ("kind: [", "is not valid YAML"),
        (
            "kind: Namespace\nmetadata: {name: todo, labels: {env: development}}\n---\nkind: Pod\nmetadata: {}\n",
            "holds 2 objects",
        ),
    ],
)
def test_another_manifest_is_told(place: Place, text: str | None, part: str) -> None:
    if text is None:
        (place.root / "k8s/namespace.yaml").unlink()
    else:
        place.write("k8s/namespace.yaml", text)
    assert_failed(place.ask(MANIFEST), part)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("version: 1.0.0", "version: 1.0.1", "version is 1.0.1, not 1.0.0"),
        ('appVersion: "1.0.0"', 'appVersion: "2"', "appVersion is 2, not 1.0.0"),
        ("name: todo-app", "name: other", "name is other"),
        ("apiVersion: v2", "apiVersion: v1", "apiVersion is v1"),
        (", {name: mcp-server}", "", "sub-chart mcp-server is not listed"),
    ],
)
def test_other_metadata_is_told(place: Place, old: str, new: str, part: str) -> None:
    place.write("charts/todo-app/Chart.yaml", CHART_YAML.replace(old, new, 1))
    assert_failed(place.ask(METADATA), part)


def test_a_chart_without_metadata_is_told(place: Place) -> None:
    (place.root / "charts/todo-app/Chart.yaml").unlink()
    assert_failed(place.ask(METADATA), "there is no")


@pytest.mark.parametrize("linted", ["todo-app", "todo-app+values-dev.yaml", "postgres"])
def test_a_warning_of_lint_fails_whichever_chart_has_it(place: Place, linted: str) -> None:
    place.helm.findings = {linted: [Finding("warning", "templates/: odd")]}
    assert_failed(place.ask(LINT), "warning: templates/: odd")


def test_information_of_lint_is_no_warning(place: Place) -> None:
    place.helm.findings = {"todo-app": [Finding("info", "Chart.yaml: icon is recommended")]}
    assert place.ask(LINT).green


def test_an_object_with_labels_of_its_own_is_told(place: Place) -> None:
    place.helm.shared = False
    assert_failed(place.ask(chart.helpers_are_shared), "Deployment frontend: selector labels are its own")


def test_helpers_cannot_be_judged_without_objects(place: Place) -> None:
    place.helm.objects = []
    with pytest.raises(Unmeasurable, match="renders no object"):
        place.ask(chart.helpers_are_shared)


CONTAINER = "spec.template.spec.containers.0"


def pulled(source: Object) -> Object:
    return changed(source, f"{CONTAINER}.imagePullPolicy", "IfNotPresent")


def test_good_defaults_are_fit_for_production(place: Place) -> None:
    place.helm.objects = [pulled(deployment())]
    outcome = place.ask(values.fit_for_production)
    assert outcome.green, outcome
    assert outcome.observed.startswith("1 container")


@pytest.mark.parametrize(
    ("break_it", "part"),
    [
        (lambda each: changed(each, f"{CONTAINER}.imagePullPolicy", "Never"), "never pulled"),
        (lambda each: changed(each, f"{CONTAINER}.image", "todo-frontend:latest"), "no fixed tag"),
        (lambda each: changed(each, f"{CONTAINER}.image", "todo-frontend"), "no fixed tag"),
        (lambda each: changed(each, "spec.replicas", 1), "one replica"),
        (
            lambda each: changed(each, f"{CONTAINER}.env", [{"name": "OPENAI_API_KEY", "value": "x"}]),
            "OPENAI_API_KEY is in plain text",
        ),
        (
            lambda each: changed(
                each, f"{CONTAINER}.env", [{"name": "OPENAI_MODEL", "value": "offline-model"}]
            ),
            "names the offline model",
        ),
    ],
)
def test_unfit_defaults_are_told(place: Place, break_it: Callable[[Object], Object], part: str) -> None:
    place.helm.objects = [break_it(pulled(deployment()))]
    assert_failed(place.ask(values.fit_for_production), part)


def test_a_schema_that_takes_anything_is_told(place: Place) -> None:
    place.helm.objects = [pulled(deployment())]
    place.helm.strict = False
    assert_failed(place.ask(values.fit_for_production), "the schema takes an unknown value")


@pytest.mark.parametrize("check", [values.fit_for_production, values.fit_for_development])
def test_values_cannot_be_judged_without_containers(place: Place, check: Check) -> None:
    place.helm.objects = []
    with pytest.raises(Unmeasurable, match="no container"):
        place.ask(check)


@pytest.mark.parametrize(
    ("path", "value", "part"),
    [
        ("imagePullPolicy", "Always", "imagePullPolicy is Always"),
        ("image", "example.org/todo-frontend:1.0.0", "is not built here"),
        ("image", "todo-frontend:1.0.1", "is not built here"),
    ],
)
def test_unfit_development_values_are_told(place: Place, path: str, value: Any, part: str) -> None:
    place.helm.development = [changed(deployment(), f"{CONTAINER}.{path}", value)]
    assert_failed(place.ask(values.fit_for_development), part)


def test_a_tag_of_ones_own_is_handed_over(place: Place) -> None:
    place.helm.development = [changed(deployment(), f"{CONTAINER}.image", "todo-frontend:mine")]
    assert place.ask(values.fit_for_development, tag="mine").green
    assert place.helm.overrides == {"global": {"imageTag": "mine"}}
    assert_failed(place.ask(values.fit_for_development), "todo-frontend:mine is not built here")


def test_absent_development_values_are_told(place: Place) -> None:
    (place.root / "charts/todo-app/values-dev.yaml").unlink()
    assert_failed(place.ask(values.fit_for_development), "there is no")
