"""What a judgement comes to: waivers, objects of a wrong form, nothing at all; and how it is told."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import jsonschema
import pytest

from runbook.errors import UsageError
from runbook.manifests import reference
from runbook.manifests.judgement import Judgement, judge
from runbook.manifests.report import console, junit, sarif
from runbook.manifests.report import json as as_json
from runbook.manifests.rules import RULES
from runbook.manifests.scene import Scene
from runbook.manifests.sources import items_of
from runbook.manifests.waivers import Waiver, read
from tests.manifests.spoiling import TODAY, good, judged, spoil

IDS = {rule.id for rule in RULES}
PRIVILEGED = ("Deployment web", "spec.template.spec.containers[web].securityContext.privileged", True)


def waiver(**changes: Any) -> Waiver:
    given = {
        "id": "POD-08",
        "object": "Deployment shop/web",
        "reason": "for this test",
        "expires": date(2027, 1, 1),
    }
    return Waiver(**(given | changes))


def privileged(*waivers: Waiver) -> Judgement:
    objects = good()
    spoil(objects, *PRIVILEGED)
    return judged(objects, waivers=waivers)


@pytest.mark.parametrize("words", [{}, {"object": "* shop/*"}, {"rendering": "sh*"}, {"expires": TODAY}])
def test_a_waiver_covers_a_finding(words: dict[str, Any]) -> None:
    judgement = privileged(waiver(**words))
    assert (judgement.findings, judgement.stale, judgement.exit_code) == ((), (), 0)
    assert [each.rule.id for each in judgement.waived] == ["POD-08"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"expires": date(2026, 11, 22)}, "expired on 2026-11-22"),
        ({"object": "Deployment shop/api"}, "is not needed"),
        ({"rendering": "other"}, "in other is not needed"),
    ],
)
def test_an_expired_and_an_unused_waiver_fail_and_cover_nothing(words: dict[str, Any], told: str) -> None:
    judgement = privileged(waiver(**words))
    assert [each.rule.id for each in judgement.findings] == ["POD-08"]
    assert len(judgement.stale) == 1
    assert told in judgement.stale[0]
    assert judged(good(), waivers=(waiver(**words),)).exit_code == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1", "is no list"),
        ("- {id: POD-08, object: '*', reason: for this test}", "waiver 1 of .*expires: Field required"),
        ("- {id: POD-08, object: '*', reason: short, expires: 2027-01-01}", "reason"),
        ("- {id: POD-99, object: '*', reason: for this test, expires: 2027-01-01}", "no rule POD-99"),
        ("- {id: POD-08, object: '*', reason: for this test, expires: 2027-01-01, who: me}", "who"),
        ("- text", "waiver 1"),
        ("[", "wanted: YAML"),
    ],
)
def test_a_bad_waiver_file_is_a_usage_error(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=words):
        read(file, IDS)


def test_waivers_are_read(tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text("- {id: POD-08, object: '*', reason: for this test, expires: 2027-01-01}")
    assert read(file, IDS) == (waiver(object="*"),)
    file.write_text("# none\n")
    assert read(file, IDS) == ()
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path / "none.yaml", IDS)


MALFORMED = [
    (
        "",
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "x"},
            "spec": {"template": "text"},
        },
    ),
    ("", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": ["text"]}}),
    (
        "POD-01",
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "x"},
            "spec": {"containers": [{"securityContext": 1}]},
        },
    ),
    (
        "NPS-02",
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "x", "namespace": "default"},
            "spec": {"podSelector": {"matchExpressions": [{"key": "a", "operator": "Like"}]}},
        },
    ),
    (
        "REL-01",
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "x"},
            "spec": {"containers": [{"resources": {"requests": {"cpu": "much"}, "limits": {"cpu": 1}}}]},
        },
    ),
]


@pytest.mark.parametrize(("rule", "thing"), MALFORMED)
def test_what_a_rule_cannot_read_is_unproven_never_green(rule: str, thing: dict[str, Any]) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "y"}, "spec": {"containers": []}}
    items, _ = items_of(f"{json.dumps(thing)}\n---\n{json.dumps(pod)}", "x.yaml")
    asked = [each for each in RULES if each.id == (rule or "POD-01")]
    judgement = judge([Scene("x", tuple(items))], asked, (), today=TODAY)
    (unjudged,) = judgement.unjudged
    assert unjudged.rule_id == rule
    assert unjudged.title.startswith(f"{thing['kind']} default/x")
    if not judgement.findings:
        assert judgement.exit_code == 3


def test_no_object_is_unproven() -> None:
    judgement = judged([{"some": "values"}])
    assert (judgement.objects, judgement.passed_over, judgement.exit_code) == (0, 1, 3)
    assert "Unproven" in "\n".join(line.plain for line in console.lines(judgement))


def test_the_same_finding_in_two_renderings_is_told_once() -> None:
    objects = good()
    spoil(objects, *PRIVILEGED)
    items, _ = items_of(json.dumps({"kind": "List", "items": objects}), "x.yaml")
    judgement = judge([Scene("one", tuple(items)), Scene("two", tuple(items))], RULES, (), today=TODAY)
    assert [each.renderings for each in judgement.findings] == [("one", "two")]


def test_what_was_examined_is_counted() -> None:
    counts = judged(good()).counts()
    assert counts == {
        "renderings": 1,
        "objects": 22,
        "pods": 4,
        "containers": 4,
        "init_containers": 1,
        "ephemeral_containers": 0,
        "dapr_sidecars": 1,
        "passed_over": 0,
    }


def test_the_console_groups_by_object_and_says_what_to_do() -> None:
    text = "\n".join(line.plain for line in console.lines(privileged()))
    assert "Deployment shop/web  shop.yaml:" in text
    assert "POD-08  spec.template.spec.containers[web].securityContext.privileged: true" in text
    assert "remove privileged" in text
    assert "1 finding of 1 rule" in text
    assert "4 pods, 4 containers, 1 init container, 1 of Dapr's beside them" in text


def test_json_says_all_of_a_finding() -> None:
    document = json.loads(as_json.text(privileged()))
    assert document["exit_code"] == 1
    assert document["rules"]["POD-08"]["subjects"] == 5
    (finding,) = document["findings"]
    assert (finding["rule"], finding["object"], finding["seen"]) == ("POD-08", "Deployment shop/web", "true")
    assert finding["line"] > 1
    assert json.loads(as_json.text(privileged(waiver())))["waived"][0]["waiver"]["reason"] == "for this test"


def test_junit_has_a_case_for_each_rule() -> None:
    suite = Xml.fromstring(junit.text(privileged()))
    cases = {case.get("name", "").split()[0]: case for case in suite}
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == (str(len(RULES) + 1), "1", "0")
    assert "privileged: true" in (cases["POD-08"].findtext("failure") or "")
    assert cases["POD-01"].findtext("system-out") == "5 examined"
    nothing = Xml.fromstring(junit.text(judged([])))
    assert (nothing.get("errors"), nothing.get("skipped")) == ("1", str(len(RULES)))


SARIF = json.loads(Path(__file__).with_name("sarif.schema.json").read_text())


@pytest.mark.parametrize("judgement", [privileged(), privileged(waiver()), judged([]), judged(good())])
def test_sarif_has_the_form_of_its_standard(judgement: Judgement) -> None:
    document = json.loads(sarif.text(judgement))
    jsonschema.Draft202012Validator(SARIF).validate(document)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[each["ruleIndex"]]["id"] for each in run["results"]] == [
        each["ruleId"] for each in run["results"]
    ]
    assert run["invocations"][0]["exitCode"] == judgement.exit_code
    assert len(run["results"]) == len(judgement.findings) + len(judgement.waived)


def test_a_waived_finding_is_suppressed_in_sarif() -> None:
    (result,) = sarif.document(privileged(waiver()))["runs"][0]["results"]
    assert result["suppressions"][0]["justification"].startswith("for this test (until 2027-01-01)")
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] > 1


def test_the_reference_is_up_to_date() -> None:
    written = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
    assert written.read_text() == reference.text(), "python -m runbook.manifests.reference > docs/rules.md"
