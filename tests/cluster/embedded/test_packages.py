"""Debian packages: only what is missing, no daemon, nothing changed, everything put back."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from runbook.cluster.embedded import packages, units
from runbook.cluster.embedded.packages import PACKAGES, Package, Progress
from runbook.engine.errors import RunbookError
from runbook.engine.waiting import NotYet, eventually

PROJECT = Path(__file__).resolve().parents[3]

PROGRAMS = [
    "sh",
    "cp",
    "touch",
    "chmod",
    "cat",
    "mkdir",
    "mktemp",
    "mount",
    "umount",
    "rm",
    "rmdir",
    "dirname",
]
PROGRAMS += ["flock", "unshare", "sleep", "kill"]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a mount namespace needs root")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of our own: folders for programs and configuration, root by name."""
    for folder in ("bin", "sbin", "etc", "system/multi-user.target.wants"):
        (tmp_path / folder).mkdir(parents=True)
    for program in PROGRAMS:
        if found := shutil.which(program):
            (tmp_path / "bin" / program).symlink_to(found)
    if os.geteuid() != 0:
        (tmp_path / "unshielded.sh").write_text('shift 3; exec "$@"\n')
        monkeypatch.setattr(packages, "WITHOUT_DAEMONS", tmp_path / "unshielded.sh")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(packages, "POLICY", tmp_path / "sbin" / "policy-rc.d")
    monkeypatch.setattr(
        packages, "NO_MAIN_CLUSTER", tmp_path / "etc/postgresql-common/createcluster.d/ours.conf"
    )
    monkeypatch.setattr(units, "SYSTEM", tmp_path / "system")
    monkeypatch.setattr(units, "RUNNING", tmp_path / "no-systemd-here")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return tmp_path


