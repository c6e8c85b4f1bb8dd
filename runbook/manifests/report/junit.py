"""A judgement as JUnit XML, one test case per rule: what CI systems show."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from runbook.manifests.judgement import Judgement
from runbook.manifests.rule import AnyRule
from runbook.world.redaction import redact

_CONTROL = {code: None for code in range(32) if code not in (9, 10, 13)}


def text(judgement: Judgement) -> str:
    """A rule with findings failed; one that could not be asked, and stale waivers, are no success either."""
    cases = [_case(judgement, rule) for rule in judgement.rules]
    cases.append(_whole(judgement))
    suite = Xml.Element(
        "testsuite",
        name="manifests",
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors=str(sum(case.find("error") is not None for case in cases)),
        skipped=str(sum(case.find("skipped") is not None for case in cases)),
    )
    suite.extend(cases)
    Xml.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(suite, encoding="unicode") + "\n"


def _case(judgement: Judgement, rule: AnyRule) -> Xml.Element:
    case = Xml.Element("testcase", classname="manifests", name=f"{rule.id} {rule.title}")
    found = [f"{each.item.title}: {each.place}" for each in judgement.findings if each.rule.id == rule.id]
    unjudged = [f"{each.title}: {each.why}" for each in judgement.unjudged if each.rule_id == rule.id]
    asked = judgement.asked.get(rule.id, 0)
    if found:
        _tell(case, "failure", rule.remedy, found)
    if unjudged:
        _tell(case, "error", "could not be asked", unjudged)
    elif not found and not asked:
        Xml.SubElement(case, "skipped", message="there is nothing that it is about")
    elif not found:
        Xml.SubElement(case, "system-out").text = f"{asked} examined"
    return case


def _whole(judgement: Judgement) -> Xml.Element:
    """Objects that no rule could read, none at all, and waivers that no longer hold."""
    case = Xml.Element("testcase", classname="manifests", name="objects and waivers")
    unread = [f"{each.title}: {each.why}" for each in judgement.unjudged if not each.rule_id]
    if not judgement.objects:
        unread.append("no Kubernetes object was found")
    if judgement.stale:
        _tell(case, "failure", "waivers to remove or renew", judgement.stale)
    if unread:
        _tell(case, "error", "not judged", unread)
    return case


def _tell(case: Xml.Element, tag: str, message: str, lines: list[str] | tuple[str, ...]) -> None:
    Xml.SubElement(case, tag, message=_clean(message)).text = _clean("\n".join(lines))


def _clean(words: str) -> str:
    return redact(words).translate(_CONTROL)
