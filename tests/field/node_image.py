"""The node image: `kind build node-image` itself makes it, of a base image and a Kubernetes server archive of ours.

Names of images are written nowhere here: kubeadm and kind's own sources say them.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import tarfile
from pathlib import Path

from runbook.cluster.embedded.toolchain import Toolchain
from runbook.engine.settings import Settings
from tests.field import base
from tests.field.archives import ArchivedImage, Content, layer, load, save
from tests.field.engine import FieldEngine, run
from tests.field.parts import module, toolchain

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_GROUPS = "SYSTEMD_PROC_CMDLINE=systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1"
"""On a hybrid machine a node's systemd would mount version 2 as well, whose root all nodes share."""

_IPTABLES = (
    "iptables",
    "iptables-save",
    "iptables-restore",
    "ip6tables",
    "ip6tables-save",
    "ip6tables-restore",
)


def ensure(engine: FieldEngine, settings: Settings) -> str:
    """The reference of the node image in the engine, made where it is not there yet: about two minutes."""
    root = base.file_system(settings)
    own = Toolchain(settings)
    names = ("kubernetes", "etcd", "coredns", "pause", "kube-network-policies")
    parts = [own.binary(name) for name in names] + [
        toolchain(settings).binary(name) for name in ("kubeadm", "network-daemon", "local-path-provisioner")
    ]
    made_of = "\0".join([str(root), *map(str, parts), Path(__file__).read_text()])
    reference = (
        f"kindest/node:{own.version('kubernetes')}-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"
    )
    if not engine.has(reference):
        scratch = settings.cache / "field" / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        try:
            _build(engine, settings, root, scratch, reference)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return reference


def _build(engine: FieldEngine, settings: Settings, root: Path, scratch: Path, reference: str) -> None:
    below = f"field/base:{root.name}"
    if not engine.has(below):
        config = {"StopSignal": "SIGRTMIN+3", "Env": [_PATH, "container=docker", _GROUPS]}
        packed = scratch / "base.tar"
        left_out = [f"--exclude=./{each}/*" for each in ("dev", "proc", "sys")]
        run(["tar", "-C", root, "--numeric-owner", "--one-file-system", *left_out, "-cf", packed, "."])
        entrypoint = ["/usr/local/bin/entrypoint", "/sbin/init"]
        load(engine, [ArchivedImage(below, [packed.read_bytes()], entrypoint, config)], scratch)
        packed.unlink()
    archive = _server(settings, root, scratch)
    kind = toolchain(settings).binary("kind")
    command = [
        kind,
        "build",
        "node-image",
        "--type=file",
        archive,
        f"--base-image={below}",
        f"--image={reference}",
    ]
    run(command, engine.environment | {"TMPDIR": str(scratch)})


def _server(settings: Settings, root: Path, scratch: Path) -> Path:
    """The archive that Kubernetes publishes for servers, in so far as kind reads it; gzip, because kind wants it."""
    own, version = Toolchain(settings), Toolchain(settings).version("kubernetes")
    folder = scratch / "server" / "kubernetes"
    programs = folder / "server/bin"
    programs.mkdir(parents=True)
    (folder / "version").write_text(f"{version}\n")
    shutil.copy2(toolchain(settings).binary("kubeadm"), programs / "kubeadm")
    kubernetes = own.binary("kubernetes").parent / "kubernetes"
    for name in ("kubelet", "kubectl"):  # one program, which goes by the name of its call
        shutil.copy2(kubernetes, programs / name)
    images = _images(settings, root)
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        save(programs / f"{name}.tar", [images.pop(name)])
    save(programs / "kube-proxy.tar", list(images.values()))
    target = scratch / "server.tar.gz"
    with gzip.open(target, "wb", compresslevel=0) as stream, tarfile.open(fileobj=stream, mode="w|") as tar:
        tar.add(folder, "kubernetes")
    shutil.rmtree(folder)
    return target


def _images(settings: Settings, root: Path) -> dict[str, ArchivedImage]:
    """Every image of the node by its short name, proxy first among those that go into its archive."""
    names, own, field = _wanted(settings), Toolchain(settings), toolchain(settings)
    kubernetes = layer({"usr/local/bin/kubernetes": own.binary("kubernetes").parent / "kubernetes"})
    filters = layer(netfilter(root))

    def component(name: str, *below: bytes) -> ArchivedImage:
        called = layer({f"usr/local/bin/{name}": "kubernetes", "tmp": None})
        return ArchivedImage(names[name], [*below, kubernetes, called])

    def program(name: str, path: str, file: Path, entrypoint: str = "") -> ArchivedImage:
        return ArchivedImage(
            names[name], [layer({path: file, "tmp": None})], [entrypoint] if entrypoint else []
        )

    network: dict[str, Content] = {
        "usr/local/bin/network-daemon": field.binary("network-daemon"),
        "usr/local/bin/kube-network-policies": own.binary("kube-network-policies"),
    }
    provisioner = field.binary("local-path-provisioner")
    helper = base.with_libraries(root, "/bin/sh", "/bin/rm", "/bin/mkdir")
    return {
        **{name: component(name) for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")},
        "kube-proxy": component("kube-proxy", filters),
        "etcd": program("etcd", "usr/local/bin/etcd", own.binary("etcd")),
        "coredns": program("coredns", "coredns", own.binary("coredns"), "/coredns"),
        "pause": program("pause", "pause", own.binary("pause"), "/pause"),
        "kindnetd": ArchivedImage(names["kindnetd"], [filters, layer(network)], ["network-daemon"]),
        "local-path-provisioner": program(
            "local-path-provisioner",
            "usr/local/bin/local-path-provisioner",
            provisioner,
            "local-path-provisioner",
        ),
        "local-path-helper": ArchivedImage(names["local-path-helper"], [layer(helper)]),
    }


def netfilter(root: Path) -> dict[str, Content]:
    """iptables with its extensions, each with its libraries: without one of them no Service is written."""
    plugins = [f"/{each.relative_to(root)}" for each in root.glob("usr/lib/*/xtables/*.so")]
    files = base.with_libraries(root, "/usr/sbin/xtables-nft-multi", "/usr/sbin/nft", "/usr/bin/ip", *plugins)
    return (
        files
        | dict.fromkeys((f"usr/sbin/{name}" for name in _IPTABLES), "xtables-nft-multi")
        | {"tmp": None, "run": None}
    )


def _wanted(settings: Settings) -> dict[str, str]:
    """Short name -> full name, as kubeadm and kind's builder ask for them."""
    version = Toolchain(settings).version("kubernetes")
    kubeadm = toolchain(settings).binary("kubeadm")
    listed = run([kubeadm, "config", "images", "list", f"--kubernetes-version={version}"]).split()
    kind = module("kind")
    configured = (kind / "images/base/files/etc/containerd/config.toml").read_text()
    listed += re.findall(r'sandbox_image = "([^"]+)"', configured)
    for source in ("const_cni.go", "const_storage.go"):
        listed += re.findall(r'Image = "([^"]+)"', (kind / "pkg/build/nodeimage" / source).read_text())
    return {full.rpartition(":")[0].rpartition("/")[2]: full for full in listed}
