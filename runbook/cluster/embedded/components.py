"""The node's processes and their arguments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from runbook.cluster.embedded.addresses import Addresses
from runbook.cluster.embedded.configuration import API_PORT, QUEUE, Configuration
from runbook.cluster.embedded.services import INSIDE, ServiceDefinition

Binaries = Callable[[str], Path]
"""The path of a program by its name."""

PKI = INSIDE / "pki"
ETC = INSIDE / "etc"
AUDIT_LOG = Path("/var/log/kubernetes/audit.log")
VOLUMES = "/var/lib/volumes"
WAY_OUT = "tap0"
LINK = "eth0"
"""The node's end of its link to the machine."""

OWN_TTL = 255
"""Of packets that the machine itself sends by the link: who forwards one makes it less (RFC 5082)."""


def definitions(configuration: Configuration, binary: Binaries) -> dict[str, ServiceDefinition]:
    """Every process that the node's supervisor keeps running.

    Each carries the digest of the configuration, so that a changed file or a renewed certificate restarts it.
    """
    arguments = {
        "etcd": [str(binary("etcd")), *_etcd()],
        "kube-apiserver": [str(binary("kube-apiserver")), *_api_server(configuration)],
        "kube-controller-manager": [
            str(binary("kube-controller-manager")),
            *_controller_manager(configuration),
        ],
        "kube-scheduler": [
            str(binary("kube-scheduler")),
            f"--kubeconfig={ETC}/kube-scheduler.kubeconfig",
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
        ],
        "containerd": ["containerd", f"--config={ETC}/containerd.toml"],
        "kubelet": [
            str(binary("kubelet")),
            f"--config={ETC}/kubelet.yaml",
            f"--kubeconfig={ETC}/kubelet.kubeconfig",
            f"--hostname-override={configuration.name}",
            f"--node-ip={configuration.addresses.node}",
        ],
        "kube-proxy": [str(binary("kube-proxy")), f"--config={ETC}/kube-proxy.yaml"],
        "storage-provisioner": [
            str(binary("storage-provisioner")),
            f"--kubeconfig={ETC}/storage-provisioner.kubeconfig",
            f"--directory={VOLUMES}",
        ],
    }
    if configuration.outside:
        arguments["way-out"] = _way_out(configuration)
    environment = {"TODO_CONFIGURATION": configuration.digest}
    before = {
        "way-out": [["sh", "-c", _way_out_script(configuration)]],
        "containerd": [["sh", "-c", network_script(configuration.addresses)]],
        "kube-apiserver": [["sh", "-c", _await_link(configuration)]],
        "kubelet": [["sh", "-c", _await_link(configuration)]],
        "kube-proxy": [["sh", "-c", _await_link(configuration)]],
    }
    return {
        name: ServiceDefinition(argv, environment, before.get(name, ())) for name, argv in arguments.items()
    }


def _etcd() -> list[str]:
    return [
        "--name=node",
        "--data-dir=/var/lib/etcd",
        "--listen-client-urls=https://127.0.0.1:2379",
        "--advertise-client-urls=https://127.0.0.1:2379",
        "--listen-peer-urls=https://127.0.0.1:2380",
        "--initial-advertise-peer-urls=https://127.0.0.1:2380",
        "--initial-cluster=node=https://127.0.0.1:2380",
        *(
            f"--{prefix}{flag}"
            for prefix in ("", "peer-")
            for flag in (
                f"cert-file={PKI}/etcd/server.crt",
                f"key-file={PKI}/etcd/server.key",
                f"trusted-ca-file={PKI}/etcd/ca.crt",
                "client-cert-auth=true",
            )
        ),
        "--log-level=warn",
    ]


def _api_server(configuration: Configuration) -> list[str]:
    addresses = configuration.addresses
    return [
        f"--bind-address={addresses.node}",
        f"--advertise-address={addresses.node}",
        f"--secure-port={API_PORT}",
        f"--service-cluster-ip-range={addresses.services}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--anonymous-auth=false",
        "--allow-privileged=true",
        "--profiling=false",
        f"--client-ca-file={PKI}/ca.crt",
        f"--tls-cert-file={PKI}/kube-apiserver.crt",
        f"--tls-private-key-file={PKI}/kube-apiserver.key",
        f"--kubelet-certificate-authority={PKI}/ca.crt",
        f"--kubelet-client-certificate={PKI}/kubelet-client.crt",
        f"--kubelet-client-key={PKI}/kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP",
        "--etcd-servers=https://127.0.0.1:2379",
        f"--etcd-cafile={PKI}/etcd/ca.crt",
        f"--etcd-certfile={PKI}/etcd/client.crt",
        f"--etcd-keyfile={PKI}/etcd/client.key",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-signing-key-file={PKI}/service-account.key",
        f"--service-account-key-file={PKI}/service-account.pub",
        f"--audit-policy-file={ETC}/audit.yaml",
        f"--audit-log-path={AUDIT_LOG}",
        "--audit-log-maxsize=50",
        "--audit-log-maxbackup=2",
    ]


