"""Each rule finds what it is about in an application that is good but for that, and nothing else finds anything."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.manifests.rules import FAMILIES, RULES
from tests.manifests.faults import FAULTS, INIT, MAIN, POD, WEB
from tests.manifests.spoiling import GONE, good, judged, spoil


def test_nothing_is_found_in_the_good_application() -> None:
    judgement = judged(good())
    assert [(each.rule.id, each.item.title, each.place) for each in judgement.findings] == []
    assert judgement.unjudged == ()
    assert judgement.exit_code == 0


def test_the_pods_own_setting_counts_where_its_containers_set_another() -> None:
    for field, bad, good_one, rule in (
        ("seLinuxOptions", {"type": "spc_t"}, {}, "POD-08"),
        ("seccompProfile", {"type": "Unconfined"}, {"type": "RuntimeDefault"}, "POD-05"),
        ("runAsUser", 0, 10001, "POD-03"),
    ):
        objects = good()
        spoil(objects, WEB, f"{POD}.securityContext.{field}", bad)
        for container in (MAIN, INIT):
            spoil(objects, WEB, f"{container}.securityContext.{field}", good_one)
        assert {each.rule.id for each in judged(objects).findings} == {rule}


def test_windows_has_no_capabilities_to_drop() -> None:
    objects = good()
    spoil(objects, WEB, f"{POD}.os", {"name": "windows"})
    for container in (MAIN, INIT):
        spoil(objects, WEB, f"{container}.securityContext", GONE)
    spoil(objects, WEB, f"{POD}.securityContext.seccompProfile", GONE)
    assert judged(objects).findings == ()


def test_every_rule_has_something_to_judge_in_the_good_application() -> None:
    judgement = judged(good())
    assert [rule.id for rule in RULES if not judgement.asked.get(rule.id)] == []


@pytest.mark.parametrize(
    ("rule", "target", "path", "value"),
    FAULTS,
    ids=[f"{rule} {target} {path}".strip() for rule, target, path, _ in FAULTS],
)
def test_a_fault_is_found_by_exactly_its_rule(rule: str, target: str, path: str, value: Any) -> None:
    objects = good()
    spoil(objects, target, path, value)
    judgement = judged(objects)
    assert {each.rule.id for each in judgement.findings} == {rule}, [
        each.place for each in judgement.findings
    ]
    assert judgement.unjudged == ()
    assert judgement.exit_code == 1


def test_every_rule_has_a_fault() -> None:
    assert {rule.id for rule in RULES} == {rule for rule, *_ in FAULTS}


def test_ids_are_unique_and_rules_say_what_they_have_to() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for family in FAMILIES.values():
        assert [rule.id for rule in family] == sorted(rule.id for rule in family)
    for rule in RULES:
        assert "\n" not in rule.title and not rule.title.endswith(".")
        assert rule.reason.endswith(".")
        assert rule.remedy and not rule.remedy.endswith(".")


def test_the_values_of_secrets_are_not_told() -> None:
    objects = good()
    spoil(objects, "Secret login", "stringData.password", "hunter2-hunter2")
    spoil(objects, "ConfigMap settings", "data.token", "f3a9c1d2e4b5")
    assert not any("hunter2" in each.place or "f3a9" in each.place for each in judged(objects).findings)
