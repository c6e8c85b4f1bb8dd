from __future__ import annotations

import pytest

from runbook.errors import UsageError
from runbook.settings import load


def test_flags_go_before_the_environment_and_that_before_the_file() -> None:
    section = {"cluster": "kind", "tag": "1", "host": "a.local"}
    environment = {"TODO_CLUSTER": "minikube", "TODO_TAG": "2"}
    made = load(section, {"cluster": "embedded", "cluster_name": ""}, environment)
    assert (made.cluster, made.tag, made.host, made.cluster_name) == ("embedded", "2", "a.local", "todo")


@pytest.mark.parametrize(
    ("section", "flags", "environment", "words"),
    [
        ({"clustr": "kind"}, {}, {}, ("runbook.clustr in invoke.yaml", "wanted: cluster?")),
        ({"zzz": 1}, {}, {}, ("runbook.zzz", "one of")),
        ({"cluster": "kindd"}, {}, {}, ("'kindd' in invoke.yaml", "'kind'")),
        ({}, {"cluster": "k3s"}, {}, ("'k3s' by --cluster", "'embedded'")),
        ({}, {"cluster_name": "No Spaces"}, {}, ("'No Spaces' by --name",)),
        ({}, {}, {"TODO_READY_TIMEOUT": "soon"}, ("'soon' by TODO_READY_TIMEOUT", "number")),
        ({}, {}, {"TODO_CLUSTR": "kind"}, ("TODO_CLUSTR", "TODO_CLUSTER?")),
        ({"ready_timeout": -1}, {}, {}, ("-1 in invoke.yaml", "greater than 0")),
    ],
)
def test_bad_input_is_refused_with_its_place_and_what_was_wanted(
    section: dict[str, object], flags: dict[str, object], environment: dict[str, str], words: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError) as caught:
        load(section, flags, environment)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("key", ["database_url", "openai_api_key"])
def test_secrets_come_by_the_environment_only(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        load({key: "sk-very-secret-value"}, {}, {})
    assert "secret-value" not in str(caught.value)
    made = load({}, {}, {"TODO_DATABASE_URL": "postgresql://u:p@h/d", "OPENAI_API_KEY": "sk-x"})
    assert made.openai_api_key.get_secret_value() == "sk-x"
    assert "sk-x" not in repr(made)


def test_variables_of_other_programs_are_left_alone() -> None:
    assert load({}, {}, {"TODO_DIR": "/home/me/todo", "TODO_FILE": "todo.txt"}) == load({}, {}, {})
