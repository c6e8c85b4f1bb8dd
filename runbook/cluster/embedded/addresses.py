"""The node's addresses: one /16 of 10.0.0.0/8 that nothing on this machine uses."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from pathlib import Path

from runbook.cluster.embedded.files import write_private
from runbook.engine.errors import RunbookError

FIRST, LAST = 100, 250
"""The second octets to choose from: below lie the ranges that people and Docker tend to use."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """All addresses of one node follow from the second octet `block`: 10.`block`.0.0/16."""

    block: int

    @property
    def whole(self) -> IPv4Network:
        return IPv4Network(f"10.{self.block}.0.0/16")

    @property
    def host(self) -> str:
        """This machine's end of the link to the node."""
        return f"10.{self.block}.255.1"

    @property
    def node(self) -> str:
        """The node's end: API server and ingress listen here."""
        return f"10.{self.block}.255.2"

    @property
    def link(self) -> str:
        return f"10.{self.block}.255.0/30"

    @property
    def outside(self) -> str:
        """The network of the way out; its addresses mean something to the process that makes the way only."""
        return f"10.{self.block}.254.0/24"

    @property
    def outside_own(self) -> str:
        return f"10.{self.block}.254.100"

    @property
    def outside_gateway(self) -> str:
        return f"10.{self.block}.254.2"

    @property
    def outside_names(self) -> str:
        """Asks the machine's own name servers."""
        return f"10.{self.block}.254.3"

    @property
    def pods(self) -> str:
        return f"10.{self.block}.0.0/20"

    @property
    def services(self) -> str:
        return f"10.{self.block}.128.0/20"

    @property
    def api_service(self) -> str:
        return f"10.{self.block}.128.1"

    @property
    def dns_service(self) -> str:
        return f"10.{self.block}.128.10"


def _used_here() -> list[IPv4Network]:
    """Every range that this machine routes or holds an address in, and the hosts that it asks for names."""
    command = ["ip", "-json", "-4", "route", "show", "table", "all"]
    routes = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=10).stdout or b"[]")
    words = [route["dst"] for route in routes if route.get("dst") not in (None, "default")]
    words += [route["gateway"] for route in routes if "gateway" in route]
    resolver = Path("/etc/resolv.conf")
    lines = resolver.read_text().splitlines() if resolver.exists() else []
    words += [line.split()[1] for line in lines if line.startswith("nameserver ") and "." in line]
    return [network for word in words if isinstance(network := ip_network(word, strict=False), IPv4Network)]


def _first_free(name: str, used: Iterable[IPv4Network]) -> Addresses:
    """The first free block from a place that depends on the name, so that two clusters seldom want the same."""
    used = list(used)
    count = LAST - FIRST + 1
    start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % count
    for step in range(count):
        candidate = Addresses(FIRST + (start + step) % count)
        if not any(candidate.whole.overlaps(network) for network in used):
            return candidate
    raise RunbookError(
        f"every range from 10.{FIRST}.0.0/16 to 10.{LAST}.0.0/16 is routed on this machine",
        wanted="one free /16 for the node",
        hint="ip route show table all",
    )


def known(folder: Path) -> Addresses | None:
    """The addresses that this node has; None where it has none yet, or where nothing that can be read says so.

    Where their own file was damaged (a full disk, a power cut), the kubeconfig beside the folder still names them.
    """
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        block = json.loads((folder / "addresses.json").read_text())["block"]
        if isinstance(block, int) and FIRST <= block <= LAST:
            return Addresses(block)
    with suppress(OSError, UnicodeDecodeError):
        found = re.search(r"server: https://10\.(\d+)\.255\.2:", (folder.parent / "kubeconfig").read_text())
        if folder.exists() and found and FIRST <= int(found[1]) <= LAST:
            return Addresses(int(found[1]))
    return None


def of_node(name: str, folder: Path) -> Addresses:
    """The addresses of this node: those that it already has, or free ones; remembered in `folder`."""
    chosen = known(folder) or _first_free(name, _used_here())
    write_private(folder / "addresses.json", json.dumps({"block": chosen.block}) + "\n")
    return chosen
