"""The table of what the embedded cluster is built from. To add a part: a folder with go.mod and go.sum, and a row here.

Versions stand in the go.mod and in the pinned requirements, hashes in the go.sum beside it; nowhere else.
"""

from __future__ import annotations

import hashlib
import platform
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class GoPart:
    """A command built from Go modules which a committed go.sum verifies."""

    name: str
    upstream: str
    """The module whose version is the part's version."""
    folder: str
    """Below `root`: the module that pins the versions."""
    minutes: float
    """What it usually takes on 2 idle cores in the order of the table, from empty Go caches, downloads included."""
    package: str = "."
    commands: tuple[str, ...] = ()
    """The names under which the binary is called; none: its own name."""
    stamps: tuple[str, ...] = ()
    """Variables that the linker sets, `variable=value`, with {version}, {number} (no v), {major} and {minor}."""
    tags: tuple[str, ...] = ()
    chart: str = ""
    """A folder of the upstream module: its Helm chart, which comes along under the part's version."""
    optional: bool = False
    """Made only when it is asked for by name: nothing else waits for it."""
    root: Path | None = None
    """The folder of modules, where it is not go/ here: a group of its own is no part of `inv setup`."""
    cgo: bool = False
    """Compiled with a C compiler: for what does not compile without one."""

    @property
    def source(self) -> Path:
        return (self.root or HERE / "go") / self.folder

    @cached_property
    def version(self) -> str:
        """As go.mod requires it, with its leading v; a program of our own is 1.0.0."""
        if not self.upstream:
            return "v1.0.0"
        text = (self.source / "go.mod").read_text()
        found = re.search(rf"^(?:require\s+|\t){re.escape(self.upstream)} (v\S+)", text, re.MULTILINE)
        if found is None:
            raise LookupError(f"{self.source / 'go.mod'} does not require {self.upstream}")
        return found[1]

    @property
    def names(self) -> tuple[str, ...]:
        return self.commands or (self.name,)

    @property
    def linker_flags(self) -> str:
        major, minor = self.version.removeprefix("v").split(".")[:2]
        values = {
            "version": self.version,
            "number": self.version.removeprefix("v"),
            "major": major,
            "minor": minor,
        }
        return " ".join(["-s", "-w", *(f"-X={stamp.format_map(values)}" for stamp in self.stamps)])

    @property
    def wanted_go(self) -> tuple[int, ...]:
        """The lowest Go release that the module accepts."""
        found = re.search(r"^go (\d+(?:\.\d+)*)", (self.source / "go.mod").read_text(), re.MULTILINE)
        return tuple(int(number) for number in found[1].split(".")) if found else (0,)

    @property
    def digest(self) -> str:
        """Changes with every source file, module version, module hash and build flag."""
        content = hashlib.sha256(
            repr((self.package, self.linker_flags, self.tags, platform.machine())).encode()
        )
        content.update(self.chart.encode())
        content.update(b"cgo" if self.cgo else b"")
        files = (f for f in self.source.rglob("*") if f.is_file() and not f.name.endswith("_test.go"))
        for file in sorted(files):
            content.update(f"\0{file.relative_to(self.source)}\0".encode())
            content.update(file.read_bytes())
        return content.hexdigest()[:12]


@dataclass(frozen=True)
class WheelPart:
    """A command that a wheel of the Python package index carries; `requirements` pins its version and hashes."""

    name: str
    requirements: str
    minutes: float
    optional: bool = False

    @property
    def source(self) -> Path:
        return HERE / self.requirements

    @cached_property
    def version(self) -> str:
        found = re.search(r"==(\S+)", self.source.read_text())
        if found is None:
            raise LookupError(f"{self.source} pins no version")
        return f"v{found[1]}"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.source.read_bytes() + platform.machine().encode()).hexdigest()[:12]


Part = GoPart | WheelPart

DAPR = ("daprd", "injector", "operator", "sentry")
"""The services of Dapr that we use: no actors, so no placement; no jobs and workflows, so no scheduler."""

KUBERNETES = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
)

# Small downloads first: while they compile, the modules of the big ones arrive.
PARTS: tuple[Part, ...] = (
    GoPart("pause", "", "pause", 0.2),
    GoPart("etcd", "go.etcd.io/etcd/server/v3", "etcd", 0.6, package="go.etcd.io/etcd/server/v3"),
    GoPart("etcdctl", "go.etcd.io/etcd/etcdctl/v3", "etcd", 0.2, package="go.etcd.io/etcd/etcdctl/v3"),
    GoPart(
        "kubernetes",
        "k8s.io/kubernetes",
        "kubernetes",
        5.0,
        commands=KUBERNETES,
        stamps=(
            "k8s.io/component-base/version.gitVersion={version}",
            "k8s.io/component-base/version.gitMajor={major}",
            "k8s.io/component-base/version.gitMinor={minor}",
            "k8s.io/component-base/version.gitCommit=",
            "k8s.io/component-base/version.gitTreeState=archive",
            "k8s.io/client-go/pkg/version.gitVersion={version}",
            "k8s.io/client-go/pkg/version.gitMajor={major}",
            "k8s.io/client-go/pkg/version.gitMinor={minor}",
        ),
    ),
    GoPart(
        "helm",
        "helm.sh/helm/v3",
        "helm",
        1.0,
        package="helm.sh/helm/v3/cmd/helm",
        stamps=(
            "helm.sh/helm/v3/internal/version.version={version}",
            "helm.sh/helm/v3/internal/version.gitTreeState=clean",
            "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1",
            "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor=34",
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1",
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=34",
        ),
    ),
    GoPart(
        "storage-provisioner",
        "sigs.k8s.io/sig-storage-lib-external-provisioner/v13",
        "storage-provisioner",
        0.7,
    ),
    GoPart("coredns", "github.com/coredns/coredns", "coredns", 1.5),
    GoPart(
        "kube-network-policies",
        "sigs.k8s.io/kube-network-policies",
        "network-policies",
        1.7,
        package="sigs.k8s.io/kube-network-policies/cmd",
    ),
    GoPart(
        "buildx",
        "github.com/docker/buildx",
        "buildx",
        1.3,
        package="github.com/docker/buildx/cmd/buildx",
        stamps=("github.com/docker/buildx/version.Version={version}",),
    ),
    WheelPart("traefik", "traefik.txt", 0.2),
    GoPart(
        "dapr",
        "github.com/dapr/dapr",
        "dapr",
        3.0,
        commands=DAPR,
        stamps=(
            "github.com/dapr/dapr/pkg/buildinfo.version={number}",
            "github.com/dapr/kit/logger.DaprVersion={number}",
        ),
        chart="charts/dapr",
        optional=True,
    ),
    GoPart(
        "kube-score",
        "github.com/zegl/kube-score",
        "kube-score",
        0.3,
        package="github.com/zegl/kube-score/cmd/kube-score",
        stamps=("main.version={number}",),
        optional=True,
    ),
)
