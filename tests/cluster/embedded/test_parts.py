"""The table of parts, and that the committed hashes really decide (by the machine's own Go, without a network)."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from runbook.cluster.embedded import builds, parts
from runbook.cluster.embedded.parts import PARTS, GoPart, WheelPart
from runbook.engine.errors import RunbookError

MODULE = "example.test/lib"


def test_every_name_is_given_once() -> None:
    names = [name for part in PARTS for name in part.names]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_part_pins_its_version_and_hashes(part: parts.Part) -> None:
    assert part.version[1].isdigit()
    assert part.minutes > 0
    if isinstance(part, WheelPart):
        assert "--hash=sha256:" in part.source.read_text()
    else:
        hashes = (part.source / "go.sum").read_text()
        assert not part.upstream or f"{part.upstream} {part.version} h1:" in hashes
        assert part.wanted_go >= (1, 24)


def test_kubernetes_and_its_companions_are_the_releases_that_belong_together() -> None:
    versions = {name: part.version for part in PARTS for name in part.names}
    assert versions["kubelet"] == versions["kube-apiserver"] == versions["kubectl"] == "v1.35.4"
    assert versions["etcd"] == versions["etcdctl"] == "v3.6.5"


def test_a_version_that_go_mod_does_not_pin_is_no_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "HERE", tmp_path)
    (tmp_path / "go" / "x").mkdir(parents=True)
    (tmp_path / "go" / "x" / "go.mod").write_text("module x\n\nrequire example.test/libother v1.0.0\n")
    with pytest.raises(LookupError, match=MODULE):
        _ = GoPart("x", MODULE, "x", 1.0).version


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GoPart:
    """A program that needs a module, which a folder in the form of a module proxy serves."""
    if shutil.which("go") is None:
        pytest.skip("no Go on this machine")
    proxy = tmp_path / "proxy" / MODULE / "@v"
    proxy.mkdir(parents=True)
    go_mod = f"module {MODULE}\n\ngo 1.24\n"
    (proxy / "list").write_text("v1.0.0\n")
    (proxy / "v1.0.0.info").write_text('{"Version": "v1.0.0"}')
    (proxy / "v1.0.0.mod").write_text(go_mod)
    with zipfile.ZipFile(proxy / "v1.0.0.zip", "w") as archive:
        archive.writestr(f"{MODULE}@v1.0.0/go.mod", go_mod)
        archive.writestr(f"{MODULE}@v1.0.0/lib.go", "package lib\n\nfunc Zero() int { return 0 }\n")
    source = tmp_path / "go" / "program"
    source.mkdir(parents=True)
    (source / "go.mod").write_text(f"module program\n\ngo 1.24\n\nrequire {MODULE} v1.0.0\n")
    (source / "main.go").write_text(
        f'package main\n\nimport (\n\t"os"\n\n\tlib "{MODULE}"\n)\n\nfunc main() {{ os.Exit(lib.Zero()) }}\n'
    )
    monkeypatch.setattr(parts, "HERE", tmp_path)
    monkeypatch.setenv("GOPROXY", f"file://{tmp_path / 'proxy'}")
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))
    monkeypatch.setenv("GOCACHE", str(Path.home() / ".cache" / "go-build"))  # has the standard library
    for key, value in {"GOSUMDB": "off", "GOFLAGS": "-mod=mod -modcacherw"}.items():
        monkeypatch.setenv(key, value)
    subprocess.run(["go", "mod", "tidy"], cwd=source, check=True, capture_output=True)
    return GoPart("program", MODULE, "program", 1.0)


def _make(part: GoPart, tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    folder.mkdir()
    try:
        builds.make(part, folder, lambda _: None)
    finally:
        # Go's module cache is read-only, which keeps pytest from removing it.
        subprocess.run(["go", "clean", "-modcache"], check=True, env={**os.environ, "GOFLAGS": ""})
    return folder / part.name


def test_modules_with_the_committed_hash_are_built_in(program: GoPart, tmp_path: Path) -> None:
    assert subprocess.run([_make(program, tmp_path)], check=False).returncode == 0


def test_a_module_with_another_hash_ends_the_build(program: GoPart, tmp_path: Path) -> None:
    hashes = program.source / "go.sum"
    line = hashes.read_text().splitlines()[0]
    wrong = f"{MODULE} v1.0.0 h1:{'A' * 43}="
    hashes.write_text(hashes.read_text().replace(line, wrong))
    subprocess.run(["go", "clean", "-modcache"], check=True, env={**os.environ, "GOFLAGS": ""})
    with pytest.raises(RunbookError, match="checksum mismatch"):
        _make(program, tmp_path)


def test_a_module_without_a_committed_hash_ends_the_build(program: GoPart, tmp_path: Path) -> None:
    (program.source / "go.sum").write_text("")
    with pytest.raises(RunbookError, match=r"missing go\.sum entry"):
        _make(program, tmp_path)


def test_a_wheel_with_another_hash_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index is a folder; its wheel is a good one, only not the one that was pinned."""
    wheel = tmp_path / "index" / "tool_bin-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        script = zipfile.ZipInfo("tool_bin-1.0.data/scripts/tool")
        script.external_attr = 0o100755 << 16
        archive.writestr(script, "#!/bin/sh\n")
        folder = "tool_bin-1.0.dist-info"
        archive.writestr(f"{folder}/METADATA", "Metadata-Version: 2.1\nName: tool-bin\nVersion: 1.0\n")
        archive.writestr(
            f"{folder}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        names = (
            "tool_bin-1.0.data/scripts/tool",
            f"{folder}/METADATA",
            f"{folder}/WHEEL",
            f"{folder}/RECORD",
        )
        archive.writestr(f"{folder}/RECORD", "".join(f"{name},,\n" for name in names))
    monkeypatch.setattr(parts, "HERE", tmp_path)
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    part = WheelPart("tool", "tool.txt", 1.0)
    right = hashlib.sha256(wheel.read_bytes()).hexdigest()
    part.source.write_text(f"tool-bin==1.0 --hash=sha256:{right}\n")
    (tmp_path / "good").mkdir()
    builds.make(part, tmp_path / "good", lambda _: None)
    assert os.access(tmp_path / "good" / "tool", os.X_OK)

    part.source.write_text(f"tool-bin==1.0 --hash=sha256:{'0' * 64}\n")
    (tmp_path / "bad").mkdir()
    with pytest.raises(RunbookError, match=r"(?i)hash"):
        builds.make(part, tmp_path / "bad", lambda _: None)
