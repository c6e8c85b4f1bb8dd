"""One function for each thing that can be wrong with a machine, with its remedy. They look; nothing is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.checks.host.facts import Host, address_of, proxies
from runbook.checks.tools import installed
from runbook.clients.kube import kubeconfig
from runbook.cluster import docker
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.step import Outcome, Status, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

OLDEST_PYTHON = (3, 11)
MACHINES = {"x86_64", "amd64", "aarch64", "arm64"}
LEAST_CPUS, LEAST_MEMORY = 2, 3500
"""What the application, its database and the cluster were seen to need; MiB."""
STATE_ROOM, CACHE_ROOM, TEMPORARY_ROOM = 3000, 8000, 1000
"""MiB: the node with its images, a toolchain that is built with its caches, what builds write to TMPDIR."""
INOTIFY = {"max_user_instances": 128, "max_user_watches": 8192}
"""Below these the pods of kind fail by "too many open files" (kind's list of known issues)."""
HTTP_PORT = 80

Examination = Callable[["World", Host], Outcome]


def system(_: World, host: Host) -> Outcome:
    """Linux or macOS, on a processor for which the images are built."""
    wanted = "Linux or macOS on amd64 or arm64"
    if host.system not in ("Linux", "Darwin"):
        hint = "use WSL2 on Windows" if host.system == "Windows" else "use a Linux machine"
        return failed(f"this is {host.system}", wanted=wanted, hint=hint)
    if host.machine.lower() not in MACHINES:
        return failed(f"the processor is {host.machine}", wanted=wanted, hint="use a machine of these kinds")
    return passed(f"{host.system} on {host.machine}")


def python(_: World, host: Host) -> Outcome:
    said = ".".join(map(str, host.python))
    if host.python < OLDEST_PYTHON:
        return failed(
            f"Python {said}", wanted="Python 3.11 or newer", hint="PYTHON=python3.11 scripts/bootstrap.sh"
        )
    return passed(f"Python {said}")


def cluster(world: World, _: Host) -> Outcome:
    """A cluster can be had here, and which."""
    from runbook.cluster.choose import reason

    there = world.cluster  # raises where none can be had
    if there.provider == "existing":
        return passed(f"existing, context {there.kubeconfig().context}")
    why = reason(world.settings)
    return passed(there.provider + (f" ({why})" if why and there.provider == "embedded" else ""))


def cpus(_: World, host: Host) -> Outcome:
    if 0 < host.cpus < LEAST_CPUS:
        return failed(f"{host.cpus} CPU", wanted=f"{LEAST_CPUS} CPUs", hint="give this machine more CPUs")
    return passed(f"{host.cpus} CPUs")


def memory(_: World, host: Host) -> Outcome:
    if 0 < host.memory < LEAST_MEMORY:
        return failed(
            f"{host.memory} MiB",
            wanted=f"{LEAST_MEMORY} MiB",
            hint="give this machine, or its container, more memory",
        )
    return passed(f"{host.memory} MiB")


def disk(world: World, host: Host) -> Outcome:
    """Room for the node, for the toolchain, for temporary files."""
    temporary = Path(host.environ("TMPDIR") or "/tmp")  # noqa: S108 (where programs put their files)
    places = (
        ("state", world.settings.state, STATE_ROOM),
        ("cache", world.settings.cache, CACHE_ROOM if _builds(world) else TEMPORARY_ROOM),
        ("temporary files", temporary, TEMPORARY_ROOM),
    )
    small = [
        f"{free} MiB free for the {name} ({path}), {wanted} MiB wanted"
        for name, path, wanted in places
        if (free := host.free(path)) < wanted
    ]
    if small:
        return failed(
            "; ".join(small),
            wanted="room on the disk",
            hint="inv cleanup --cache, or XDG_CACHE_HOME, XDG_STATE_HOME, TMPDIR on another disk",
        )
    return passed(", ".join(f"{host.free(path)} MiB free for the {name}" for name, path, _ in places))


def _builds(world: World) -> bool:
    """Whether the embedded node's parts have to be compiled yet."""
    from runbook.cluster.embedded.toolchain import Toolchain

    return world.cluster.provider == "embedded" and bool(Toolchain(world.settings).missing())


def folders(world: World, host: Host) -> Outcome:
    """State, cache and temporary files can be written."""
    temporary = Path(host.environ("TMPDIR") or "/tmp")  # noqa: S108
    problems = [
        why
        for path in (world.settings.state, world.settings.cache, temporary)
        if (why := host.unwritable(path))
    ]
    if problems:
        hint = "XDG_STATE_HOME, XDG_CACHE_HOME and TMPDIR name other places"
        return failed("; ".join(problems), wanted="folders that this user may write to", hint=hint)
    return passed("state, cache and temporary files can be written")


def docker_place(world: World, _: Host) -> Outcome:
    """Where Docker's containers run, for a cluster that is made of them."""
    if world.cluster.provider not in ("kind", "minikube"):
        return passed("not needed: the cluster is not made of containers of Docker")
    place, said = docker.place(world.commands), docker.information(world.commands)
    driver = str(said.get("CgroupVersion", ""))
    if driver == "1":
        return failed(
            f"{place.why}; cgroup v1",
            wanted="cgroup v2, which kubelet 1.35 wants",
            hint="boot with systemd.unified_cgroup_hierarchy=1",
        )
    return passed(place.why)


def ports(world: World, host: Host) -> Outcome:
    """The port on which the application is to answer is free, where it is a port of this machine."""
    port = world.settings.http_port or HTTP_PORT
    provider = world.cluster.provider
    if provider != "kind" or world.cluster.status().running:
        return passed("none of this machine's ports has to be free")
    if host.connects("127.0.0.1", port):
        return failed(
            f"something listens on 127.0.0.1:{port}",
            wanted="a free port for the ingress of kind",
            hint=f"ss -ltnp 'sport = :{port}' shows what; or choose another: TODO_HTTP_PORT=8080",
        )
    return passed(f"127.0.0.1:{port} is free")


def names(world: World, host: Host) -> Outcome:
    """The application's name does not lead elsewhere; localhost is this machine."""
    if not {"127.0.0.1", "::1"} & set(host.resolve("localhost")):
        return failed(
            "localhost is not this machine", wanted="127.0.0.1 localhost", hint="add that line to /etc/hosts"
        )
    name, found = world.settings.host, host.resolve(world.settings.host)
    try:
        wanted = world.cluster.ingress_address()
    except RunbookError:
        wanted = ""
    if found and wanted and found[0] != wanted:
        return failed(
            f"{name} leads to {found[0]}",
            wanted=f"{wanted}, where the ingress answers",
            hint=f"remove the line for {name} from /etc/hosts, or choose another name: TODO_HOST=todo.localhost",
        )
    if found and not wanted and not found[0].startswith("127."):
        return failed(
            f"{name} leads to {found[0]}, and there is no cluster yet",
            wanted=f"no address for {name} yet",
            hint=f"remove the line for {name} from /etc/hosts, or choose another name: TODO_HOST=todo.localhost",
        )
    return passed(
        f"{name} leads to {found[0]}" if found else f"{name} has no address yet: a deploy enters it"
    )


def clock(world: World, host: Host) -> Outcome:
    """The clock is not before what the project and the journal wrote: certificates would not be valid yet."""
    marks = [world.settings.project / "uv.lock", world.settings.state / "journal.jsonl"]
    newest = max((file.stat().st_mtime for file in marks if file.exists()), default=0.0)
    at = datetime.fromtimestamp(host.now, UTC).strftime("%Y-%m-%d %H:%M UTC")
    if host.now < newest - 60:
        then = datetime.fromtimestamp(newest, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return failed(
            f"the clock says {at}, and files were written at {then}",
            wanted="a clock that is right: certificates are valid from a time on",
            hint="timedatectl set-ntp true",
        )
    return passed(f"the clock says {at}")


def proxy(_: World, host: Host) -> Outcome:
    """Proxies are addresses that answer, and both spellings say the same."""
    found = proxies(host)
    problems = []
    for name, value in found.items():
        if name == "NO_PROXY":
            continue
        small, large = host.environ(name.lower()), host.environ(name)
        if small and large and small != large:
            problems.append(f"{name} and {name.lower()} differ")
        try:
            address = address_of(value)
        except ValueError:
            problems.append(f"{name} is not an address")
            continue
        if not host.connects(*address):
            problems.append(f"{name} names {address[0]}:{address[1]}, which does not answer")
    if problems:
        return failed(
            "; ".join(problems),
            wanted="a proxy that answers, or none",
            hint="unset HTTP_PROXY HTTPS_PROXY ALL_PROXY",
        )
    return passed(f"by {', '.join(found)}" if found else "none")


def own_kubeconfig(world: World, host: Host) -> Outcome:
    """What KUBECONFIG names is there and readable by its owner alone; the context of an existing cluster is in it."""
    variable = host.environ("KUBECONFIG")
    files = kubeconfig.locations(variable)
    missing = [file for file in files if not file.is_file()]
    if variable and missing:
        return failed(
            f"KUBECONFIG names {missing[0]}, which is not there",
            wanted="files that are there",
            hint="unset KUBECONFIG, or: export KUBECONFIG=$(.venv/bin/inv cluster.kubeconfig)",
        )
    open_ = [file for file in files if file.is_file() and host.readable_by_others(file)]
    if open_:
        return failed(
            f"{open_[0]} can be read by others", wanted="its owner alone", hint=f"chmod 600 {open_[0]}"
        )
    if world.cluster.provider == "existing":
        world.cluster.kubeconfig()  # raises where the context is not there
    return passed(", ".join(str(file) for file in files if file.is_file()) or "none of the user's own")


def kernel(world: World, host: Host) -> Outcome:
    """Limits of inotify, which every node shares with its machine; programs that the embedded node takes from it."""
    if host.system != "Linux" or world.cluster.provider == "existing":
        return passed("not a matter of this machine")
    low = [
        f"fs.inotify.{name}={value}"
        for name, wanted in INOTIFY.items()
        if (value := host.tunable(f"/proc/sys/fs/inotify/{name}")).isdigit() and int(value) < wanted
    ]
    if low:
        wanted = " ".join(f"fs.inotify.{name}={limit}" for name, limit in INOTIFY.items())
        return failed(", ".join(low), wanted=f"at least {wanted}", hint=f"sysctl -w {wanted}")
    if world.cluster.provider == "embedded":
        from runbook.cluster.embedded.node import NODE_PROGRAMS
        from runbook.cluster.embedded.sandbox import PROGRAMS, require

        require(PROGRAMS | NODE_PROGRAMS)  # raises with the packages that bring what is missing
    return passed("limits and programs are as a node needs them")


def browser(world: World, _: Host) -> Outcome:
    """A Chromium for the steps that look at the page as a person does."""
    return passed(f"{world.browser.executable()}")


def terminal(_: World, host: Host) -> Outcome:
    if host.encoding and host.encoding.lower().replace("-", "") not in ("utf8", ""):
        return failed(
            f"the terminal's encoding is {host.encoding}", wanted="UTF-8", hint="export LC_ALL=C.UTF-8"
        )
    return passed("UTF-8")


def git(world: World, _: Host) -> Outcome:
    """git, and a clone: the steps about the project's history ask it."""
    if world.commands.find("git") is None:
        return failed("git is not installed", wanted="git", hint="apt-get install git")
    return passed("git is installed")


def _tool(check: Callable[[World], Outcome], world: World, _: Host) -> Outcome:
    return check(world)


EXAMINATIONS: dict[str, Examination] = {
    "system": system,
    "Python": python,
    "terminal": terminal,
    "CPUs": cpus,
    "memory": memory,
    "disk": disk,
    "folders": folders,
    "clock": clock,
    "proxies": proxy,
    "cluster": cluster,
    "kernel": kernel,
    "build engine": partial(_tool, installed.build_engine),
    "Docker": docker_place,
    "Kubernetes": partial(_tool, installed.kubernetes),
    "Helm": partial(_tool, installed.helm),
    "kubectl": partial(_tool, installed.kubectl),
    "Dapr": partial(_tool, installed.dapr),
    "git": git,
    "browser": browser,
    "ports": ports,
    "names": names,
    "kubeconfig": own_kubeconfig,
}


def examine(world: World, host: Host) -> Iterator[tuple[str, Outcome]]:
    """Every examination; what one raises is its finding, and the next is made all the same."""
    for name, examination in EXAMINATIONS.items():
        try:
            outcome = examination(world, host)
        except RunbookError as problem:
            status = Status.UNPROVEN if isinstance(problem, Unmeasurable) else Status.FAILED
            outcome = Outcome(status, problem.observed, problem.wanted, problem.hint or "inv setup")
        except OSError as problem:
            outcome = Outcome(Status.UNPROVEN, str(problem), "an answer", "inv doctor --json")
        yield name, outcome
