"""What a pod may do to its node: the restricted Pod Security Standard, and a root file system that nobody writes.

A rule holds for init, sidecar and ephemeral containers as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runbook.manifests.documents import at, entries, fields
from runbook.manifests.item import Hit, shown
from runbook.manifests.rule import rule
from runbook.manifests.scene import Container, Pod, containers, linux_containers, pods

VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)
SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
FILTERED = ("RuntimeDefault", "Localhost")
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
LOWEST_ID = 10000
"""Ids from here on belong to no account of the node."""

PROBES = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop")


@rule(
    "POD-01",
    "No process gains privileges that it did not start with",
    over=linux_containers,
    reason="A setuid program would make a foothold in the container root.",
    remedy="set securityContext.allowPrivilegeEscalation: false on the container",
)
def escalation(each: Container) -> Iterator[Hit]:
    if each.security.get("allowPrivilegeEscalation") is not False:
        yield each.hit("securityContext.allowPrivilegeEscalation")


@rule(
    "POD-02",
    "Containers must not run as root",
    over=containers,
    reason="Without runAsNonRoot an image that runs as root is started as root.",
    remedy="set securityContext.runAsNonRoot: true on the pod or the container",
)
def non_root(each: Container) -> Iterator[Hit]:
    value, hit = each.inherited("runAsNonRoot")
    if value is not True:
        yield hit


@rule(
    "POD-03",
    "No user id is 0",
    over=containers,
    reason="Id 0 is root, and the kubelet refuses to start it beside runAsNonRoot.",
    remedy="set securityContext.runAsUser to a number above 0, and a numeric USER in the image",
)
def user_zero(each: Container) -> Iterator[Hit]:
    yield from (hit for value, hit in each.given("runAsUser") if value == 0)


@rule(
    "POD-04",
    "All capabilities are dropped; none but NET_BIND_SERVICE is added",
    over=linux_containers,
    reason="Each capability is a part of root: NET_RAW forges packets, SYS_ADMIN is nearly all of it.",
    remedy="set securityContext.capabilities: {drop: [ALL]} on the container and add nothing",
)
def capabilities(each: Container) -> Iterator[Hit]:
    kept = fields(each.security.get("capabilities"))
    if "ALL" not in (kept.get("drop") or []):
        yield each.hit("securityContext.capabilities.drop")
    if set(kept.get("add") or []) - {"NET_BIND_SERVICE"}:
        yield each.hit("securityContext.capabilities.add")


@rule(
    "POD-05",
    "System calls are filtered by seccomp",
    over=linux_containers,
    reason="Unfiltered, a container reaches every system call of the kernel that it shares with the node.",
    remedy="set securityContext.seccompProfile.type: RuntimeDefault on the pod; beside Dapr also the annotation "
    "dapr.io/sidecar-seccomp-profile-type",
)
def seccomp(each: Container) -> Iterator[Hit]:
    for value, hit in (each.inherited("seccompProfile"), *each.given("seccompProfile")):
        if fields(value).get("type") not in FILTERED:
            yield hit
    annotation = "dapr.io/sidecar-seccomp-profile-type"
    if each.pod.with_dapr and each.pod.annotations.get(annotation) not in FILTERED:
        yield Hit(each.pod.item, f"annotation {annotation}", shown(each.pod.annotations.get(annotation)))


@rule(
    "POD-06",
    "Volumes are of kinds that belong to the pod; nothing of the node is mounted",
    over=pods,
    reason="A path of the node, its container socket most of all, is a way out of the container.",
    remedy="use emptyDir, configMap, secret, projected or a persistentVolumeClaim",
)
def volumes(each: Pod) -> Iterator[Hit]:
    for volume in entries(each.spec.get("volumes")):
        kinds = volume.keys() - {"name"}
        for kind in sorted(kinds - VOLUMES):
            told = f"{kind} {fields(volume[kind]).get('path', '')}".strip()
            yield each.hit(f"volumes[{volume.get('name')}].{kind}", told)


@rule(
    "POD-07",
    "Network, processes and ports of the node are not shared",
    over=pods,
    reason="On the node's network no NetworkPolicy holds; in its process space others can be read and ended.",
    remedy="remove hostNetwork, hostPID, hostIPC and hostPort; publish by a Service",
)
def of_the_node(each: Pod) -> Iterator[Hit]:
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if each.spec.get(name):
            yield each.hit(name)
    for container in each.containers:
        for place, port in enumerate(entries(container.raw.get("ports"))):
            if port.get("hostPort"):
                yield container.hit(f"ports[{port.get('name', place)}].hostPort", shown(port["hostPort"]))


@rule(
    "POD-08",
    "Nothing that confines a container is switched off",
    over=containers,
    reason="A privileged container, an unmasked /proc or an unconfined profile is root on the node.",
    remedy="remove privileged, procMount, hostProcess, SELinux user and role, unsafe sysctls, Unconfined profiles",
)
def confined(each: Container) -> Iterator[Hit]:
    if each.security.get("privileged"):
        yield each.hit("securityContext.privileged")
    if each.security.get("procMount", "Default") != "Default":
        yield each.hit("securityContext.procMount")
    for value, told in each.given("seLinuxOptions"):
        labels = fields(value)
        if labels.get("user") or labels.get("role") or labels.get("type", "") not in SELINUX_TYPES:
            yield told
    for value, told in each.given("windowsOptions"):
        if fields(value).get("hostProcess"):
            yield told
    for value, told in each.given("appArmorProfile"):
        if fields(value).get("type") == "Unconfined":
            yield told
    if str(each.pod.annotations.get(f"{APPARMOR}{each.name}", "")).lower() == "unconfined":
        yield Hit(each.pod.item, f"annotation {APPARMOR}{each.name}", "unconfined")
    for sysctl in entries(at(each.pod.spec, "securityContext.sysctls")):
        if sysctl.get("name") not in SYSCTLS:
            yield each.pod.hit("securityContext.sysctls", shown(sysctl.get("name")))


@rule(
    "POD-09",
    "Probes and hooks ask the pod itself",
    over=containers,
    reason="A host there makes the kubelet, which no policy holds, ask any address on the pod's behalf.",
    remedy="remove `host` from httpGet and tcpSocket",
)
def probed_host(each: Container) -> Iterator[Hit]:
    for path in PROBES:
        handler = fields(at(each.raw, path))
        for way in ("httpGet", "tcpSocket"):
            if fields(handler.get(way)).get("host"):
                yield each.hit(f"{path}.{way}.host")


@rule(
    "POD-10",
    "The root file system is read-only",
    over=linux_containers,
    reason="What cannot be written cannot be replaced: no dropped tool, no changed program.",
    remedy="set securityContext.readOnlyRootFilesystem: true and mount emptyDirs where the program writes",
)
def root_file_system(each: Container) -> Iterator[Hit]:
    if each.security.get("readOnlyRootFilesystem") is not True:
        yield each.hit("securityContext.readOnlyRootFilesystem")


@rule(
    "POD-13",
    f"User and group ids are {LOWEST_ID} or higher",
    over=containers,
    reason="A low id may be somebody's on the node, whose files a break-out could then read.",
    remedy=f"set securityContext.runAsUser and runAsGroup to {LOWEST_ID} or more",
)
def high_ids(each: Container) -> Iterator[Hit]:
    for name in ("runAsUser", "runAsGroup"):
        value, hit = each.inherited(name)
        if name == "runAsUser" and value == 0:
            continue  # that is POD-03's
        if not _at_least(value, LOWEST_ID):
            yield hit


def _at_least(value: Any, lowest: int) -> bool:
    return isinstance(value, int) and value >= lowest


RULES = (
    escalation,
    non_root,
    user_zero,
    capabilities,
    seccomp,
    volumes,
    of_the_node,
    confined,
    probed_host,
    root_file_system,
    high_ids,
)
