"""Run in a network namespace of its own that stands for a machine which forwards for its neighbours: is the node apart?

Arguments: the folder of a sandbox. Prints one line of JSON: who reached whom.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from runbook.cluster.embedded import link
from runbook.cluster.embedded.addresses import Addresses
from runbook.cluster.embedded.sandbox import Sandbox, ServiceDefinition

NODE = Addresses(248)
MACHINE, NEIGHBOUR, FURTHER = "192.0.2.1", "192.0.2.2", "198.51.100.2"
SERVER = [sys.executable, "-m", "http.server", "--directory", "/proc/self/fdinfo", "8000"]
ASK = "import socket, sys; socket.create_connection((sys.argv[1], 8000), 1.5)"


def sh(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


def namespace(name: str, address: str, gateway: str) -> list[str]:
    """A neighbour of this machine that listens; returns the words that run a command there."""
    holder = subprocess.Popen(["unshare", "--net", "sleep", "600"])
    while Path(f"/proc/{holder.pid}/ns/net").stat().st_ino == Path("/proc/self/ns/net").stat().st_ino:
        pass
    inside = ["nsenter", f"--net=/proc/{holder.pid}/ns/net", "--"]
    sh("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
    sh("ip", "addr", "add", f"{gateway}/24", "dev", name)
    sh("ip", "link", "set", name, "up")
    sh(*inside, "ip", "addr", "add", f"{address}/24", "dev", "eth0")
    sh(*inside, "ip", "link", "set", "eth0", "up")
    sh(*inside, "ip", "route", "add", "default", "via", gateway)
    subprocess.Popen([*inside, *SERVER], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return inside


def reaches(inside: list[str], address: str, tries: int = 1) -> bool:
    asked = [*inside, sys.executable, "-c", ASK, address]
    return any(subprocess.run(asked, check=False, capture_output=True).returncode == 0 for _ in range(tries))


def main(folder: Path) -> dict[str, bool]:
    sandbox = Sandbox("todo-apart", folder, network=True)
    sh("ip", "link", "set", "lo", "up")
    neighbour, further = namespace("lan", NEIGHBOUR, MACHINE), namespace("wan", FURTHER, "198.51.100.1")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    sandbox.start({"server": ServiceDefinition(SERVER)})
    node = ["nsenter", f"--net=/proc/{sandbox.pid()}/ns/net", "--"]
    try:
        link.ensure("apart", sandbox, NODE)
        found = {
            "machine to node": reaches([], NODE.node, tries=20),
            "neighbour to further": reaches(neighbour, FURTHER, tries=20) and reaches(further, NEIGHBOUR),
            "node to machine": reaches(node, NODE.host),
        }
        for state in ("", " after forwarding was switched on again", " and with its addresses hidden"):
            if "again" in state:
                Path("/proc/sys/net/ipv4/ip_forward").write_text("0")
                Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
            if "hidden" in state:
                sh("iptables", "-t", "nat", "-A", "POSTROUTING", "-j", "MASQUERADE")
            found[f"neighbour to node{state}"] = reaches(neighbour, NODE.node)
            found[f"node to neighbour{state}"] = reaches(node, NEIGHBOUR)
            found[f"node to the machine's other address{state}"] = reaches(node, MACHINE)
        return found
    finally:
        sandbox.stop()


if __name__ == "__main__":
    subprocess.Popen(SERVER, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        print(json.dumps(main(Path(sys.argv[1]))), flush=True)
    finally:
        for child in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split():
            os.kill(int(child), 9)
