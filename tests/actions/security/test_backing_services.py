"""A forgotten `export` moves nobody's data: the database and the model that are in use change on request only."""

from __future__ import annotations

import base64
import json

import pytest
from pydantic import SecretStr

from runbook.actions.security import backing_services, secrets
from runbook.actions.security.backing_services import OFFLINE, STAND_IN, Backing
from runbook.app.secrets import secret_data
from runbook.engine.errors import UsageError
from runbook.engine.settings import Settings
from tests.fakes.running import release_secret
from tests.fakes.worlds import FakeApi, world_of

URL = "postgresql://me:the-password@db.example.test/todo?sslmode=verify-full"
GIVEN = Settings(database_url=SecretStr(URL))
KEYED = Settings(openai_api_key=SecretStr("sk-of-the-user-0123456789"))


def content(api: FakeApi, name: str = secrets.SECRET) -> dict[str, str]:
    found = api.get("Secret", name, "todo") or {"data": {}}
    return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}


def by_hand(api: FakeApi, **values: str) -> None:
    """As k8s/secrets-template.yaml invites to: no note on it."""
    api.put(
        secret_data.opaque(
            secrets.SECRET, "todo", {key.replace("_", "-"): value for key, value in values.items()}
        )
    )


@pytest.mark.parametrize(
    ("first", "then", "what", "words"),
    [
        (
            GIVEN,
            Settings(),
            "database",
            f"db.example.test:5432/todo; by this environment it would be {STAND_IN}",
        ),
        (
            Settings(),
            GIVEN,
            "database",
            f"{STAND_IN}; by this environment it would be db.example.test:5432/todo",
        ),
        (
            GIVEN,
            Settings(database_url=SecretStr(URL.replace("/todo?", "/other?"))),
            "database",
            "would be db.example.test:5432/other",
        ),
        (KEYED, Settings(), "model", f"https://api.openai.com/v1; by this environment it would be {OFFLINE}"),
        (
            KEYED,
            KEYED.model_copy(update={"openai_base_url": "http://10.0.0.5:11434/v1"}),
            "model",
            "http://10.0.0.5:11434/v1",
        ),
    ],
)
def test_another_one_is_refused_before_anything_is_written_and_taken_on_request(
    first: Settings, then: Settings, what: str, words: str
) -> None:
    api = FakeApi()
    secrets.ensure(world_of(first, api=api))
    before, writes = content(api), list(api.written)
    with pytest.raises(UsageError) as caught:
        secrets.ensure(world_of(then, api=api))
    assert words in str(caught.value) and f"--change-{what}" in str(caught.value)
    assert "the-password" not in str(caught.value) and "sk-of" not in str(caught.value)
    assert (content(api), api.written) == (before, writes)
    secrets.ensure(world_of(then, api=api, changes=frozenset({what})))
    assert backing_services.remembered(world_of(then, api=api)) == backing_services.wanted(then)
    secrets.ensure(world_of(then, api=api))  # from now on it is the one in use


def test_the_other_change_does_not_allow_this_one() -> None:
    api = FakeApi()
    secrets.ensure(world_of(GIVEN, api=api))
    with pytest.raises(UsageError, match="as its database"):
        secrets.ensure(world_of(Settings(), api=api, changes=frozenset({"model"})))


def test_what_goes_out_of_use_is_kept_and_can_be_brought_back() -> None:
    api = FakeApi()
    secrets.ensure(world_of(GIVEN, api=api))
    secrets.ensure(world_of(Settings(), api=api, changes=frozenset({"database"})))
    assert URL not in content(api).values()
    kept = content(api, backing_services.BEFORE)
    assert set(kept.values()) == {URL}
    assert {key.rpartition(".")[0] for key in kept} == set(secret_data.URL_ROLES)
    assert not any(
        name == backing_services.BEFORE for _, name, _ in [("", *each[1:]) for each in api.written[:1]]
    )


