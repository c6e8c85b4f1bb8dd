"""Which values cannot be used, why, and what can be mended about them."""

from __future__ import annotations

import base64
import secrets

import pytest

from runbook.app.secrets.secret_values import decoded, fault_of, mended

KEY = "3Xox-y0X7DYbzYY4G_h5nxK51ObGXxSZa8jIspS2Ytb9er32WxtdBt59DLkekni6"  # as one is made, but the same each time
URL = "postgresql://todo_backend:pw-of-it@db.example.test:5432/todo?sslmode=verify-full"


def encoded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


@pytest.mark.parametrize("value", [KEY, "0f" * 32, "sk-proj-abc_DEF-0123456789", "any text"])
def test_good_values_have_no_fault(value: str) -> None:
    assert fault_of(value) == ""
    assert mended(value) == value


def test_a_good_url_has_no_fault() -> None:
    assert fault_of(URL, url=True) == ""


@pytest.mark.parametrize(
    ("value", "url", "generated", "words"),
    [
        (f"{KEY}\n", False, True, "has white space around its value"),
        (f" {URL}", True, False, "has white space around its value"),
        (encoded(KEY), False, True, "was encoded twice"),
        (encoded(URL), True, False, "was encoded twice"),
        ("sk-...", False, False, "holds a placeholder"),
        ("postgresql://ROLE:PASSWORD@HOST/DATABASE", True, False, "holds a placeholder"),
        ("mysql://root@db/todo", True, False, "holds no PostgreSQL URL"),
        ("k" * 31, False, True, "has less than 32 characters"),
    ],
)
def test_a_fault_is_told_without_the_value(value: str, url: bool, generated: bool, words: str) -> None:
    told = fault_of(value, url=url, generated=generated)
    assert words in told
    assert value.strip() not in told


@pytest.mark.parametrize("value", [f"{KEY}\n", encoded(KEY), encoded(f"{KEY}\n"), f"{encoded(KEY)}\n"])
def test_what_can_be_mended_is_the_value_that_was_meant(value: str) -> None:
    assert mended(value) == KEY


def test_random_characters_are_not_taken_for_an_encoding() -> None:
    assert not any(decoded(secrets.token_urlsafe(24)) or decoded(secrets.token_hex(32)) for _ in range(500))
