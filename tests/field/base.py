"""The file system of kind's base image: Debian's packages in place of what kind compiles, and kind's own files."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

from runbook.cluster.embedded.execution import follow
from runbook.cluster.embedded.sandbox import require
from runbook.engine.settings import Settings
from tests.field.engine import run
from tests.field.parts import CONTAINERD, module, toolchain

SUITE = "bookworm"
PACKAGES = (
    *(
        "systemd",
        "hostname",
        "conntrack",
        "iptables",
        "nftables",
        "iproute2",
        "ethtool",
        "util-linux",
        "mount",
    ),
    *("kmod", "libseccomp2", "pigz", "e2fsprogs", "bash", "ca-certificates", "curl", "jq", "procps", "runc"),
    "containernetworking-plugins",
)
_LEFT_OUT = [f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in ("man", "locale", "doc")]
_SERVICES = ("kubelet", "containerd", "undo-mount-hacks")
_PLUGINS = ("host-local", "loopback", "ptp", "portmap")


def file_system(settings: Settings) -> Path:
    """The folder, made where it is not there yet: about a minute."""
    parts = [toolchain(settings).binary(name) for name in ("kind", "crictl", *CONTAINERD)]
    made_of = [*map(str, parts), Path(__file__).read_text()]
    digest = hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:12]
    root = settings.cache / "field" / f"base-{digest}"
    if not root.exists():
        require({"mmdebstrap": "mmdebstrap", "chroot": "coreutils"})
        for older in root.parent.glob("base-*"):
            shutil.rmtree(older)
        draft = root.with_name(f".{root.name}")
        shutil.rmtree(draft, ignore_errors=True)
        draft.parent.mkdir(parents=True, exist_ok=True)
        _packages(draft)
        files = module("kind") / "images/base/files"
        _kinds_own(draft, files)
        _programs(draft, settings)
        _units(draft)
        _this_machine(draft)
        draft.rename(root)
    return root


def _packages(root: Path) -> None:
    command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    follow([*command, *_LEFT_OUT, SUITE, str(root)], lambda _: None, deadline=900)


def _kinds_own(root: Path, files: Path) -> None:
    for folder in ("usr/local/bin", "kind/bin"):
        _copy(files / folder, root / folder, 0o755)
    for folder in ("kind", "etc", "etc/containerd", "etc/default", "etc/sysctl.d", "etc/systemd/system"):
        _copy(files / folder, root / folder, 0o644)
    _copy(
        files / "etc/systemd/system/kubelet.service.d", root / "etc/systemd/system/kubelet.service.d", 0o644
    )


def _copy(source: Path, target: Path, mode: int) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        if file.is_file():
            (target / file.name).unlink(missing_ok=True)
            shutil.copyfile(file, target / file.name)
            (target / file.name).chmod(mode)


def _programs(root: Path, settings: Settings) -> None:
    """containerd, its tools and the network plugins, where kind's files look for them."""
    for name in ("crictl", *CONTAINERD):
        shutil.copy2(toolchain(settings).binary(name), root / "usr/local/bin" / name)
    plugins = root / "opt/cni/bin"
    plugins.mkdir(parents=True)
    for name in _PLUGINS:
        shutil.copy2(root / "usr/lib/cni" / name, plugins / name)
    specification = json.loads(run(["chroot", root, "ctr", "oci", "spec"]))
    del specification["process"]["rlimits"]
    hooks = specification.setdefault("hooks", {}).setdefault("createContainer", [])
    hooks.append({"path": "/kind/bin/mount-product-files.sh"})
    (root / "etc/containerd/cri-base.json").write_text(json.dumps(specification))


def _units(root: Path) -> None:
    """Only those that a node needs."""
    units, own = root / "lib/systemd/system", root / "etc/systemd/system"
    unwanted = [
        *units.glob("multi-user.target.wants/*"),
        *own.glob("*.wants/*"),
        *units.glob("local-fs.target.wants/*"),
    ]
    unwanted += [
        each for word in ("udev", "initctl") for each in units.glob(f"sockets.target.wants/*{word}*")
    ]
    unwanted.append(units / "sysinit.target.wants/systemd-tmpfiles-setup.service")
    for each in unwanted:
        each.unlink(missing_ok=True)
    (root / "etc/systemd/journald.conf").open("a").write("ReadKMsg=no\n")
    _link(root / "sbin/init", "/usr/lib/systemd/systemd")
    _link(own / "systemd-binfmt.service", "/dev/null")
    (root / "etc/kubernetes/manifests").mkdir(parents=True)
    for name in _SERVICES:
        _link(own / "multi-user.target.wants" / f"{name}.service", f"/etc/systemd/system/{name}.service")


def _link(place: Path, target: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(target)


def _this_machine(root: Path) -> None:
    """What a machine without CAP_SYS_RESOURCE, with control groups of version 1, needs otherwise than kind has it."""
    settings = root / "etc/containerd/config.toml"
    settings.write_text(
        settings.read_text().replace("restrict_oom_score_adj = false", "restrict_oom_score_adj = true")
    )
    kubelet = root / "etc/default/kubelet"
    kubelet.write_text(
        re.sub(r"(?m)^(KUBELET_EXTRA_ARGS=.*)$", r"\1 --fail-cgroupv1=false", kubelet.read_text())
    )
    # A new network namespace has the machine's setting, which may be 0.
    (root / "etc/sysctl.d/20-forward.conf").write_text("net.ipv4.ip_forward=1\n")


_LIBRARY = re.compile(r"(/\S+) \(0x")


def with_libraries(root: Path, *programs: str) -> dict[str, Path | str | None]:
    """Programs of the file system and all libraries that they are linked with, at the paths that they look in."""
    found: dict[str, Path | str | None] = {}
    for program in programs:
        real = run(["chroot", root, "readlink", "-f", program]).strip()
        found[program.lstrip("/")] = root / real.lstrip("/")
        listed = subprocess.run(
            ["chroot", root, "ldd", real], capture_output=True, text=True, check=False
        ).stdout
        for library in _LIBRARY.findall(listed):
            at = run(["chroot", root, "readlink", "-f", library]).strip()
            found[library.lstrip("/")] = root / at.lstrip("/")
    return found
