from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.app.application import DAPR_NAMESPACE, DATABASE_NAMESPACE, MODEL_NAMESPACE
from runbook.engine.errors import UsageError
from runbook.engine.redaction import redact
from runbook.engine.settings import Settings, load
from runbook.engine.settings.values import RESERVED

ODD_HOSTS = (
    *(
        "bad host!",
        "http://todo.local/",
        "localhost",
        "x.local\n1.2.3.4 github.com",
        "todo.local\n",
        "todo.local.",
    ),
    *(
        "10.0.0.1",
        "::1",
        "Todo.local",
        "-a.local",
        "a_b.local",
        ".local",
        "a..b",
        "todo.local:80",
        "",
        "a" * 254,
        "#",
    ),
    *("a" * 64 + ".local", "bücher.local", "x.local # y"),
)
ODD_URLS = (
    *(
        "foo",
        "ftp://h/v1",
        "http://",
        "http://h:99999/v1",
        "http://u:secret@h/v1",
        "http://h/v1?key=x",
        "//h/v1",
    ),
    *("http://h/v1\nX: y", "javascript:alert(1)", "file:///etc/passwd", 'http://h/"quoted'),
)


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
    made = load(
        {}, {}, {"TODO_DATABASE_URL": "postgresql://u:p@h/d?sslmode=require", "OPENAI_API_KEY": "sk-x"}
    )
    assert made.openai_api_key.get_secret_value() == "sk-x"
    assert "sk-x" not in repr(made)


def test_variables_of_other_programs_are_left_alone() -> None:
    assert load({}, {}, {"TODO_DIR": "/home/me/todo", "TODO_FILE": "todo.txt", "HOME": "/"}) == load(
        {}, {}, {}
    )


@pytest.mark.parametrize(
    ("name", "nearest"), [("TODO_NAME", "TODO_"), ("TODO_FOO", "TODO_"), ("TODO_HOTS", "TODO_HOST?")]
)
def test_every_other_variable_of_our_prefix_is_refused(name: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=f"the variable {name} is not a known setting") as caught:
        load({}, {}, {name: "x"})
    assert nearest in caught.value.wanted


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("host", value) for value in ODD_HOSTS),
        *(("release", value) for value in ("-x", "Bad Release!", "a" * 54, "a.b", "todo\n", "1st", "", " ")),
        *(("tag", value) for value in ("latest", "-x", "a b", "a/b", ":1", "x" * 121, "1.0\n")),
        *(
            ("namespace", value)
            for value in ("kube-system", "kube-x", "default", "a" * 64, "-x", "a.b", "A", "todo\n")
        ),
        *(("namespace", value) for value in ("todo-database", "todo-model", "dapr-system", "ingress-nginx")),
        *(("openai_base_url", value) for value in ODD_URLS),
        *(("openai_model", value) for value in ("-x", "a\nb", "x" * 254, "a\x00")),
        ("context", "-kubeconfig=/etc/passwd"),
        ("context", "a\nb"),
        *(
            ("ready_timeout", value)
            for value in ("inf", "nan", "1e400", "true", True, "-1", 0, "86401", "", "0x10")
        ),
        *((key, value) for key in ("http_port", "cpus", "memory") for value in (True, "-1", "many", "1e3")),
        *(
            (key, "-x")
            for key in ("node_image", "kind_config", "pull_secret", "cni", "kubernetes_version", "driver")
        ),
        *(
            (key, "a\nb")
            for key in ("node_image", "kind_config", "pull_secret", "cni", "kubernetes_version", "registry")
        ),
        ("http_port", "http"),
        ("tag", 1.0),
        ("host", None),
        ("cluster_name", "todo\n"),
        ("project", "/somewhere"),
    ],
)
def test_what_could_reach_a_file_or_a_flag_is_refused_in_one_plain_line(key: str, value: object) -> None:
    with pytest.raises(UsageError) as caught:
        load({key: value}, {}, {})
    told = str(caught.value)
    assert caught.value.exit_code == 2 and "\n" not in told and key in told
    assert not any(word in told for word in ("String should", "parse string", "Value error", "pattern"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("host", "todo.local"),
        ("host", "a-b.c1.example.org"),
        ("host", "todo.localhost"),
        ("host", "todo"),
        ("release", "todo-app-2"),
        ("tag", "1.0.0-rc.1_x"),
        ("namespace", "team-1"),
        ("openai_base_url", "http://10.0.0.5:11434/v1"),
        ("openai_model", "gpt-4o-mini"),
        ("context", "arn:aws:eks:eu-west-1:1:cluster/my one"),
        ("ready_timeout", "12.5"),
    ],
)
def test_ordinary_values_are_taken(key: str, value: object) -> None:
    assert str(getattr(load({key: value}, {}, {}), key)) == str(value)