def _controller_manager(configuration: Configuration) -> list[str]:
    return [
        f"--kubeconfig={ETC}/kube-controller-manager.kubeconfig",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--use-service-account-credentials=true",
        # One account for each controller at the first start: the default pace would take four seconds for them.
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        f"--cluster-name={configuration.name}",
        "--allocate-node-cidrs=false",
        f"--service-cluster-ip-range={configuration.addresses.services}",
        f"--root-ca-file={PKI}/ca.crt",
        f"--service-account-private-key-file={PKI}/service-account.key",
        f"--cluster-signing-cert-file={PKI}/ca.crt",
        f"--cluster-signing-key-file={PKI}/ca.key",
        "--profiling=false",
    ]


def _await_link(configuration: Configuration) -> str:
    """The link is made from outside, right after the sandbox has started: its address is there before it is used."""
    shown = f"ip -4 addr show dev {LINK} 2>/dev/null | grep -qF ' {configuration.addresses.node}/'"
    return f"until {shown}; do sleep 0.05; done"


def _way_out(configuration: Configuration) -> list[str]:
    """User-mode networking: what leaves the node becomes connections of this one process in the machine's network.

    So the machine forwards nothing and needs no rule; what listens on its loopback stays out of reach. The process
    keeps no capability but to bind low ports, sees nothing of the file system but /etc and /run, and has its system
    calls filtered.
    """
    return [
        "nsenter",
        "--net=/run/host-network",
        "--",
        # Its own sandbox takes mounts away, which are shared with the whole node unless they are made private first.
        *("unshare", "--mount", "--propagation", "private", "--"),
        "slirp4netns",
        "--netns-type=path",
        f"--cidr={configuration.addresses.outside}",
        "--mtu=65520",
        "--disable-host-loopback",
        "--enable-sandbox",
        "--enable-seccomp",
        "/proc/1/ns/net",
        WAY_OUT,
    ]


def _way_out_script(configuration: Configuration) -> str:
    addresses = configuration.addresses
    # To this machine by the link: a model on the laptop. It has no route to pods, so the node answers for them.
    hidden = (f"-o {WAY_OUT}", f"-o {LINK} -d {addresses.host}")
    nat = [f"POSTROUTING -s {addresses.pods} {way} -j MASQUERADE" for way in hidden]
    rules = "; ".join(f"iptables -t nat -C {rule} 2>/dev/null || iptables -t nat -A {rule}" for rule in nat)
    return (
        f"set -e; ip link show {WAY_OUT} >/dev/null 2>&1 || ip tuntap add dev {WAY_OUT} mode tap; "
        f"ip addr replace {addresses.outside_own}/24 dev {WAY_OUT}; ip link set dev {WAY_OUT} mtu 65520 up; "
        f"ip route replace default via {addresses.outside_gateway} dev {WAY_OUT} metric 10; "
        f"{rules}"
    )


def network_script(addresses: Addresses) -> str:
    """What the node's network needs before its link is up: forwarding, and who may talk with whom.

    The link is for this machine and the node, though the machine may forward for others (a hotspot, virtual machines, a
    VPN) and hide their addresses behind its own, which is not ours to change. What the machine itself sends by the link
    has a TTL of 255 (`link` sees to that); whatever was forwarded has less, whoever it says it is, and is dropped here,
    as is what would leave for elsewhere.

    Every new connection from or to a pod waits for the verdict of the policy engine. There is no --queue-bypass:
    while no engine listens, such a connection is dropped, so that a failure closes and never opens. What the node
    itself sends to its pods (the kubelet's probes) is allowed, as NetworkPolicy has it. The engine's own nftables
    rules ask the same queue; kernels without CONFIG_NFT_QUEUE refuse those, and these hold on either.
    """
    pods = addresses.pods
    judged = f"-m conntrack --ctstate NEW -j NFQUEUE --queue-num {QUEUE}"
    rules = [
        "*mangle",
        ":POSTROUTING ACCEPT",
        ":TODO-POLICY -",
        "-A POSTROUTING -j TODO-POLICY",
        "-A TODO-POLICY -m addrtype --src-type LOCAL -j RETURN",
        f"-A TODO-POLICY -s {pods} {judged}",
        f"-A TODO-POLICY -d {pods} {judged}",
        "COMMIT",
    ]
    apart = [
        "table ip todo-link",
        "flush table ip todo-link",
        "table ip todo-link {",
        "chain in { type filter hook prerouting priority raw;",
        f"iifname {LINK} ip ttl != {OWN_TTL} drop; iifname {LINK} ip saddr != {addresses.host} drop; }}",
        "chain out { type filter hook postrouting priority mangle;",
        f"oifname {LINK} ip daddr != {addresses.host} drop; }}",
        "}",
    ]
    separate = "printf '%s\\n' " + " ".join(f"'{line}'" for line in apart) + " | nft -f -"
    restore = (
        "printf '%s\\n' " + " ".join(f"'{rule}'" for rule in rules) + " | iptables-restore --table=mangle"
    )
    return f"set -e; echo 1 >/proc/sys/net/ipv4/ip_forward; {separate}; {restore}"
