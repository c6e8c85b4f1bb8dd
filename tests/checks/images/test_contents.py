"""What is inside of images: setuid files, secrets by value and by form, shells."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from runbook.app.image_archive import Archive
from runbook.app.image_specs import BACKEND
from runbook.checks.images import contents
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Outcome, Status
from tests.fakes.saved import OS_RELEASE, Files, save
from tests.fakes.worlds import FakeApi, world_of

KNOWN = {"todo-secrets/database-url": b"correct-horse-battery"}
KEY = (
    b"-----BEGIN PRIVATE KEY-----\n"
    + b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n" * 3
)


def secrets_of(tmp_path: Path, *layers: Files, **configuration: Any) -> Outcome:
    file = save(tmp_path / "x.tar", {"x:1": list(layers)}, **configuration)
    with Archive(file) as archive:
        (image,) = archive.images()
        read = [contents.read_layer(archive, name, KNOWN) for name in image.layers]
    return contents.without_secrets("x:1", image, read, KNOWN)


def test_an_image_without_secrets(tmp_path: Path) -> None:
    outcome = secrets_of(
        tmp_path, OS_RELEASE, {"app": b"nothing"}, config={"Env": ["PATH=/bin", "TOKEN=${TOKEN}"]}
    )
    assert outcome.status is Status.PASSED, outcome
    assert "none in 2 layers, 2 files, 2 instructions" in outcome.observed


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            {"app/.env": b"x=correct-horse-battery"},
            "layer 2: app/.env: the value of todo-secrets/database-url",
        ),
        ({"program": b"\0" * 9000 + b"correct-horse-battery"}, "program: the value of"),
        ({"key.pem": KEY}, "key.pem: a private key"),
        ({"notes.txt": b"AKIAABCDEFGHIJKLMNOP"}, "notes.txt: an AWS access key"),
    ],
)
def test_a_secret_in_a_layer_is_found_and_not_shown(tmp_path: Path, files: Files, told: str) -> None:
    removed = {f"{path.rpartition('/')[0]}/.wh.{path.rpartition('/')[2]}".lstrip("/"): b"" for path in files}
    outcome = secrets_of(tmp_path, OS_RELEASE, files, removed)
    assert outcome.status is Status.FAILED
    assert told in outcome.observed
    assert "horse" not in str(outcome)
    assert outcome.hint


@pytest.mark.parametrize(
    "files",
    [
        {"lib/keys.js": b'const head = "-----BEGIN PRIVATE KEY-----\\n"; throw Error(head)'},
        {"jwt.dist-info/METADATA": b"eyJhbGciOiJIUzI1NiJ9.eyJzb21lIjoicGF5bG9hZCJ9.SflKxwRJSMeKKF2QT4fw"},
        {"docs.txt": b"AKIAIOSFODNN7EXAMPLE"},
        {"program": b"\0" + b"AKIAABCDEFGHIJKLMNOP"},
    ],
)
def test_what_only_looks_like_a_secret_is_none(tmp_path: Path, files: Files) -> None:
    assert secrets_of(tmp_path, OS_RELEASE, files).status is Status.PASSED


@pytest.mark.parametrize(
    "configuration",
    [
        {"config": {"Env": ["DB_PASSWORD=hunter2-hunter2"]}},
        {"config": {"Env": ["X=correct-horse-battery"]}},
        {"config": {"Labels": {"url": "postgresql://a:hunter2@db/x"}}},
        {"history": [{"created_by": "RUN curl -H 'X: ghp_0123456789012345678901234567890123456789'"}]},
    ],
)
def test_a_secret_that_someone_wrote_into_the_image_is_found(
    tmp_path: Path, configuration: dict[str, Any]
) -> None:
    outcome = secrets_of(tmp_path, OS_RELEASE, **configuration)
    assert outcome.status is Status.FAILED
    assert "hunter2" not in str(outcome)


def test_a_search_that_finds_not_even_its_control_proves_nothing(tmp_path: Path) -> None:
    assert secrets_of(tmp_path, {"app": b"nothing"}).status is Status.UNPROVEN


@pytest.mark.parametrize(
    ("mode", "status"), [(0o4755, Status.FAILED), (0o2755, Status.FAILED), (0o755, Status.PASSED)]
)
def test_setuid_and_setgid_files(tmp_path: Path, mode: int, status: Status) -> None:
    file = save(
        tmp_path / "x.tar", {"x:1": [{"usr/bin/su": (mode, b"x"), "usr/bin/sh": b"x", "opt/sh": b"x"}]}
    )
    with Archive(file) as archive:
        there = contents.filesystem([contents.read_layer(archive, archive.images()[0].layers[0], {})])
    outcome = contents.without_privileged_files("x:1", there)
    assert outcome.status is status
    assert contents.shells(there) == ["usr/bin/sh"]


def test_shells_of_an_image_of_ours(tmp_path: Path) -> None:
    def looked(*layers: Files) -> Status:
        file = save(tmp_path / "x.tar", {"x:1": list(layers)})
        with Archive(file) as archive:
            read = [contents.read_layer(archive, name, {}) for name in archive.images()[0].layers]
        return contents.without_shells("x:1", contents.filesystem(read)).status

    base: Files = {"usr/bin/dash": b"x", "usr/bin/env": b"x"}
    assert looked(base) is Status.FAILED
    assert looked(base, {"usr/bin/.wh.dash": b""}) is Status.PASSED
    assert contents.without_shells("x:1", {}).status is Status.UNPROVEN


def test_a_setuid_file_that_a_later_layer_mends_is_none(tmp_path: Path) -> None:
    file = save(tmp_path / "x.tar", {"x:1": [{"su": (0o4755, b"x")}, {"su": (0o755, b"x")}]})
    with Archive(file) as archive:
        layers = [contents.read_layer(archive, name, {}) for name in archive.images()[0].layers]
    assert contents.without_privileged_files("x:1", contents.filesystem(layers)).status is Status.PASSED
    assert contents.without_privileged_files("x:1", {}).status is Status.UNPROVEN


def test_secrets_of_this_run_are_their_telling_parts() -> None:
    secret = {
        "kind": "Secret",
        "metadata": {"name": "todo-secrets", "namespace": "todo"},
        "data": {
            "database-url": "cG9zdGdyZXNxbDovL2E6Y29ycmVjdC1ob3JzZSUyMWJhdHRlcnlAZGIveA==",
            "short": "YWJj",
        },
    }
    settings = Settings(openai_api_key=SecretStr("sk-of-the-settings"))
    known = contents.of_this_run(world_of(settings, api=FakeApi(secret)))
    assert known == {
        "OPENAI_API_KEY": b"sk-of-the-settings",
        "todo-secrets/database-url": b"correct-horse!battery",
    }
    away = FakeApi()
    away.away = True
    assert contents.of_this_run(world_of(Settings(), api=away)) == {}


def test_images_are_saved_in_one_archive_that_is_gone_afterwards() -> None:
    saved: list[Path] = []

    def write(references: list[str], file: Path) -> None:
        saved.append(save(file, {each: [OS_RELEASE] for each in references}))

    docker = SimpleNamespace(image=lambda reference: reference, save=write)
    with contents.saved(world_of(Settings(), docker=docker), [BACKEND]) as archive:
        assert archive.images()[0].references == ("todo-backend:1.0.0",)
    assert not saved[0].exists()
    docker.image = lambda reference: None
    with pytest.raises(Unmeasurable, match="holds no todo-backend"):
        contents.saved(world_of(Settings(), docker=docker), [BACKEND]).__enter__()