def test_the_reserved_namespaces_are_those_of_the_stand_ins_and_of_dapr() -> None:
    assert {DATABASE_NAMESPACE, MODEL_NAMESPACE, DAPR_NAMESPACE} <= RESERVED


@pytest.mark.parametrize(
    "url",
    [
        "foo",
        "mysql://u:the-password@h/d",
        "postgresql://u:the-password@h:99999/d?sslmode=require",
        "postgresql://u:the-password@h/d?sslmode=disable",
        "postgresql://u:the-password@localhost/d?sslmode=require",
        "postgresql://u:the-pass@word@h/d?sslmode=require",
        "host=h password=the-password",
    ],
)
def test_a_database_that_cannot_be_meant_is_refused_before_anything_is_written(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        load({}, {}, {"TODO_DATABASE_URL": url})
    assert caught.value.exit_code == 2 and "TODO_DATABASE_URL" in str(caught.value)
    assert "the-pass" not in str(caught.value)


def test_a_given_database_is_written_in_the_form_that_all_services_read() -> None:
    made = load({}, {}, {"TODO_DATABASE_URL": " postgres://u:p%40ssword@h/d?sslmode=require\r\n"})
    assert made.database_url.get_secret_value() == "postgresql://u:p%40ssword@h:5432/d?sslmode=require"
    assert redact("said p@ssword") == "said ***"


@pytest.mark.parametrize(
    "key", ["sk-local-0123456789abcdef\r", " dGVhbS1hOnNlY3JldC1vZi10aGUtdGVhbQ==\n", "a...b<c>"]
)
def test_a_given_key_is_trimmed_and_otherwise_taken_as_it_is(key: str) -> None:
    assert load({}, {}, {"OPENAI_API_KEY": key}).openai_api_key.get_secret_value() == key.strip()


@pytest.mark.parametrize(
    "key", ["two words-of-a-key", "line-one-of-it\nline-two", "schlüssel-lang", "a\x00bcdefgh"]
)
def test_a_key_that_no_header_can_carry_is_refused_without_a_part_of_it(key: str) -> None:
    with pytest.raises(UsageError, match="OPENAI_API_KEY") as caught:
        load({}, {}, {"OPENAI_API_KEY": key})
    assert not any(part in str(caught.value) for part in key.split())


@pytest.mark.parametrize(("state", "home"), [("relative/state", "/home/me"), ("", "/home/me")])
def test_a_relative_folder_is_ignored_as_xdg_says(
    monkeypatch: pytest.MonkeyPatch, state: str, home: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", state)
    monkeypatch.setenv("HOME", home)
    assert Settings().state == Path("/home/me/.local/state/todo-runbook/todo")


@pytest.mark.parametrize("home", ["", "relative", "/"])
def test_without_a_usable_home_the_user_s_own_counts(monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", home)
    assert Settings().state.is_relative_to(pwd.getpwuid(os.geteuid()).pw_dir)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"- a\n- list\n", "invoke.yaml, or the file of -f, cannot be read"),
        (b"\xff\xfe\x00", "invoke.yaml, or the file of -f, cannot be read"),
        (b"runbook: [1", "invoke.yaml, or the file of -f, cannot be read"),
        (b"runbook: text\n", "`runbook` in invoke.yaml is not a mapping"),
        (b"runbok: {}\n", "runbok in invoke.yaml is not a known section; wanted: runbook?"),
        (
            b"runbook: {database_url: postgresql://u:the-password@h/d}\n",
            "invoke.yaml holds the secret database_url",
        ),
        (None, "invoke.yaml, or the file of -f, cannot be read"),
    ],
)
def test_an_unusable_invoke_yaml_is_one_line_and_exit_2(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    project = Path(__file__).resolve().parents[3]
    for name in ("tasks.py", "runbook"):
        (tmp_path / name).symlink_to(project / name)
    if content is None:
        (tmp_path / "invoke.yaml").mkdir()
    else:
        (tmp_path / "invoke.yaml").write_bytes(content)
    argv = [sys.executable, "-m", "invoke", "tasks"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr and done.stderr.count("\n") == 1 and "the-password" not in done.stderr
