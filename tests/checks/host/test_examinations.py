"""Faulty hosts, each planted in one that is as it should be: exactly one finding, with its remedy."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runbook.checks.host import examinations
from runbook.checks.host.facts import Host, address_of, this_host
from runbook.cli import doctor
from runbook.cluster.embedded import sandbox
from runbook.cluster.embedded.toolchain import Toolchain
from runbook.engine.errors import CommandMissing, Unmeasurable, UsageError
from runbook.engine.settings import Settings
from runbook.engine.step import Status, passed
from runbook.world import World
from tests.fakes.worlds import FakeCluster, world_of

INFO = {"ID": "x", "OperatingSystem": "Debian", "CgroupVersion": "2"}


class Docker:
    """Commands of which only `docker info` and `git` are there."""

    def __init__(self, **info: str) -> None:
        self.said: dict[str, Any] = {**INFO, **info}
        self.git = True

    def run(self, argv: list[str], **_: Any) -> Any:
        return SimpleNamespace(stdout=json.dumps(self.said) if "info" in argv else "", code=0, stderr="")

    def find(self, name: str) -> Path | None:
        return Path("/usr/bin/git") if self.git and name == "git" else None


class Machine:
    """A host without a fault, and the means to plant one."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.cluster = FakeCluster()
        self.commands = Docker()
        self.browser: Any = SimpleNamespace(executable=lambda: "/usr/bin/chromium")
        self.variables: dict[str, str] = {}
        self.names: dict[str, list[str]] = {"localhost": ["127.0.0.1"], settings.host: ["10.0.0.2"]}
        self.open: set[int] = set()
        self.kernel: dict[str, str] = {}
        self.host = Host(
            system="Linux",
            machine="x86_64",
            python=(3, 11),
            root=True,
            cpus=2,
            memory=8000,
            now=time.time() + 3600,
            encoding="utf-8",
            environ=lambda name: self.variables.get(name, ""),
            free=lambda _: 50_000,
            unwritable=lambda _: "",
            resolve=lambda name: self.names.get(name, []),
            connects=lambda _, port: port in self.open,
            readable_by_others=lambda _: False,
            tunable=lambda path: self.kernel.get(path.rpartition("/")[2], ""),
        )

    def but(self, **facts: Any) -> None:
        self.host = replace(self.host, **facts)

    def found(self) -> Mapping[str, tuple[str, str]]:
        """The findings by name: what was seen and the remedy."""
        world = world_of(self.settings, cluster=self.cluster, commands=self.commands, browser=self.browser)
        outcomes = dict(examinations.examine(world, self.host))
        assert outcomes.keys() == examinations.EXAMINATIONS.keys()
        return {name: (each.observed, each.hint) for name, each in outcomes.items() if not each.green}


