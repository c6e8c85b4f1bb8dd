"""What minikube would download: the "preload" with the control plane's images and programs.

Names of images are written nowhere here: kubeadm and minikube's own sources say them. **All** that minikube lists have
to be in it: where one is missing it removes the others to load them again.
"""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runbook.cluster.embedded.toolchain import Toolchain
from runbook.engine.settings import Settings
from runbook.engine.waiting import NotYet, eventually
from tests.field import minikube_node, node_image
from tests.field.archives import ArchivedImage, layer, save
from tests.field.engine import FieldEngine, run
from tests.field.parts import module, toolchain

_KUBE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")


def fill(engine: FieldEngine, settings: Settings, home: Path) -> None:
    """Put what minikube would download below `home`, which becomes its MINIKUBE_HOME."""
    version = Toolchain(settings).version("kubernetes")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    cache = home / ".minikube/cache"
    _place(_preload(engine, settings), cache / "preloaded-tarball" / _preload_name(version, machine))
    programs = cache / "linux" / machine / version
    _place(toolchain(settings).binary("kubeadm"), programs / "kubeadm")
    _place(_kubernetes(settings), programs / "kubectl")


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    target.symlink_to(source)


def _preload_name(version: str, machine: str) -> str:
    """As minikube's `TarballName` makes it for the docker runtime."""
    source = (module("minikube") / "pkg/minikube/download/preload.go").read_text()
    found = re.search(r'PreloadVersion = "(\w+)"', source)
    assert found, "minikube's sources tell no version of the preload"
    return f"preloaded-images-k8s-{found[1]}-{version}-docker-overlay2-{machine}.tar.lz4"


def _kubernetes(settings: Settings) -> Path:
    return Toolchain(settings).binary("kubernetes").parent / "kubernetes"


def _preload(engine: FieldEngine, settings: Settings) -> Path:
    """The archive, made where it is not there yet: about half a minute."""
    root, own = minikube_node.file_system(settings), Toolchain(settings)
    names = ("kubernetes", "etcd", "coredns", "pause", "kube-network-policies")
    parts = [own.binary(name) for name in names]
    parts += [toolchain(settings).binary(each) for each in ("kubeadm", "network-daemon", "minikube-storage")]
    sources = [Path(__file__).read_text(), Path(node_image.__file__).read_text()]
    digest = hashlib.sha256("\0".join([str(root), *map(str, parts), *sources]).encode()).hexdigest()[:12]
    target = settings.cache / "field" / f"preload-{digest}.tar.lz4"
    if not target.exists():
        for older in target.parent.glob("preload-*"):
            older.unlink()
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            folder = Path(scratch)
            save(folder / "images.tar", _images(settings, root))
            with _engine_of_its_own(engine, folder) as environment:
                run(["docker", "load", "--quiet", "--input", folder / "images.tar"], environment)
            _programs(settings, folder / "lib/minikube/binaries" / own.version("kubernetes"))
            _pack(root, folder, target)
    return target


def _programs(settings: Settings, folder: Path) -> None:
    folder.mkdir(parents=True)
    shutil.copy2(_kubernetes(settings), folder / "kubernetes")
    for name in ("kubelet", "kubectl"):  # one program, which goes by the name of its call
        (folder / name).symlink_to("kubernetes")
    shutil.copy2(toolchain(settings).binary("kubeadm"), folder / "kubeadm")


def _pack(root: Path, folder: Path, target: Path) -> None:
    draft = target.with_name(f".{target.name}")
    packed = ["./lib/docker/overlay2", "./lib/docker/image", "./lib/minikube/binaries"]
    with draft.open("wb") as file:
        tar = subprocess.Popen(
            ["tar", "-C", folder, "--numeric-owner", "-cf", "-", *packed], stdout=subprocess.PIPE
        )
        squeezed = subprocess.run(
            ["chroot", root, "lz4", "-1", "-q", "-", "-"], stdin=tar.stdout, stdout=file, check=False
        )
        assert (tar.wait(), squeezed.returncode) == (0, 0), "the preload could not be packed"
    draft.rename(target)