def _program(machine: Path, name: str, script: str) -> None:
    (machine / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
    (machine / "bin" / name).chmod(0o755)


def _apt_get(machine: Path, *, simulated: str = "Inst wanted (1.0)", installing: str | None = None) -> None:
    """An apt-get that writes down how it was called and what policy it finds."""
    made, policy, seen = machine / "bin/wanted", machine / "sbin/policy-rc.d", machine / "seen"
    cluster = machine / "etc/postgresql-common/createcluster.d/ours.conf"
    installing = installing or f"touch {made}; chmod +x {made}"
    script = f"""
echo "$*" >>{machine}/log
case "$*" in
  *--simulate*) echo "{simulated}" ;;
  *install*)
    code=0; if [ -x {policy} ]; then {policy} || code=$?; fi
    echo "policy $code" >{seen}; cat {cluster} >>{seen} 2>/dev/null
    echo "Setting up wanted (1.0) ..."
    {installing} ;;
esac"""
    _program(machine, "apt-get", script)


def install(machine: Path, wanted: Sequence[Package], progress: Progress = lambda _: None) -> tuple[str, ...]:
    return packages.install(progress, machine / "packages.json", wanted)


def left(machine: Path) -> dict[str, str]:
    """The files of the machine outside of the programs, and what they say."""
    found = [path for folder in ("sbin", "etc") for path in (machine / folder).rglob("*")]
    return {str(path.relative_to(machine)): path.read_text() if path.is_file() else "/" for path in found}


WANTED = (Package("wanted-package", "wanted", "to be tested"),)


def test_only_what_is_missing_is_installed_and_a_second_call_asks_nobody(machine: Path) -> None:
    _apt_get(machine)
    there = Package("there-package", "sh", "is there")
    told: list[str] = []
    assert install(machine, (there, *WANTED), told.append) == ("wanted-package",)
    calls = (machine / "log").read_text()
    assert "wanted-package" in calls
    assert "there-package" not in calls
    assert "Debian packages: setting up wanted" in told
    assert install(machine, (there, *WANTED), told.append) == ()
    assert (machine / "log").read_text() == calls


def test_nothing_installed_is_upgraded_or_removed(machine: Path) -> None:
    _apt_get(machine)
    install(machine, WANTED)
    last = (machine / "log").read_text().splitlines()[-1]
    assert "--no-upgrade" in last
    assert "--no-remove" in last


def test_an_upgrade_that_would_be_needed_is_refused_before_anything_happens(machine: Path) -> None:
    _apt_get(machine, simulated="Inst libc6 [2.35] (2.36 Debian:12)")
    with pytest.raises(RunbookError, match="libc6") as caught:
        install(machine, WANTED)
    assert "apt-get install wanted-package" in caught.value.hint
    assert "--simulate" in (machine / "log").read_text().splitlines()[-1]


@needs_root
def test_daemons_are_forbidden_while_packages_are_installed_and_nothing_of_that_remains(
    machine: Path,
) -> None:
    _apt_get(machine)
    install(machine, WANTED)
    assert (machine / "seen").read_text().startswith("policy 101\n")
    assert "create_main_cluster = false" in (machine / "seen").read_text()
    assert left(machine) == {}
    assert not (machine / "packages.json").exists()


@needs_root
@pytest.mark.parametrize("installing", [None, "exit 100"])
def test_a_policy_of_the_machine_is_never_touched(machine: Path, installing: str | None) -> None:
    policy = machine / "sbin" / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 104\n")
    policy.chmod(0o700)
    before = policy.stat()
    _apt_get(machine, installing=installing)
    if installing is None:
        install(machine, WANTED)
    else:
        with pytest.raises(RunbookError):
            install(machine, WANTED)
    assert (machine / "seen").read_text().startswith("policy 101\n")
    assert left(machine) == {"sbin/policy-rc.d": "#!/bin/sh\nexit 104\n"}
    assert policy.stat() == before


RUN = """
import os, sys
from pathlib import Path
from runbook.cluster.embedded import packages, units
from runbook.cluster.embedded.packages import Package
place = Path(sys.argv[1])
packages.POLICY, units.SYSTEM = place / "sbin/policy-rc.d", place / "system"
packages.NO_MAIN_CLUSTER = place / "etc/postgresql-common/createcluster.d/ours.conf"
packages.install(lambda word: None, place / "packages.json", (Package("wanted-package", "wanted", "it"),))
"""


@needs_root
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("whole_group", [True, False], ids=["with apt-get", "apt-get goes on"])
@pytest.mark.parametrize("own", [None, "#!/bin/sh\nexit 104\n"], ids=["no policy", "a policy of the user's"])
def test_a_run_that_is_killed_forbids_nobody_anything(
    machine: Path, number: signal.Signals, whole_group: bool, own: str | None
) -> None:
    """At once, without any mending; and the next run takes away what is left."""
    policy = machine / "sbin" / "policy-rc.d"
    if own is not None:
        policy.write_text(own)
        policy.chmod(0o755)
    made, go = machine / "bin/wanted", machine / "go"
    _apt_get(machine, installing=f"while [ ! -e {go} ]; do sleep 0.05; done; touch {made}; chmod +x {made}")
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(machine)], cwd=PROJECT, stderr=subprocess.DEVNULL
    ) as run:
        eventually_there(machine / "seen")
        installing = children_of(run.pid)
        run.send_signal(number)
        if whole_group:
            for pid in installing:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        else:
            packages.mend(machine / "packages.json")  # another run begins meanwhile
        run.wait()
        assert own is not None or not os.access(policy, os.X_OK)
        assert own is None or policy.read_text() == own
        go.touch()
        for folder in (machine / "sbin", packages.NO_MAIN_CLUSTER.parent):
            wait_until_unlocked(folder)
    assert (machine / "seen").read_text().startswith("policy 101\n")
    made.touch()
    made.chmod(0o755)
    install(machine, WANTED)  # nothing is missing: it mends all the same
    assert left(machine) == ({} if own is None else {"sbin/policy-rc.d": own})


def children_of(pid: int) -> list[int]:
    try:
        found = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
    return [each for child in found for each in (child, *children_of(child))]


def eventually_there(path: Path) -> None:
    def look() -> None:
        if not path.exists():
            raise NotYet("it is not there yet")

    eventually(look, timeout=20, every=0.02, wanted=f"{path.name} there")