@pytest.mark.parametrize("settings", [Settings(), GIVEN])
def test_urls_that_a_person_put_into_the_secret_are_not_replaced(settings: Settings) -> None:
    api = FakeApi()
    own = "postgresql://own:the-password@own.example.test/todo?sslmode=require"
    by_hand(api, **dict.fromkeys((key.replace("-", "_") for key in secret_data.URL_ROLES), own))
    with pytest.raises(UsageError, match=r"own\.example\.test:5432/todo"):
        secrets.ensure(world_of(settings, api=api))
    assert set(content(api).values()) == {own}


def test_the_key_of_a_real_model_is_never_sent_to_another_one() -> None:
    api = FakeApi()
    secrets.ensure(world_of(KEYED, api=api))
    secrets.ensure(world_of(Settings(), api=api, changes=frozenset({"model"})))
    assert content(api)[secret_data.MODEL_KEY] not in ("", "sk-of-the-user-0123456789")
    assert "sk-of-the-user-0123456789" in content(api, backing_services.BEFORE).values()
    near = Settings(openai_base_url="http://10.0.0.5:11434/v1")
    made = content(api)[secret_data.MODEL_KEY]
    secrets.ensure(world_of(near, api=api, changes=frozenset({"model"})))
    assert content(api)[secret_data.MODEL_KEY] != made


def test_a_key_that_a_person_put_in_is_not_given_to_the_offline_model() -> None:
    api = FakeApi()
    by_hand(api, openai_api_key="sk-of-somebody-0123456789")
    with pytest.raises(UsageError, match="put into the Secret by hand"):
        secrets.ensure(world_of(Settings(), api=api))
    assert content(api)[secret_data.MODEL_KEY] == "sk-of-somebody-0123456789"


def test_the_key_of_a_gateway_is_kept_as_it_is() -> None:
    """base64 of user:password is a legal key, and dots and angle brackets are as well."""
    key = "dGVhbS1hOnNlY3JldC1vZi10aGUtdGVhbQ=="
    api = FakeApi()
    world = world_of(Settings(openai_api_key=SecretStr(key)), api=api)
    secrets.ensure(world)
    assert content(api)[secret_data.MODEL_KEY] == key and secret_data.problems(world) == []
    secrets.ensure(world)
    assert content(api)[secret_data.MODEL_KEY] == key


def test_without_a_note_the_release_says_which_model_is_used() -> None:
    api = FakeApi()
    secrets.ensure(world_of(Settings(), api=api))
    api.objects["Secret", "todo", secrets.SECRET]["metadata"]["annotations"] = {}
    api.put(release_secret(values={"global": {"host": "todo.local"}}))
    assert backing_services.remembered(world_of(Settings(), api=api)) == Backing(STAND_IN, OFFLINE)
    named = {"global": {"networkPolicy": {"model": {"port": 443}}}, "backend": {"model": {"baseUrl": ""}}}
    api.put(release_secret(values=named))
    assert backing_services.remembered(world_of(Settings(), api=api)).model == backing_services.OPENAI


def test_while_the_cluster_is_down_the_state_folder_says_it(settings: Settings) -> None:
    api = FakeApi()
    secrets.ensure(world_of(GIVEN, api=api))
    api.objects.clear()
    with pytest.raises(UsageError, match=r"db\.example\.test"):
        backing_services.check(world_of(settings, api=api))


@pytest.mark.parametrize("note", ["", "{", "[]", "3", json.dumps({"database": 3}), "[" * 50_000])
def test_a_damaged_note_is_none(note: str) -> None:
    api = FakeApi()
    secrets.ensure(world_of(GIVEN, api=api))
    api.objects["Secret", "todo", secrets.SECRET]["metadata"]["annotations"] = {backing_services.USES: note}
    assert backing_services.remembered(world_of(GIVEN, api=api)).database == "db.example.test:5432/todo"


def test_another_password_for_the_same_database_is_no_change() -> None:
    api = FakeApi()
    secrets.ensure(world_of(GIVEN, api=api))
    other = Settings(database_url=SecretStr(URL.replace("the-password", "another-one").replace("db.", "DB.")))
    secrets.ensure(world_of(other, api=api))
    assert "another-one" in content(api)["database-url"]
    assert URL in content(api, backing_services.BEFORE).values()