@pytest.fixture
def machine(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    monkeypatch.setattr(sandbox, "require", lambda _: None)
    monkeypatch.setattr(Toolchain, "missing", lambda _: ())
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("build engine", "Kubernetes", "Helm", "kubectl", "Dapr"):
        monkeypatch.setitem(examinations.EXAMINATIONS, name, lambda *_: passed("as wanted"))
    return Machine(settings)


def _windows(m: Machine) -> None:
    m.but(system="Windows")


def _riscv(m: Machine) -> None:
    m.but(machine="riscv64")


def _old_python(m: Machine) -> None:
    m.but(python=(3, 9))


def _ascii(m: Machine) -> None:
    m.but(encoding="ANSI_X3.4-1968")


def _one_cpu(m: Machine) -> None:
    m.but(cpus=1)


def _small(m: Machine) -> None:
    m.but(memory=1024)


def _full_cache(m: Machine) -> None:
    m.but(free=lambda path: 10 if path == m.settings.cache else 50_000)


def _full_tmp(m: Machine) -> None:
    m.variables["TMPDIR"] = "/elsewhere"
    m.but(free=lambda path: 10 if str(path) == "/elsewhere" else 50_000)


def _read_only(m: Machine) -> None:
    m.but(unwritable=lambda path: f"{path}: Read-only file system" if path == m.settings.state else "")


def _past(m: Machine) -> None:
    m.but(now=86_400.0)


def _dead_proxy(m: Machine) -> None:
    m.variables["https_proxy"] = "http://10.9.9.9:3128"


def _no_address(m: Machine) -> None:
    m.variables["HTTP_PROXY"] = "http://"


def _two_proxies(m: Machine) -> None:
    m.open = {3128}
    m.variables.update(HTTP_PROXY="http://a:3128", http_proxy="http://b:3128")


def _no_cluster(m: Machine) -> None:
    def refuse() -> Any:
        raise UsageError("no cluster can be had", wanted="one", hint="install Docker")

    m.cluster.provider = "existing"
    m.cluster.kubeconfig = refuse  # type: ignore[method-assign,assignment]


def _inotify(m: Machine) -> None:
    m.kernel["max_user_instances"] = "64"


def _cgroup_v1(m: Machine) -> None:
    m.cluster.provider = "kind"
    m.commands = Docker(CgroupVersion="1")


def _no_docker(m: Machine) -> None:
    m.cluster.provider = "minikube"
    m.commands.said = {}


def _no_git(m: Machine) -> None:
    m.commands.git = False


def _no_browser(m: Machine) -> None:
    def missing() -> str:
        raise CommandMissing("there is no browser", hint="apt-get install chromium")

    m.browser = SimpleNamespace(executable=missing)


def _taken_port(m: Machine) -> None:
    m.cluster.provider, m.cluster.running, m.open = "kind", False, {80}


def _other_address(m: Machine) -> None:
    m.names[m.settings.host] = ["203.0.113.7"]


def _early_address(m: Machine) -> None:
    def none() -> str:
        raise Unmeasurable("there is no node")

    m.cluster.ingress_address = none  # type: ignore[method-assign]


def _no_localhost(m: Machine) -> None:
    m.names["localhost"] = []


def _lost_kubeconfig(m: Machine) -> None:
    m.variables["KUBECONFIG"] = "/not/there"


def _open_kubeconfig(m: Machine) -> None:
    file = Path.home() / ".kube" / "config"
    file.parent.mkdir(parents=True)
    file.touch()
    m.but(readable_by_others=lambda path: path == file)


@pytest.mark.parametrize(
    ("plant", "names", "seen", "remedy"),
    [
        (_windows, {"system"}, "this is Windows", "WSL2"),
        (_riscv, {"system"}, "riscv64", "a machine of these kinds"),
        (_old_python, {"Python"}, "Python 3.9", "PYTHON=python3.11 scripts/bootstrap.sh"),
        (_ascii, {"terminal"}, "ANSI_X3.4-1968", "LC_ALL=C.UTF-8"),
        (_one_cpu, {"CPUs"}, "1 CPU", "more CPUs"),
        (_small, {"memory"}, "1024 MiB", "more memory"),
        (_full_cache, {"disk"}, "10 MiB free for the cache", "inv cleanup --cache"),
        (_full_tmp, {"disk"}, "10 MiB free for the temporary files", "TMPDIR"),
        (_read_only, {"folders"}, "Read-only file system", "XDG_STATE_HOME"),
        (_past, {"clock"}, "the clock says 1970-01-02", "timedatectl"),
        (_dead_proxy, {"proxies"}, "10.9.9.9:3128, which does not answer", "unset HTTP_PROXY"),
        (_no_address, {"proxies"}, "HTTP_PROXY is not an address", "unset HTTP_PROXY"),
        (_two_proxies, {"proxies"}, "HTTP_PROXY and http_proxy differ", "unset HTTP_PROXY"),
        (_no_cluster, {"cluster", "kubeconfig"}, "no cluster can be had", "install Docker"),
        (_inotify, {"kernel"}, "fs.inotify.max_user_instances=64", "sysctl -w fs.inotify.max_user_instances=128"),
        (_cgroup_v1, {"Docker"}, "cgroup v1", "systemd.unified_cgroup_hierarchy=1"),
        (_no_docker, {"Docker"}, "Docker does not answer", "docker info"),
        (_no_git, {"git"}, "git is not installed", "apt-get install git"),
        (_no_browser, {"browser"}, "there is no browser", "apt-get install chromium"),
        (_taken_port, {"ports"}, "something listens on 127.0.0.1:80", "TODO_HTTP_PORT=8080"),
        (_other_address, {"names"}, "leads to 203.0.113.7", "/etc/hosts"),
        (_early_address, {"names"}, "there is no cluster yet", "/etc/hosts"),
        (_no_localhost, {"names"}, "localhost is not this machine", "/etc/hosts"),
        (_lost_kubeconfig, {"kubeconfig"}, "/not/there", "unset KUBECONFIG"),
        (_open_kubeconfig, {"kubeconfig"}, "can be read by others", "chmod 600"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_the_only_finding_and_names_its_remedy(
    machine: Machine, plant: Callable[[Machine], None], names: set[str], seen: str, remedy: str
) -> None:
    plant(machine)
    found = machine.found()
    assert found.keys() == names
    assert all(seen in observed and remedy in hint for observed, hint in found.values())


def test_a_host_as_it_should_be_has_no_finding(machine: Machine) -> None:
    assert machine.found() == {}


def test_missing_programs_of_the_node_name_their_packages(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def require(_: Any) -> None:
        raise CommandMissing("not installed: runc", hint="inv setup (or apt-get install runc)")

    monkeypatch.setattr(sandbox, "require", require)
    assert machine.found() == {"kernel": ("not installed: runc", "inv setup (or apt-get install runc)")}


def test_a_tool_that_is_missing_is_a_finding(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def helm(_: World) -> Any:
        raise CommandMissing("the command helm is not there", hint="inv setup")

    monkeypatch.setitem(examinations.EXAMINATIONS, "Helm", lambda world, _: helm(world))
    assert machine.found() == {"Helm": ("the command helm is not there", "inv setup")}


@pytest.mark.parametrize(("faulty", "code"), [(False, 0), (True, 1)])
def test_the_command_exits_by_what_it_found(
    machine: Machine,
    faulty: bool,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if faulty:
        _one_cpu(machine)
    world = world_of(
        machine.settings, cluster=machine.cluster, commands=machine.commands, browser=machine.browser
    )
    monkeypatch.setattr(World, "of", lambda _: world)
    monkeypatch.setattr(doctor, "this_host", lambda: machine.host)
    for as_json in (False, True):
        with pytest.raises(SystemExit) as ended:
            doctor.diagnose(machine.settings, as_json=as_json)
        assert ended.value.code == code
        told = capsys.readouterr().out
        if as_json:
            statuses = {row["name"]: row["status"] for row in json.loads(told)["findings"]}
            assert (statuses["CPUs"] == Status.FAILED) is faulty
        else:
            assert ("give this machine more CPUs" in told) is faulty


def test_this_very_host_tells_all_its_facts(tmp_path: Path) -> None:
    host = this_host()
    assert host.cpus > 0
    assert host.memory > 0
    assert host.free(tmp_path / "not" / "there") > 0
    assert host.unwritable(tmp_path / "not" / "there") == ""
    assert not list(tmp_path.iterdir())
    assert "Not a directory" in host.unwritable(Path("/dev/null/x")) or host.unwritable(Path("/proc/x"))
    assert host.tunable("/not/there") == ""


@pytest.mark.parametrize(
    ("proxy", "address"),
    [("http://p:3128", ("p", 3128)), ("p:8080", ("p", 8080)), ("socks5://p", ("p", 1080)), ("https://p", ("p", 443))],
)  # fmt: skip
def test_addresses_of_proxies(proxy: str, address: tuple[str, int]) -> None:
    assert address_of(proxy) == address