def wait_until_unlocked(folder: Path) -> None:
    """Until the last process of the installation has ended."""
    with suppress(FileNotFoundError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.close(handle)


@pytest.mark.parametrize("own", ["#!/bin/sh\nexit 104\n", None])
def test_what_an_earlier_version_left_is_mended(machine: Path, own: str | None) -> None:
    policy = machine / "sbin" / "policy-rc.d"
    policy.write_text(f"#!/bin/sh\n# {packages.MARK} while it installs packages\nexit 101\n")
    packages.NO_MAIN_CLUSTER.parent.mkdir(parents=True)
    packages.NO_MAIN_CLUSTER.write_text(f"# {packages.MARK}\ncreate_main_cluster = false\n")
    if own is not None:
        (machine / "sbin" / ".policy-rc.d.todo-runbook").write_text(own)
    packages.mend(machine / "packages.json")
    assert left(machine) == ({} if own is None else {"sbin/policy-rc.d": own})


class TestUnits:
    """Debian's packages enable what they bring; the next boot would start it."""

    @pytest.fixture(autouse=True)
    def _packages(self, machine: Path) -> None:
        wants = machine / "system/multi-user.target.wants"
        (wants / "users.service").symlink_to("/lib/systemd/system/users.service")
        _program(
            machine,
            "dpkg-query",
            "echo /usr/bin/wanted; for unit in wanted.service wanted.socket idle.timer users.service; do "
            "echo /lib/systemd/system/$unit; done",
        )
        links = "; ".join(
            f"cp -P {machine}/link {wants}/{unit}" for unit in ("wanted.service", "wanted.socket")
        )
        (machine / "link").symlink_to("/lib/systemd/system/unit")
        made = machine / "bin/wanted"
        _apt_get(machine, installing=f"{links}; touch {made}; chmod +x {made}")

    def masked(self, machine: Path) -> list[str]:
        return sorted(each.name for each in (machine / "system").iterdir() if each.is_symlink())

    def test_what_the_packages_enable_is_masked_and_put_back(self, machine: Path) -> None:
        install(machine, WANTED)
        assert self.masked(machine) == ["wanted.service", "wanted.socket"]
        assert (machine / "system/wanted.service").readlink() == Path("/dev/null")
        assert units.unmask(machine / "packages.json") == ("wanted.service", "wanted.socket")
        assert self.masked(machine) == [] and not (machine / "packages.json").exists()
        assert (machine / "system/multi-user.target.wants/wanted.service").is_symlink()
        assert units.unmask(machine / "packages.json") == ()

    def test_the_run_after_a_killed_one_masks_them(self, machine: Path) -> None:
        units.announce(machine / "packages.json", ["wanted"])
        subprocess.run([str(machine / "bin/apt-get"), "install"], check=True)
        install(machine, WANTED)  # all is there
        assert self.masked(machine) == ["wanted.service", "wanted.socket"]

    def test_what_the_user_says_about_a_unit_stays(self, machine: Path) -> None:
        (machine / "system/wanted.service").write_text("[Unit]\n")
        install(machine, WANTED)
        assert self.masked(machine) == ["wanted.socket"]
        (machine / "system/wanted.socket").unlink()
        (machine / "system/wanted.socket").symlink_to("/etc/other.socket")
        assert units.unmask(machine / "packages.json") == ()
        assert self.masked(machine) == ["wanted.socket"]

    def test_a_damaged_note_means_that_nothing_is_ours(self, machine: Path) -> None:
        (machine / "packages.json").write_text("{")
        assert units.mask(machine / "packages.json") == units.unmask(machine / "packages.json") == ()


def test_without_apt_one_line_says_so(machine: Path) -> None:
    with pytest.raises(RunbookError, match="no apt-get") as caught:
        install(machine, WANTED)
    assert "wanted-package" in caught.value.hint


def test_without_root_one_line_says_so(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _apt_get(machine)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(RunbookError, match="only root") as caught:
        install(machine, WANTED)
    assert caught.value.hint == "sudo apt-get install wanted-package"
    assert not (machine / "log").exists()


def test_a_failure_of_apt_quotes_it(machine: Path) -> None:
    _apt_get(machine, installing="echo 'E: Unable to locate package'; exit 100")
    with pytest.raises(RunbookError, match="Unable to locate package"):
        install(machine, WANTED)


def test_an_installation_that_brought_nothing_is_no_success(machine: Path) -> None:
    _apt_get(machine, installing="true")
    with pytest.raises(RunbookError, match="wanted is not there"):
        install(machine, WANTED)


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
