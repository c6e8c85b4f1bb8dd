"""A judgement as one JSON document, for other programs."""

from __future__ import annotations

import json
from typing import Any

from runbook.manifests.judgement import Finding, Judgement
from runbook.world.redaction import redact

SCHEMA = 1
"""Raised when a field changes its meaning or goes away."""


def document(judgement: Judgement) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "exit_code": judgement.exit_code,
        "examined": judgement.counts(),
        "rules": {
            rule.id: {"title": rule.title, "subjects": judgement.asked.get(rule.id, 0)}
            for rule in judgement.rules
        },
        "findings": [_finding(each) for each in judgement.findings],
        "waived": [_finding(each) for each in judgement.waived],
        "unjudged": [
            {"rule": e.rule_id, "object": e.title, "why": redact(e.why)} for e in judgement.unjudged
        ],
        "stale_waivers": list(judgement.stale),
    }


def text(judgement: Judgement) -> str:
    return json.dumps(document(judgement), indent=2, default=str, ensure_ascii=False)


def _finding(each: Finding) -> dict[str, Any]:
    told: dict[str, Any] = {
        "rule": each.rule.id,
        "title": each.rule.title,
        "object": each.item.title,
        "path": each.path,
        "seen": redact(each.seen),
        "file": each.item.file,
        "line": each.item.line_of(each.path),
        "renderings": list(each.renderings),
        "reason": each.rule.reason,
        "remedy": each.rule.remedy,
    }
    if each.waiver:
        told["waiver"] = {"reason": each.waiver.reason, "expires": each.waiver.expires.isoformat()}
    return told
