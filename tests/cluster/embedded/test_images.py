"""Images in the node: ids by following digests, only what differs is moved, a missing image is said."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from runbook.cluster.embedded import images
from runbook.cluster.embedded.archive import ScratchImage
from runbook.cluster.embedded.sandbox import Sandbox
from runbook.engine.errors import CommandFailed, RunbookError

CONFIG = "sha256:" + "c" * 64


class FakeSandbox:
    """Lists what it was given; remembers what is imported."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: dict[str, str] = {}
        self.imported: list[bytes] = []
        self.on_import: Mapping[str, str] = {}

    def blob(self, document: Mapping[str, Any]) -> str:
        content = json.dumps(document).encode()
        digest = hashlib.sha256(content).hexdigest()
        file = self.folder / images._CONTENT / "sha256" / digest
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return f"sha256:{digest}"

    def manifest(self, config: str = CONFIG) -> str:
        return self.blob({"config": {"digest": config}, "layers": []})

    def run(self, argv: Sequence[str], timeout: float = 60.0, *, stdin: Any = None) -> str:
        if list(argv[-2:]) == ["tasks", "ls"]:
            running, stopped = "a" * 64, "b" * 64
            return f"TASK    PID     STATUS\n{running}    4711    RUNNING\n{stopped}    12    STOPPED\n"
        if argv[-1] == "ls":
            rows = [
                f"{reference} application/x {digest} 1.0 MiB linux/amd64 -"
                for reference, digest in self.rows.items()
            ]
            return "\n".join(["REF TYPE DIGEST SIZE PLATFORMS LABELS", *rows, ""])
        if argv[3] == "rm":
            for reference in argv[5:]:
                del self.rows[reference]
            return ""
        self.imported.append(stdin.read())
        self.rows.update(self.on_import)
        return ""


@pytest.fixture
def fake(tmp_path: Path) -> FakeSandbox:
    return FakeSandbox(tmp_path / "node")


def sandbox(fake: FakeSandbox) -> Sandbox:
    return cast("Sandbox", fake)


def silent(_: str) -> None:
    return None


def test_ids_are_config_digests_under_familiar_names(fake: FakeSandbox) -> None:
    manifest = fake.manifest()
    index = fake.blob({"manifests": [{"digest": "sha256:" + "0" * 64}, {"digest": manifest}]})
    fake.rows = {
        "docker.io/library/todo-backend:1.0.0": manifest,
        "todo.runbook/pause:1": index,
        CONFIG: manifest,
        "docker.io/library/todo-backend@sha256:" + "d" * 64: manifest,
    }
    assert images.held(sandbox(fake)) == {"todo-backend:1.0.0": CONFIG, "todo.runbook/pause:1": CONFIG}


def test_an_empty_node_holds_nothing(fake: FakeSandbox) -> None:
    assert images.held(sandbox(fake)) == {}


def test_a_scratch_image_is_loaded_once(fake: FakeSandbox, tmp_path: Path) -> None:
    program = tmp_path / "coredns"
    program.write_bytes(b"program")
    image = ScratchImage("coredns", program)
    fake.on_import = {image.reference: fake.manifest()}
    images.load_scratch(sandbox(fake), [image], silent)
    images.load_scratch(sandbox(fake), [image], silent)
    assert len(fake.imported) == 1
    assert b"program" in fake.imported[0]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker command that knows todo-backend:1.0.0 and writes what it was asked."""
    script = tmp_path / "bin" / "docker"
    script.parent.mkdir()
    script.write_text(
        f"""#!/bin/sh
echo "$@" >>{tmp_path}/asked
case "$*" in
"image inspect todo-backend:1.0.0") echo '[{{"Id": "{CONFIG}"}}]' ;;
"image inspect"*) echo "Error: No such image: todo-other:1.0.0" >&2; exit 1 ;;
"image save"*) [ -e {tmp_path}/fails ] && {{ echo "disk full" >&2; exit 1; }}; printf archive ;;
esac
"""
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    return tmp_path


def test_an_image_of_the_same_id_is_not_moved(fake: FakeSandbox, docker: Path) -> None:
    fake.rows = {"docker.io/library/todo-backend:1.0.0": fake.manifest()}
    images.load_from_engine(sandbox(fake), ["todo-backend:1.0.0"], {}, silent)
    assert fake.imported == []
    assert "save" not in (docker / "asked").read_text()


def test_a_stale_image_under_the_same_tag_is_replaced(fake: FakeSandbox, docker: Path) -> None:
    fake.rows = {"docker.io/library/todo-backend:1.0.0": fake.manifest("sha256:" + "a" * 64)}
    fake.on_import = {"docker.io/library/todo-backend:1.0.0": fake.manifest()}
    images.load_from_engine(sandbox(fake), ["todo-backend:1.0.0"], {}, silent)
    assert fake.imported == [b"archive"]


def test_an_import_that_brings_another_image_is_said(fake: FakeSandbox, docker: Path) -> None:
    with pytest.raises(RunbookError, match="another id of todo-backend"):
        images.load_from_engine(sandbox(fake), ["todo-backend:1.0.0"], {}, silent)


def test_a_failing_save_is_said(fake: FakeSandbox, docker: Path) -> None:
    (docker / "fails").touch()
    with pytest.raises(CommandFailed, match="disk full"):
        images.load_from_engine(sandbox(fake), ["todo-backend:1.0.0"], {}, silent)


def test_an_image_that_was_never_built_is_said(fake: FakeSandbox, docker: Path) -> None:
    with pytest.raises(RunbookError, match=r"No such image.*inv build"):
        images.load_from_engine(sandbox(fake), ["todo-other:1.0.0"], {}, silent)


def test_the_first_processes_of_running_containers_are_known(fake: FakeSandbox) -> None:
    assert images.processes(sandbox(fake)) == {"a" * 64: 4711}


def test_names_are_forgotten_and_others_stay(fake: FakeSandbox) -> None:
    fake.rows = {f"docker.io/library/todo-backend:{tag}": fake.manifest() for tag in ("1.0.0", "1.0.0-drill")}
    images.forget(cast("Sandbox", fake), ["todo-backend:1.0.0-drill", "todo-frontend:1.0.0-drill"])
    assert list(fake.rows) == ["docker.io/library/todo-backend:1.0.0"]
    images.forget(cast("Sandbox", fake), ["todo-backend:1.0.0-drill"])
