"""The node image: Debian's packages in place of what minikube's own image compiles or downloads, and the files of that
image, copied from the verified modules."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from runbook.cluster.embedded.execution import follow
from runbook.cluster.embedded.sandbox import require
from runbook.engine.settings import Settings
from tests.field.archives import ArchivedImage, load
from tests.field.engine import HERE, FieldEngine, run
from tests.field.parts import module, toolchain

SUITE, NEWER = "bookworm", "trixie"
"""systemd of Debian 12 still knows control groups of version 1; cri-dockerd wants the newer Docker of Debian 13."""
PACKAGES = (
    "systemd dbus udev kmod procps util-linux mount sudo openssh-server ca-certificates curl rsync pigz lz4 jq iproute2"
    " iputils-ping iptables ebtables conntrack ethtool socat netcat-openbsd nftables containernetworking-plugins"
)
NEWER_PACKAGES = "docker.io docker-cli containerd runc"
NAME = "field/minikube-node"
ENTRYPOINT = HERE / "minikube" / "node-entrypoint.sh"
_LEFT_OUT = [f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in ("man", "locale", "doc")]
_INSTALL = (
    'chroot "$1" apt-get -qq update && chroot "$1" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y'
    f" -o Dpkg::Options::=--force-confold install --no-install-recommends -t {NEWER} {NEWER_PACKAGES}"
)
_HOOKS = (
    f'sed -n "1s/{SUITE}/{NEWER}/p" "$1/etc/apt/sources.list" >"$1/etc/apt/sources.list.d/{NEWER}.list"',
    f"""printf 'APT::Default-Release "{SUITE}";\\n' >"$1/etc/apt/apt.conf.d/10release" """,
    """printf '#!/bin/sh\\nexit 101\\n' >"$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d" """,
    _INSTALL,
    'rm -r "$1/usr/sbin/policy-rc.d" "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*',
)
_ACCOUNT = """
    getent group docker >/dev/null || groupadd docker
    useradd -m -s /bin/bash -g docker -G sudo docker
    usermod -p '*' docker
    install -d -o docker -g docker -m 700 /home/docker/.ssh
    echo '%sudo ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/20-passwordless-sudo
    chmod 440 /etc/sudoers.d/20-passwordless-sudo
