"""Redaction: a secret is hidden in each form in which it travels; ordinary text stays."""

from __future__ import annotations

import base64

import pytest

from runbook.world.redaction import conceal, redact


@pytest.mark.parametrize("form", ["pass/word+1", "cGFzcy93b3JkKzE=", "pass%2Fword%2B1"])
def test_known_values_in_all_forms(form: str) -> None:
    conceal("pass/word+1")
    assert redact(f"before {form} after") == "before *** after"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("postgresql://todo:hunter22@host:5432/todo", "hunter22"),
        ("postgresql://todo:with/slash@host/todo", "with/slash"),
        ("Authorization: Bearer abcdefghijklmnop", "abcdefghijklmnop"),
        ("key sk-abcdefghijklmnopqrst is wrong", "sk-abcdefghijklmnopqrst"),
        ("token eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl seen", "eyJzdWIiOiIx"),
    ],
)
def test_secrets_known_by_their_shape(text: str, hidden: str) -> None:
    assert hidden not in redact(text)
    assert "***" in redact(text)


def test_ordinary_text_stays() -> None:
    text = "http://todo.local:80/chat 200 in 0.2 s; user 1000; sha256:abc"
    assert redact(text) == text


def test_short_values_do_not_blank_out_words() -> None:
    conceal("todo", "")
    assert redact("namespace todo") == "namespace todo"


def test_longer_secrets_are_hidden_before_their_parts() -> None:
    conceal("secret-part", "secret-part-and-more")
    assert redact("secret-part-and-more") == "***"
    assert base64.b64encode(b"secret-part").decode() not in redact(base64.b64encode(b"secret-part").decode())
