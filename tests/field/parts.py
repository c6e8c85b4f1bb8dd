"""What the field's clusters are made from, beside the parts of the embedded node: a second table of the same kind."""

from __future__ import annotations

from pathlib import Path

from runbook.cluster.embedded import builds
from runbook.cluster.embedded.execution import output
from runbook.cluster.embedded.parts import HERE, GoPart, Part
from runbook.cluster.embedded.toolchain import Toolchain
from runbook.engine.settings import Settings

GO = Path(__file__).resolve().parent / "go"

CONTAINERD = ("containerd", "ctr", "containerd-shim-runc-v2")
_MINIKUBE = "k8s.io/minikube/pkg/version"
_KUBERNETES = "k8s.io/component-base/version"


def _containerd(command: str) -> GoPart:
    return GoPart(
        command,
        "github.com/containerd/containerd/v2",
        "containerd",
        0.5,
        package=f"github.com/containerd/containerd/v2/cmd/{command}",
        stamps=("github.com/containerd/containerd/v2/version.Version={version}",),
        tags=("no_btrfs", "no_devmapper", "no_zfs", "no_aufs"),
        root=GO,
    )


PARTS: tuple[Part, ...] = (
    GoPart("kind", "sigs.k8s.io/kind", "kind", 0.5, package="sigs.k8s.io/kind", root=GO),
    GoPart("network-daemon", "", "network-daemon", 0.3, root=GO),
    GoPart(
        "kubeadm",
        "k8s.io/kubernetes",
        "kubeadm",
        0.7,
        package="k8s.io/kubernetes/cmd/kubeadm",
        stamps=(
            f"{_KUBERNETES}.gitVersion={{version}}",
            f"{_KUBERNETES}.gitMajor={{major}}",
            f"{_KUBERNETES}.gitMinor={{minor}}",
            f"{_KUBERNETES}.gitTreeState=archive",
        ),
        root=GO,
    ),
    GoPart(
        "crictl",
        "sigs.k8s.io/cri-tools",
        "cri-tools",
        1.3,
        package="sigs.k8s.io/cri-tools/cmd/crictl",
        stamps=("sigs.k8s.io/cri-tools/pkg/version.Version={version}",),
        root=GO,
    ),
    GoPart(
        "registry",
        "github.com/distribution/distribution/v3",
        "registry",
        2.6,
        package="github.com/distribution/distribution/v3/cmd/registry",
        root=GO,
    ),
    GoPart(
        "local-path-provisioner",
        "github.com/rancher/local-path-provisioner",
        "local-path-provisioner",
        3.4,
        package="github.com/rancher/local-path-provisioner",
        root=GO,
    ),
    *(_containerd(command) for command in CONTAINERD),
    GoPart(
        "minikube",
        "k8s.io/minikube",
        "minikube",
        5.0,
        package="k8s.io/minikube/cmd/minikube",
        stamps=(
            f"{_MINIKUBE}.version={{version}}",
            f"{_MINIKUBE}.isoVersion={{version}}",
            f"{_MINIKUBE}.storageProvisionerVersion=v5",
        ),
        tags=("libvirt_dlopen",),
        root=GO,
        cgo=True,  # its KVM driver does not compile without
    ),
    GoPart(
        "cri-dockerd",
        "github.com/Mirantis/cri-dockerd",
        "cri-dockerd",
        2.5,
        package="github.com/Mirantis/cri-dockerd",
        stamps=("github.com/Mirantis/cri-dockerd/cmd/version.Version={number}",),
        root=GO,
    ),
    # minikube's own does not start: "endpoints lock is removed, migrate to leases".
    GoPart(
        "minikube-storage",
        "sigs.k8s.io/sig-storage-lib-external-provisioner/v13",
        "storage-provisioner",
        0.7,
        stamps=(
            "main.provisionerName=k8s.io/minikube-hostpath",
            "main.defaultDirectory=/tmp/hostpath-provisioner",
        ),
        root=HERE / "go",
    ),
)


def toolchain(settings: Settings) -> Toolchain:
    """The field's own parts, in the same cache as the embedded node's."""
    return Toolchain(settings, PARTS)


def module(part: str) -> Path:
    """The verified module that a part is compiled from, unpacked: upstream's own files are copied from there."""
    found = next(each for each in PARTS if isinstance(each, GoPart) and each.name == part)
    asked = ["go", "list", "-m", "-f={{.Dir}}", found.upstream]
    return Path(output(asked, environment=builds.go_environment(), directory=found.source).strip())