"""
_SSH = "PubkeyAcceptedAlgorithms +ssh-rsa\nHostkeyAlgorithms +ssh-rsa\nPasswordAuthentication no\nUseDNS no\n"


def file_system(settings: Settings) -> Path:
    """The folder, made where it is not there yet: one to two minutes."""
    programs = [toolchain(settings).binary(name) for name in ("cri-dockerd", "crictl")]
    made_of = [*map(str, programs), Path(__file__).read_text(), ENTRYPOINT.read_text()]
    digest = hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:12]
    root = settings.cache / "field" / f"minikube-node-{digest}"
    if not root.exists():
        require({"mmdebstrap": "mmdebstrap", "chroot": "coreutils"})
        for older in root.parent.glob("minikube-node-*"):
            shutil.rmtree(older)
        draft = root.with_name(f".{root.name}")
        shutil.rmtree(draft, ignore_errors=True)
        draft.parent.mkdir(parents=True, exist_ok=True)
        hooks = [f"--customize-hook={hook}" for hook in _HOOKS]
        command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--components=main"]
        included = f"--include={','.join(PACKAGES.split())}"
        follow([*command, included, *_LEFT_OUT, *hooks, SUITE, str(draft)], lambda _: None, deadline=900)
        _upstreams(draft)
        _ours(draft, programs)
        _units(draft)
        draft.rename(root)
    return root


def image(engine: FieldEngine, settings: Settings) -> str:
    """The reference of the node image in the engine, made where it is not there yet."""
    root = file_system(settings)
    reference = f"{NAME}:{root.name}"
    if not engine.has(reference):
        with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
            packed = Path(scratch) / "node.tar"
            left_out = [f"--exclude=./{each}/*" for each in ("dev", "proc", "sys")]
            run(["tar", "-C", root, "--numeric-owner", "--one-file-system", *left_out, "-cf", packed, "."])
            config = {
                "StopSignal": "SIGRTMIN+3",
                "ExposedPorts": {"22/tcp": {}},
                "Env": [
                    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    "container=docker",
                ],
            }
            entrypoint = [f"/usr/local/bin/{ENTRYPOINT.name}", "/sbin/init"]
            load(engine, [ArchivedImage(reference, [packed.read_bytes()], entrypoint, config)], Path(scratch))
    return reference


def _upstreams(root: Path) -> None:
    """What upstream's own image brings along."""
    image, cri = module("minikube") / "deploy/kicbase", module("cri-dockerd")
    units = root / "usr/lib/systemd/system"
    stop = "scheduled-stop/minikube-scheduled-stop"
    for source, target, mode in (
        (image / "entrypoint", root / "usr/local/bin/entrypoint", 0o755),
        *((each, root / "etc/sysctl.d" / each.name, 0o644) for each in image.glob("1*.conf")),
        (image / "automount/minikube-automount", root / "usr/sbin/minikube-automount", 0o755),
        (image / "automount/minikube-automount.service", units / "minikube-automount.service", 0o644),
        (image / f"{stop}.service", units / "minikube-scheduled-stop.service", 0o644),
        (image / stop, root / "var/lib/minikube" / stop, 0o755),
        (image / "containerd.toml", root / "etc/containerd/config.toml", 0o644),
        *((each, units / each.name, 0o644) for each in (cri / "packaging/systemd").glob("cri-docker.*")),
    ):
        _install(source, target, mode)
    words = {
        "iso_version": "field",
        "kicbase_version": "field",
        "minikube_version": "field",
        "commit": "field",
    }
    (root / "version.json").write_text(json.dumps(words))


def _ours(root: Path, programs: list[Path]) -> None:
    for program in programs:
        _install(program, root / "usr/bin" / program.name, 0o755)
    _install(ENTRYPOINT, root / "usr/local/bin" / ENTRYPOINT.name, 0o755)
    runc = root / "usr/local/sbin/runc"  # before the real one on PATH
    runc.write_text((HERE / "runc.sh").read_text().replace("exec runc", "exec /usr/sbin/runc"))
    runc.chmod(0o755)
    (root / "usr/bin/dockerd").symlink_to("../sbin/dockerd")  # where the unit that minikube writes looks
    plugins = root / "opt/cni/bin"
    plugins.mkdir(parents=True, exist_ok=True)
    for plugin in (root / "usr/lib/cni").iterdir():
        shutil.copy2(plugin, plugins / plugin.name)
    for folder in ("kind", "etc/kubernetes/manifests"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    with (root / "etc/ssh/sshd_config").open("a") as file:
        file.write(_SSH)
    run(["chroot", root, "sh", "-euc", _ACCOUNT])


def _units(root: Path) -> None:
    """Only those that a node needs."""
    for pattern in (
        *("lib/systemd/system/multi-user.target.wants/*", "etc/systemd/system/*.wants/*"),
        *(
            "lib/systemd/system/local-fs.target.wants/*",
            "lib/systemd/system/sockets.target.wants/*udev*",
            "lib/systemd/system/sockets.target.wants/*initctl*",
            "lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service",
        ),
    ):
        for unit in root.glob(pattern):
            unit.unlink()
    init = root / "sbin/init"
    init.unlink(missing_ok=True)
    init.symlink_to("/lib/systemd/systemd")
    with (root / "etc/systemd/journald.conf").open("a") as file:
        file.write("ReadKMsg=no\n")
    systemctl = ["systemctl", f"--root={root}", "--quiet"]
    run([*systemctl, "mask", "systemd-binfmt.service"])
    run([*systemctl, "disable", "udev.service", "containerd.service"])
    run([*systemctl, "enable", "ssh.service", "docker.service", "minikube-automount.service", "dbus.service"])


def _install(source: Path, target: Path, mode: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)
