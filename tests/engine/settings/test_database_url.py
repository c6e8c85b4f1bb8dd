"""One reading of database URLs: what is accepted, what is refused by which word, and that no refusal shows a secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as every
from hypothesis import strategies
from psycopg.conninfo import conninfo_to_dict

from runbook.app.secrets.authority import certify
from runbook.engine.errors import UsageError
from runbook.engine.settings import load
from runbook.engine.settings.database_url import (
    IN_PODS,
    PARAMETERS,
    DatabaseUrl,
    given,
    loopback,
    read,
    trimmed,
)

TABLE = json.loads((Path(__file__).parents[2] / "database_urls.json").read_text())
URL = "postgresql://a:hidden@db.example.net/todo"


def refusal(text: str, door: Any = read) -> str:
    with pytest.raises(UsageError) as caught:
        door(text)
    return str(caught.value)


@pytest.mark.parametrize("case", TABLE["accepted"], ids=lambda case: case["url"])
def test_what_all_three_drivers_can_carry_out_is_read(case: dict[str, Any]) -> None:
    url = read(case["url"])
    assert (url.role, url.password, url.host, url.port, url.database) == (
        *(case["role"], case["password"], case["host"], case["port"], case["database"]),
    )
    assert url.sslmode == case["sslmode"]
    assert url.parameters.get("options", "") == case.get("options", "")


@pytest.mark.parametrize("case", TABLE["accepted"], ids=lambda case: case["url"])
def test_the_form_that_is_written_says_the_same_to_libpq(case: dict[str, Any]) -> None:
    url = read(case["url"])
    said = conninfo_to_dict(url.text())
    assert {name: str(value) for name, value in url.libpq().items()} == {
        name: str(value) for name, value in said.items() if value is not None
    }
    assert read(url.text()) == url


@pytest.mark.parametrize("case", TABLE["refused"], ids=lambda case: case["url"])
def test_what_one_driver_cannot_carry_out_is_refused_by_its_word(case: dict[str, str]) -> None:
    words = refusal(case["url"])
    assert case["word"] in words
    assert not any(part in words for part in ("hid", "den@", "example.net"))


@pytest.mark.parametrize("signs", ["#", "@", "/", "?", "%", " ", "\t", "\n", "%zz", "@@", "/@?#"])
@pytest.mark.parametrize("form", ["xY{}zW", "{}xYzW", "xYzW{}"])
def test_signs_in_a_password_are_to_be_encoded_and_no_part_of_it_is_shown(signs: str, form: str) -> None:
    words = refusal(f"postgresql://shop:{form.format(signs)}@db.example.net:5432/todo?sslmode=require")
    assert "percent-encode" in words
    assert not any(part in words for part in ("xY", "zW", "shop", "example.net"))


@every(
    strategies.text(strategies.characters(exclude_categories=("Cc", "Cs")), min_size=1),
    strategies.text(strategies.characters(exclude_categories=("Cc", "Cs")), min_size=1),
)
def test_any_role_and_password_survive_the_way_there_and_back(role: str, password: str) -> None:
    url = DatabaseUrl(role, password, "db.example.net", 5432, "todo", {"sslmode": "require"})
    assert read(url.text()) == url
    said = conninfo_to_dict(url.text())
    assert (said["user"], said["password"]) == (role, password)


@pytest.mark.parametrize(
    ("around", "bare"),
    [
        (f"{URL}\r", URL),
        (f"  {URL}\r\n", URL),
        (f'"{URL}"', URL),
        (f"'{URL}'\n", URL),
        (f"\ufeff{URL}", URL),
        (f"\u201c{URL}\u201d", URL),
        ("sk-a'b", "sk-a'b"),
        ("'", "'"),
        ("", ""),
    ],
)
def test_what_copying_leaves_around_a_value_is_taken_off(around: str, bare: str) -> None:
    assert trimmed(around) == bare


def test_parts_in_the_query_are_parts_all_the_same() -> None:
    url = read("postgresql:///todo?host=db.example.net&port=6000&user=a&password=b&ssl=true")
    assert url.text() == "postgresql://a:b@db.example.net:6000/todo?sslmode=require"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("postgresql://a@db.example.net/todo", "names no password"),
        ("postgresql://db.example.net/todo", "names no role and no password"),
        ("postgresql://a:b@/todo", "names no host"),
        ("postgresql://a:b@db.example.net", "names no database"),
        ("postgresql://a:b@%2Fvar%2Frun%2Fpostgresql/todo", "Unix socket"),
        ("postgresql:///todo?host=/var/run/postgresql&user=a&password=b", "Unix socket"),
        ("postgresql://a:b@/todo?host=one,two", "several hosts"),
        ("postgresql://a:b@db.example.net/todo?host=other.example.net", "has host twice"),
        ("postgresql://a:b@2001:db8::5/todo", "without brackets"),
        ("postgresql://a:b@[2001:db8::5/todo", "not around an IPv6"),
        ("postgresql://a:b@[nonsense]/todo", "not around an IPv6"),
        ("postgresql://a:b@[fe80::1%25eth0]/todo", "one link only"),
        ("postgresql://a:b@db.example.net:0/todo", "port"),
        ("postgresql://a:b@db.example.net:5432x/todo", "port"),
        ("postgresql://a:b@db example.net/todo", "blank"),
        ("postgresql://a:b%00c@db.example.net/todo", "control character"),
        ("postgresql://a:b%ffc@db.example.net/todo", "UTF-8"),
        ("postgresql+asyncpg://a:b@db.example.net/todo", "begins with postgresql+asyncpg://"),
        ("jdbc:postgresql://a:b@db.example.net/todo", "is not a PostgreSQL URL"),
        ("psql 'postgresql://a:b@db.example.net/todo'", "is not a PostgreSQL URL"),
        ("host=db.example.net user=a password=b", "is not a PostgreSQL URL"),
        (f"{URL}?sslmode", "has sslmode without a value"),
        (f"{URL}?ssl_mode=require", "sslmode?"),
        (f"{URL}?channel_binding=require", "without TLS"),
        (f"{URL}?sslmode=disable&sslrootcert=ca.crt", "sslrootcert without TLS"),
        (f"{URL}?connect_timeout=0&sslmode=require", "1 to 60 seconds"),
    ],
)
def test_each_thing_that_is_missing_or_wrong_has_its_own_words(text: str, words: str) -> None:
    assert words in refusal(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (URL, "no sslmode"),
        (f"{URL}?sslmode=disable", "sslmode=disable"),
        ("postgresql://a:b@localhost/todo?sslmode=require", "loopback"),
        ("postgresql://a:b@127.0.0.9/todo?sslmode=require", "loopback"),
        ("postgresql://a:b@[::1]/todo?sslmode=require", "loopback"),
        ("postgresql://a:b@db.localhost./todo?sslmode=require", "loopback"),
    ],
)
def test_a_users_database_is_encrypted_and_elsewhere(text: str, words: str) -> None:
    assert words in refusal(text, given)
    assert read(text).role == "a"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "::ffff:127.0.0.1", "LOCALHOST", "localhost."])
def test_every_name_of_the_asker_itself_is_known(host: str) -> None:
    assert loopback(host)


@pytest.mark.parametrize("host", ["localhost.example.net", "10.0.0.1", "2001:db8::1", "local"])
def test_other_hosts_are_elsewhere(host: str) -> None:
    assert not loopback(host)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file"),
        ("nothing of the kind", "holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----", "cannot be read"),
    ],
)
def test_a_file_that_holds_no_authority_is_refused_before_anything_is_built(
    tmp_path: Path, content: str | None, words: str
) -> None:
    file = tmp_path / "ca.crt"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UsageError, match=words) as caught:
        load({}, {}, {"TODO_DATABASE_URL": f"{URL}?sslmode=verify-full&sslrootcert={file}"})
    assert "hidden" not in str(caught.value)


def test_the_certificates_of_a_file_go_into_the_pods_and_its_key_does_not(tmp_path: Path) -> None:
    made = certify(["db.example.net"])
    file = tmp_path / "ca.pem"
    file.write_text(f"Issued by us\n{made.key}{made.authority}\n{made.authority}")
    chosen = load({}, {}, {"TODO_DATABASE_URL": f"{URL}?sslmode=verify-full&sslrootcert={file}"})
    assert chosen.database_authority.count("BEGIN CERTIFICATE") == 2
    assert "KEY" not in chosen.database_authority and "Issued" not in chosen.database_authority
    assert read(chosen.database_url.get_secret_value()).authority == IN_PODS
    assert "CERTIFICATE" not in repr(chosen)


def test_other_parameters_leave_the_rest_as_it_is() -> None:
    url = read(f"{URL}?sslmode=verify-full&sslrootcert=/home/me/ca.crt&options=-c%20a%3Db")
    assert url.authority == "/home/me/ca.crt"
    assert url.but(sslrootcert="/etc/ca.crt", options="").text() == (
        "postgresql://a:hidden@db.example.net:5432/todo?sslmode=verify-full&sslrootcert=/etc/ca.crt"
    )
    assert read(f"{URL}?sslmode=verify-full&sslrootcert=system").authority == ""
    assert "hidden" not in repr(url)


def test_the_list_of_parameters_is_what_the_documentation_says() -> None:
    table = (Path(__file__).parents[3] / "docs" / "database.md").read_text()
    assert [line for line in table.splitlines() if line.startswith("| `sslmode")]
    assert all(f"`{name}`" in table for name in PARAMETERS)
