"""A judgement as SARIF 2.1.0: what code hosting services and editors show beside the lines."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from runbook.manifests.judgement import Finding, Judgement
from runbook.manifests.rule import AnyRule
from runbook.world.redaction import redact

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def document(judgement: Judgement) -> dict[str, Any]:
    places = {rule.id: place for place, rule in enumerate(judgement.rules)}
    problems = [
        *(
            f"{each.title}: {each.rule_id or 'no rule'} could be asked: {each.why}"
            for each in judgement.unjudged
        ),
        *judgement.stale,
        *([] if judgement.objects else ["no Kubernetes object was found"]),
    ]
    run = {
        "tool": {
            "driver": {
                "name": "todo-runbook",
                "rules": [_rule(rule) for rule in judgement.rules],
            }
        },
        "columnKind": "utf16CodeUnits",
        "invocations": [
            {
                "executionSuccessful": not judgement.unjudged and bool(judgement.objects),
                "exitCode": judgement.exit_code,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": redact(words)}} for words in problems
                ],
            }
        ],
        "results": [_result(each, places[each.rule.id]) for each in (*judgement.findings, *judgement.waived)],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def text(judgement: Judgement) -> str:
    return json.dumps(document(judgement), indent=2, ensure_ascii=False)


def _rule(rule: AnyRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.reason},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {"level": "error"},
    }


def _result(each: Finding, place: int) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(each.item.file)}}
    if line := each.item.line_of(each.path):
        physical["region"] = {"startLine": line}
    where = f"{each.item.title} {each.path}".strip()
    result: dict[str, Any] = {
        "ruleId": each.rule.id,
        "ruleIndex": place,
        "level": "error",
        "message": {"text": redact(f"{each.item.title}: {each.place}. {each.rule.remedy}.")},
        "locations": [
            {
                "physicalLocation": physical,
                "logicalLocations": [{"fullyQualifiedName": where, "kind": "object"}],
            }
        ],
        # The same finding keeps its identity when lines move.
        "partialFingerprints": {"place/v1": hashlib.sha256(f"{each.rule.id} {where}".encode()).hexdigest()},
        "properties": {"renderings": list(each.renderings)},
    }
    if each.waiver:
        told = f"{each.waiver.reason} (until {each.waiver.expires})"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": told}]
    return result
