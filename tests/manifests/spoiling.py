"""The good application, and a way to spoil one thing of it."""

from __future__ import annotations

import json
import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from runbook.manifests.judgement import Judgement, judge
from runbook.manifests.rules import RULES
from runbook.manifests.scene import Scene
from runbook.manifests.sources import items_of

GOOD = Path(__file__).with_name("good.yaml")
TODAY = date(2026, 11, 23)
GONE: Any = object()
"""Instead of a value: what stands there is removed."""


def good() -> list[dict[str, Any]]:
    """Its objects, none of which shares a part with another."""
    items: list[dict[str, Any]] = json.loads(_read())
    return items


@cache
def _read() -> str:
    return json.dumps(yaml.safe_load(GOOD.read_text())["items"])


def spoil(objects: list[dict[str, Any]], target: str, path: str, value: Any) -> None:
    """Set or remove what stands at a path of the object `Kind name`; [+] appends to a list, no path adds the object."""
    if not path:
        if value is GONE:
            objects[:] = [each for each in objects if _title(each) != target]
        else:
            objects.append(value)
        return
    *way, last = re.findall(r"[^.\[\]]+|\[[^\]]*\]", path)
    node: Any = next(each for each in objects if _title(each) == target)
    for segment in way:
        node = node[_key(node, segment)] if _has(node, segment) else node.setdefault(segment, {})
    if value is GONE:
        del node[_key(node, last)]
    elif last == "[+]":
        node.append(value)
    else:
        node[_key(node, last)] = value


def judged(objects: list[dict[str, Any]], **options: Any) -> Judgement:
    items, passed = items_of("\n---\n".join(map(json.dumps, objects)), "shop.yaml")
    scene = Scene("shop", tuple(items))
    return judge([scene], RULES, options.pop("waivers", ()), today=TODAY, passed_over=passed, **options)


def _title(thing: dict[str, Any]) -> str:
    return f"{thing['kind']} {thing['metadata']['name']}"


def _key(node: Any, segment: str) -> Any:
    if isinstance(node, list):
        wanted = segment[1:-1]
        names = [each.get("name") if isinstance(each, dict) else each for each in node]
        return int(wanted) if wanted.isdigit() else names.index(wanted)
    return segment.strip("[]")


def _has(node: Any, segment: str) -> bool:
    return isinstance(node, list) or _key(node, segment) in node
