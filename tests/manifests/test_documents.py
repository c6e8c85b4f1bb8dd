"""YAML with the lines of its values, Lists taken apart, and bad input told in one line."""

from __future__ import annotations

import pytest

from runbook.errors import UsageError
from runbook.manifests.documents import Malformed, at, documents, entries, fields
from runbook.manifests.sources import items_of

TEXT = """\
kind: Pod
spec:
  containers:
    - name: web
      image: web:1
      args:
        - first
        - second
---
# nothing
---
kind: ConfigMapList
items:
  - kind: ConfigMap
  - kind: List
    items:
      - kind: Secret
"""


def test_a_path_has_the_line_of_what_is_there_of_it() -> None:
    pod = documents(TEXT, "x.yaml")[0]
    lines = {
        path: pod.line_of(path)
        for path in ("", "spec", "spec.containers[web].image", "spec.containers[0].args[1]")
    }
    assert list(lines.values()) == [1, 2, 5, 8]
    assert pod.line_of("spec.containers[web].securityContext.privileged") == 4
    assert pod.line_of("spec.containers[other].image") == 3


def test_empty_documents_do_not_count_and_lists_are_taken_apart() -> None:
    found = [each for document in documents(TEXT, "x.yaml") for each in document.items()]
    assert [(each.value["kind"], each.line) for each in found] == [
        ("Pod", 1),
        ("ConfigMap", 14),
        ("Secret", 17),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "x.yaml:2: "),
        ("a: 1\nb: &x\n  - *y", "x.yaml:3: found undefined alias"),
        ("kind: {{ .Values.kind }}", "give the folder of the chart"),
        ("a: 2026-99-99", "x.yaml: "),
        ("apiVersion: v1\nkind: Pod\nspec: {}\n", "x.yaml:1: a Pod without metadata.name"),
        ("apiVersion: v1\nkind: Pod\nmetadata: text\n", "x.yaml:1: a Pod without metadata.name"),
    ],
)
def test_bad_input_names_file_and_line(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=r"x\.yaml") as error:
        items_of(text, "x.yaml")
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_not_set_is_empty_and_what_is_wrong_is_told() -> None:
    assert fields(None) == {}
    assert entries(None) == []
    assert at({"a": {"b": 1}}, "a.c") is None
    for wrong in (
        lambda: fields("text"),
        lambda: entries({"a": 1}),
        lambda: entries(["text"]),
        lambda: at({"a": 1}, "a.b"),
    ):
        with pytest.raises(Malformed):
            wrong()
