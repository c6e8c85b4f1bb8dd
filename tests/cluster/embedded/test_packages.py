"""Debian packages: only what is missing, no daemon, nothing changed, everything put back."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.cluster.embedded import packages
from runbook.cluster.embedded.packages import PACKAGES, Package
from runbook.errors import RunbookError

APT_GET = """#!/bin/sh
echo "$*" >> {log}
case "$*" in
  *--simulate*) echo "{simulated}" ;;
  *install*) cp {policy} {seen}; echo "Setting up wanted (1.0) ..."; {installing} ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of our own: folders for programs and configuration, root by name."""
    for folder in ("bin", "sbin"):
        (tmp_path / folder).mkdir()
    for program in ("sh", "cp", "touch", "chmod", "cat"):
        (tmp_path / "bin" / program).symlink_to(f"/bin/{program}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(packages, "POLICY", tmp_path / "sbin" / "policy-rc.d")
    monkeypatch.setattr(packages, "NO_MAIN_CLUSTER", tmp_path / "etc" / "createcluster.d" / "ours.conf")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return tmp_path


def _apt_get(machine: Path, *, simulated: str = "Inst wanted (1.0)", installing: str | None = None) -> None:
    made = machine / "bin" / "wanted"
    script = APT_GET.format(
        log=machine / "log",
        policy=machine / "sbin" / "policy-rc.d",
        seen=machine / "seen",
        simulated=simulated,
        installing=installing or f"touch {made}; chmod +x {made}",
    )
    (machine / "bin" / "apt-get").write_text(script)
    (machine / "bin" / "apt-get").chmod(0o755)


WANTED = (Package("wanted-package", "wanted", "to be tested"),)


def test_only_what_is_missing_is_installed_and_a_second_call_asks_nobody(machine: Path) -> None:
    _apt_get(machine)
    there = Package("there-package", "sh", "is there")
    told: list[str] = []
    assert packages.install(told.append, (there, *WANTED)) == ("wanted-package",)
    calls = (machine / "log").read_text()
    assert "wanted-package" in calls
    assert "there-package" not in calls
    assert "Debian packages: setting up wanted" in told
    assert packages.install(told.append, (there, *WANTED)) == ()
    assert (machine / "log").read_text() == calls


def test_nothing_installed_is_upgraded_or_removed(machine: Path) -> None:
    _apt_get(machine)
    packages.install(lambda _: None, WANTED)
    last = (machine / "log").read_text().splitlines()[-1]
    assert "--no-upgrade" in last
    assert "--no-remove" in last


def test_an_upgrade_that_would_be_needed_is_refused_before_anything_happens(machine: Path) -> None:
    _apt_get(machine, simulated="Inst libc6 [2.35] (2.36 Debian:12)")
    with pytest.raises(RunbookError, match="libc6") as caught:
        packages.install(lambda _: None, WANTED)
    assert "apt-get install wanted-package" in caught.value.hint
    assert "--simulate" in (machine / "log").read_text().splitlines()[-1]


def test_daemons_are_forbidden_while_packages_are_installed_and_nothing_of_that_remains(
    machine: Path,
) -> None:
    _apt_get(machine)
    packages.install(lambda _: None, WANTED)
    assert "exit 101" in (machine / "seen").read_text()
    assert list((machine / "sbin").iterdir()) == []
    assert not (machine / "etc").exists()


@pytest.mark.parametrize("installing", [None, "exit 100"])
def test_a_policy_of_the_machine_is_put_back_also_after_a_failure(
    machine: Path, installing: str | None
) -> None:
    policy = machine / "sbin" / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 104\n")
    policy.chmod(0o700)
    _apt_get(machine, installing=installing)
    if installing is None:
        packages.install(lambda _: None, WANTED)
    else:
        with pytest.raises(RunbookError):
            packages.install(lambda _: None, WANTED)
    assert "exit 101" in (machine / "seen").read_text()
    assert policy.read_text() == "#!/bin/sh\nexit 104\n"
    assert policy.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in (machine / "sbin").iterdir()] == ["policy-rc.d"]


@pytest.mark.parametrize("original", ["#!/bin/sh\nexit 104\n", None])
def test_what_a_killed_run_left_is_put_right_by_the_next(machine: Path, original: str | None) -> None:
    policy = machine / "sbin" / "policy-rc.d"
    policy.write_text(packages.NO_DAEMONS)
    if original is not None:
        (machine / "sbin" / ".policy-rc.d.todo-runbook").write_text(original)
    with packages.daemons_stay_off(policy, machine / "etc" / "ours.conf"):
        assert "exit 101" in policy.read_text()
        assert "create_main_cluster = false" in (machine / "etc" / "ours.conf").read_text()
    left = {path.name: path.read_text() for path in (machine / "sbin").iterdir()}
    assert left == ({} if original is None else {"policy-rc.d": original})


def test_without_apt_one_line_says_so(machine: Path) -> None:
    with pytest.raises(RunbookError, match="no apt-get") as caught:
        packages.install(lambda _: None, WANTED)
    assert "wanted-package" in caught.value.hint


def test_without_root_one_line_says_so(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _apt_get(machine)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(RunbookError, match="only root") as caught:
        packages.install(lambda _: None, WANTED)
    assert caught.value.hint == "sudo apt-get install wanted-package"
    assert not (machine / "log").exists()


def test_a_failure_of_apt_quotes_it(machine: Path) -> None:
    _apt_get(machine, installing="echo 'E: Unable to locate package'; exit 100")
    with pytest.raises(RunbookError, match="Unable to locate package"):
        packages.install(lambda _: None, WANTED)


def test_an_installation_that_brought_nothing_is_no_success(machine: Path) -> None:
    _apt_get(machine, installing="true")
    with pytest.raises(RunbookError, match="wanted is not there"):
        packages.install(lambda _: None, WANTED)


def test_a_package_is_found_by_a_file_as_well(tmp_path: Path) -> None:
    package = Package("postgresql", "/usr/lib/postgresql/*/bin/postgres", "")
    assert not package.present(tmp_path)
    folder = tmp_path / "usr/lib/postgresql/15/bin"
    folder.mkdir(parents=True)
    (folder / "postgres").touch()
    assert package.present(tmp_path)


def test_every_package_has_a_reason_and_is_named_once() -> None:
    assert all(package.reason for package in PACKAGES)
    assert len({package.name for package in PACKAGES}) == len(PACKAGES)
