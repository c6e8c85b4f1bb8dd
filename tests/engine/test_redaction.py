"""Secrets are known in every form in which programs write them, and looking for them takes linear time."""

from __future__ import annotations

import base64
import html
import json
import shlex
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from runbook.engine.redaction import conceal, redact, redacted

PASSWORD = 'p@ss/w"örd\\ +x&<y>'
KEY = "\n".join(
    [
        "-----BEGIN PRIVATE KEY-----",
        "MC4CAQAwBQYDK2VwBCIEIHtoaXMgaXMgbm90IGEga2V5IGF0IGFsbCwgcmVhbGx5",
        "c2Vjb25kLWxpbmUtb2YtdGhlLWtleS1tYXRlcmlhbA==",
        "-----END PRIVATE KEY-----",
        "",
    ]
)


def lower(escaped: str) -> str:
    return "".join(part.lower() if part.startswith("%") else part for part in _escapes(escaped))


def _escapes(text: str) -> list[str]:
    found, place = [], 0
    while place < len(text):
        step = 3 if text[place] == "%" else 1
        found.append(text[place : place + step])
        place += step
    return found


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda value: value,
    "JSON": json.dumps,
    "JSON of letters": lambda value: json.dumps(value, ensure_ascii=False),
    "JSON in JSON": lambda value: json.dumps(json.dumps({"a": value})),
    "JSON with escaped slashes": lambda value: json.dumps(value).replace("/", "\\/"),
    "repr": repr,
    "repr of bytes": lambda value: repr(value.encode()),
    "percent": lambda value: quote(value, safe=""),
    "percent, lower case": lambda value: lower(quote(value, safe="")),
    "percent, / kept": quote,
    "percent, / kept, lower case": lambda value: lower(quote(value)),
    "form": quote_plus,
    "HTML": html.escape,
    "XML text": lambda value: html.escape(value, quote=False),
    "shell": shlex.quote,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "base64 unpadded": lambda value: base64.b64encode(value.encode()).decode().rstrip("="),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_known_value_is_hidden_in_every_form(form: str) -> None:
    conceal(PASSWORD)
    written = FORMS[form](PASSWORD)
    shown = redact(f"before {written} after")
    assert "before " in shown and "after" in shown and "***" in shown
    inner = written.strip("\"'")
    for start in range(0, max(1, len(inner) - 11), 4):
        assert inner[start : start + 12] not in shown or len(inner) < 12


@pytest.mark.parametrize("before", ["", "a", "ab", "user:", "todo:"])
def test_a_known_value_is_hidden_in_base64_of_a_longer_text(before: str) -> None:
    conceal(PASSWORD)
    code = base64.b64encode(f"{before}{PASSWORD} and more".encode()).decode()
    shown = redact(code)
    begin, end = len(before) * 4 // 3 + 2, (len(before) + len(PASSWORD.encode())) * 4 // 3 - 1
    assert "***" in shown and all(code[at : at + 4] not in shown for at in range(begin, end - 4))


def test_each_line_of_a_key_is_hidden() -> None:
    conceal(KEY)
    for line in KEY.splitlines()[1:3]:
        assert line not in redact(f"openssl said: {line}")
    assert redact(KEY.replace("\n", "\\n")).count("MC4CAQ") == 0
    assert "BEGIN PRIVATE KEY" in redact("no -----BEGIN PRIVATE KEY----- there")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://todo:correct-horse@db.example.org/todo",
        "postgresql://todo:correct%2Dhorse@db.example.org/todo",
        "postgresql://todo:correct@horse/battery@db.example.org/todo",
        "postgresql://db.example.org/todo?user=todo&password=correct-horse&sslmode=require",
        "host=db.example.org user=todo password='correct horse' dbname=todo",
        "redis://:correct-horse@10.0.0.1:6379/0",
    ],
)
def test_of_a_given_url_the_parts_are_known_at_once(url: str) -> None:
    conceal(url)
    assert "correct" not in redact(f"cannot connect: {url}")
    for part in ("correct-horse", "correct%2Dhorse", "correct@horse/battery", "correct horse"):
        if part in url:
            assert "correct" not in redact(f'FATAL: role "todo" with {part} is not let in')


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("amqp://me:one@two@three/x is away", "amqp://me:***@three/x is away"),
        ("a (http://u:pw@h1/) b", "a (http://u:***@h1/) b"),
        ("see http://todo.local:8080/path", "see http://todo.local:8080/path"),
        ("mail me@example.org, see https://example.org/", "mail me@example.org, see https://example.org/"),
        ("Authorization: Bearer abcdefgh.ijk", "Authorization: Bearer ***"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ***"),
        ("basic authentication is off", "basic authentication is off"),
        ("key sk-0123456789abcdefgh", "key ***"),
        ("connect host=h password=two sslmode=require", "connect host=h password=*** sslmode=require"),
        ("connect password='two words' host=h", "connect password='***' host=h"),
        ("?sslpassword=abc&x=1", "?sslpassword=***&x=1"),
        ("SMTP_PASSWORD=abc", "SMTP_PASSWORD=***"),
        ('{"password": "a\\"b", "x": 1}', '{"password": "***", "x": 1}'),
        ("{'password': 'abc', 'x': 1}", "{'password': '***', 'x': 1}"),
        ("the password is wrong", "the password is wrong"),
        (
            "Secret todo-secrets lacks the key smtp-password",
            "Secret todo-secrets lacks the key smtp-password",
        ),
    ],
)
def test_credentials_that_nobody_named_are_known_by_their_place(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_a_document_is_redacted_in_values_and_keys() -> None:
    conceal('quo"ted-secret')
    assert redacted({'quo"ted-secret': ['quo"ted-secret', 1, None, ("x",)]}) == {
        "***": ["***", 1, None, ["x"]]
    }


def test_short_words_stay() -> None:
    conceal("todo", "a", "")
    assert redact("todo a") == "todo a"


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "://",
        "a://b:",
        "a://b:c@",
        "eyJ-",
        "sk-",
        "eyJaaaaaaaa.",
        "bearer ",
        "basic ",
        "password",
        "password=",
        "password='",
        '"password": "',
        "\\",
        "x@",
        " ",
    ],
)
def test_time_grows_with_the_length_only(piece: str) -> None:
    """Steps are counted by time here, with a wide margin: a quadratic pattern takes minutes for this."""
    text = piece * (1_000_000 // len(piece)) + "@"
    conceal(*(f"{number}-the-value-of-a-secret/{number}" for number in range(20)))
    began = time.process_time()
    redact(text)
    assert time.process_time() - began < 60
