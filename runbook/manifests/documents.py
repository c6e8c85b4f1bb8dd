"""YAML and JSON as documents that know where each value stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from runbook.errors import UsageError

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SEGMENT = re.compile(r"[^.\[\]]+|\[[^\]]*\]")


class Malformed(ValueError):
    """A value of the wrong kind in an object: a text where fields belong, for one."""


def fields(value: object) -> Mapping[str, Any]:
    """A mapping, or an empty one for what is not set. Raises `Malformed`."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Malformed(f"{value!r} stands where fields belong")
    return value


def entries(value: object) -> list[Mapping[str, Any]]:
    """A list of mappings, or an empty one for what is not set. Raises `Malformed`."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Malformed(f"{value!r} stands where a list belongs")
    return [fields(each) for each in value]


def at(value: object, path: str) -> Any:
    """What stands at a path such as `spec.template.spec`; None where there is nothing."""
    for key in path.split(".") if path else []:
        value = fields(value).get(key)
    return value


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One document of a stream; `node` remembers the lines."""

    value: Any
    node: yaml.Node

    @property
    def line(self) -> int:
        """Where it begins, counted from 1."""
        return int(self.node.start_mark.line) + 1

    def line_of(self, path: str) -> int:
        """The line of a path such as `spec.containers[web].image`, or of the last part of it that is there."""
        node, line = self.node, self.line
        for segment in _SEGMENT.findall(path):
            found = _step(node, segment)
            if found is None:
                break
            line, node = found
        return line

    def items(self) -> Iterator[Document]:
        """The document itself, or the items of a List."""
        if not isinstance(self.value, Mapping) or not str(self.value.get("kind", "")).endswith("List"):
            yield self
            return
        for key, node in _pairs(self.node):
            if key.value == "items" and isinstance(node, yaml.SequenceNode):
                values = self.value["items"]
                for value, each in zip(values, node.value, strict=True):
                    yield from Document(value, each).items()


def documents(text: str, name: str) -> list[Document]:
    """The documents of a stream that hold something. Raises `UsageError` with file and line where it is no YAML."""
    found = []
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            # The composer's nodes, for lines; the constructor's values, from these same nodes.
            value = loader.construct_document(node)
            if node is not None and value is not None:
                found.append(Document(value, node))
    except (yaml.YAMLError, ValueError) as error:
        raise UsageError(
            f"{name}{_reason(error)}",
            wanted="YAML or JSON of Kubernetes objects",
            hint="give the folder of the chart, not its templates" if "{{" in text else "",
        ) from error
    finally:
        loader.dispose()
    return found


def _reason(error: Exception) -> str:
    """The line, where the error knows it, and what is wrong there."""
    mark = getattr(error, "problem_mark", None)
    told = getattr(error, "problem", None) or " ".join(str(error).split())
    return f":{mark.line + 1}: {told}" if mark else f": {told}"


def _pairs(node: yaml.Node) -> list[tuple[yaml.Node, yaml.Node]]:
    return list(node.value) if isinstance(node, yaml.MappingNode) else []


def _step(node: yaml.Node, segment: str) -> tuple[int, yaml.Node] | None:
    """The line and the node of a key, of the entry of that name, or of that place in a list."""
    if not segment.startswith("["):
        for key, value in _pairs(node):
            if key.value == segment:
                return key.start_mark.line + 1, value
        return None
    wanted = segment[1:-1]
    listed = node.value if isinstance(node, yaml.SequenceNode) else []
    for place, entry in enumerate(listed):
        names = [value.value for key, value in _pairs(entry) if key.value == "name"]
        if wanted in names or wanted == str(place):
            return entry.start_mark.line + 1, entry
    return None