@contextmanager
def _engine_of_its_own(engine: FieldEngine, folder: Path) -> Iterator[dict[str, str]]:
    """A second daemon, whose folder is the preload, in a network where it cannot take the first one's bridge away."""
    socket, pid = folder / "docker.sock", "/run/preload.pid"
    (folder / "daemon.json").write_text("{}")
    options = f"--config-file={folder}/daemon.json --host=unix://{socket} --data-root={folder}/lib/docker"
    options += (
        f" --exec-root=/run/preload --pidfile={pid} --storage-driver=overlay2 --group=root --log-level=warn"
    )
    command = [*engine.entry(), "unshare", "--net", "dockerd", *options.split()]
    environment = {"DOCKER_HOST": f"unix://{socket}"}

    def answers() -> None:
        try:
            run(["docker", "version"], environment, timeout=10)
        except subprocess.CalledProcessError as problem:
            raise NotYet(str(problem.stderr)) from problem

    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen(
            [*command, "--bridge=none", "--iptables=false", "--ip6tables=false"], stdout=log, stderr=log
        )
        try:
            eventually(answers, timeout=60, every=0.2, wanted="a second dockerd to answer", hint="")
            yield environment
        finally:
            run([*engine.entry(), "sh", "-c", f"kill $(cat {pid})"])
            daemon.wait(timeout=60)


def _images(settings: Settings, root: Path) -> list[ArchivedImage]:
    """Each image that kubeadm and minikube ask for, under the name by which they ask."""
    names, own, field = _wanted(settings), Toolchain(settings), toolchain(settings)
    kubernetes = layer({"usr/local/bin/kubernetes": _kubernetes(settings)})
    filters = layer(node_image.netfilter(root))

    def component(name: str, *below: bytes) -> ArchivedImage:
        called = layer({f"usr/local/bin/{name}": "kubernetes", "tmp": None})
        return ArchivedImage(names[name], [*below, kubernetes, called])

    def program(name: str, path: str, file: Path) -> ArchivedImage:
        return ArchivedImage(names[name], [layer({path: file, "tmp": None})], [f"/{path}"])

    network = layer(
        {
            "usr/local/bin/network-daemon": field.binary("network-daemon"),
            "usr/local/bin/kube-network-policies": own.binary("kube-network-policies"),
        }
    )
    return [
        *map(component, _KUBE),
        component("kube-proxy", filters),
        ArchivedImage(names["etcd"], [layer({"usr/local/bin/etcd": own.binary("etcd"), "tmp": None})]),
        program("coredns", "coredns", own.binary("coredns")),
        program("pause", "pause", own.binary("pause")),
        program("storage-provisioner", "storage-provisioner", field.binary("minikube-storage")),
        ArchivedImage(names["kindnetd"], [filters, network], ["network-daemon"]),
    ]


def _wanted(settings: Settings) -> dict[str, str]:
    """Short name -> full name."""
    version = Toolchain(settings).version("kubernetes")
    kubeadm = toolchain(settings).binary("kubeadm")
    listed = run([kubeadm, "config", "images", "list", f"--kubernetes-version={version}"]).split()
    sources = module("minikube")
    images = (sources / "pkg/minikube/bootstrapper/images/images.go").read_text()
    names = {full.rpartition(":")[0].rpartition("/")[2]: full for full in listed}
    kindnet = re.search(r'repo = "([^"]+/kindest)"\s*\}\s*return path.Join\(repo, "([^"]+)"\)', images)
    storage = re.search(
        r'in := "(k8s-minikube/storage-provisioner:)".*?mirror = "([^"]+)"', images, re.DOTALL
    )
    assert kindnet and storage, "minikube's sources name no kindnet and no storage provisioner"
    return names | {
        "kindnetd": f"{kindnet[1]}/{kindnet[2]}",
        "storage-provisioner": f"{storage[2]}/{storage[1]}v5",
    }
