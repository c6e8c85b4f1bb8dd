"""The link to the node: one veth pair, the only thing of the node that the machine's network sees.

It needs no route but its own, no forwarding and no netfilter rule on the machine; it ends when the node ends. Where the
machine forwards for others, it does not do so for the node: this link takes no part in it, and the node drops whatever
is not between it and this machine.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from runbook.cluster.embedded.addresses import Addresses
from runbook.cluster.embedded.components import LINK, OWN_TTL, network_script
from runbook.cluster.embedded.sandbox import SYSTEM_PATH, Sandbox
from runbook.engine.errors import CommandFailed, CommandMissing, RunbookError

LONGEST_ALIAS = 255
"""Bytes of an interface's label; a limit of the kernel's."""


def interface(name: str) -> str:
    """The machine's end; a name of an interface has at most 15 letters."""
    return f"td-{name}"


def _ip(*arguments: str) -> list[dict[str, Any]]:
    try:
        done = subprocess.run(
            ["ip", "-json", *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except FileNotFoundError as error:
        raise CommandMissing("`ip` is not installed", hint="apt-get install iproute2") from error
    if done.returncode != 0:
        raise CommandFailed(
            f"`ip {' '.join(arguments)}`: {done.stderr.strip()}", hint=f"ip {' '.join(arguments)}"
        )
    found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return found


def _find(name: str) -> dict[str, Any] | None:
    if shutil.which("ip", path=SYSTEM_PATH) is None:  # what makes a link of ours is not here
        return None
    return next(
        (link for link in _ip("-details", "addr", "show") if link.get("ifname") == interface(name)), None
    )


def hardware_address(sandbox: Sandbox) -> str:
    """Ours by the sandbox's random id, and there from the link's creation on; a label can only be added later."""
    return ":".join(["02", *(sandbox.id[place : place + 2] for place in range(0, 10, 2))])


def _is_ours(link: dict[str, Any], sandbox: Sandbox) -> bool:
    return bool(sandbox.id) and link.get("address") == hardware_address(sandbox)


def exists(name: str, sandbox: Sandbox) -> bool:
    """Whether the link of this sandbox is there; one of the same name that somebody else made is not it."""
    link = _find(name)
    return link is not None and _is_ours(link, sandbox)


def foreign(name: str, sandbox: Sandbox) -> str:
    """Whose the interface of this name is, where it is not ours; else empty."""
    link = _find(name)
    if link is None or _is_ours(link, sandbox):
        return ""
    return str(link.get("ifalias") or "something else")


def refuse_foreign(name: str, sandbox: Sandbox) -> None:
    """Raise `RunbookError` where another node, or anything else, has the name of our interface."""
    if owner := foreign(name, sandbox):
        raise RunbookError(
            f"a cluster {name} is here already, and not ours: interface {interface(name)} belongs to {owner}",
            wanted=f"the node of {sandbox.folder}",
            hint="choose another cluster name (TODO_CLUSTER_NAME), or work from where that one was made",
        )


def ensure(name: str, sandbox: Sandbox, addresses: Addresses) -> bool:
    """Have the pair, with its addresses and the node's default route; returns whether anything had to be made."""
    refuse_foreign(name, sandbox)
    if link := _find(name):
        up = "UP" in link.get("flags", []) and _outside_ready(name, addresses)
        if up and _inside_ready(sandbox, addresses):
            return False
        remove(name, sandbox)
    sandbox.run(["sh", "-c", network_script(addresses)], timeout=10)
    with sandbox.process() as pid:
        _ip(
            *("link", "add", interface(name), "address", hardware_address(sandbox), "type", "veth"),
            *("peer", "name", LINK, "netns", str(pid)),
        )
    _ip("link", "set", "dev", interface(name), "alias", str(sandbox.folder)[:LONGEST_ALIAS])  # for people
    _set(name, "ipv6", "disable_ipv6", "1")
    _set(name, "ipv4", "forwarding", "0")
    _ip("addr", "add", f"{addresses.host}/30", "dev", interface(name), "noprefixroute")
    _ip("link", "set", "dev", interface(name), "up")
    route = ("dev", interface(name), "src", addresses.host, "hoplimit", str(OWN_TTL))
    _ip("route", "add", addresses.link, *route)
    sandbox.run(["ip", "addr", "add", f"{addresses.node}/30", "dev", LINK], timeout=10)
    sandbox.run(["ip", "link", "set", "dev", LINK, "up"], timeout=10)
    # Nothing leaves by it, as the node drops that: the kernel wants a route before it looks at a service's address.
    sandbox.run(["ip", "route", "add", "default", "via", addresses.host, "metric", "1000"], timeout=10)
    # Each pod has a route of its own. Who calls one that is no more is told so at once, instead of waiting for nobody.
    sandbox.run(["ip", "route", "replace", "unreachable", addresses.pods], timeout=10)
    return True


def _set(name: str, family: str, setting: str, value: str) -> None:
    """A setting of our end alone, which ends with it; a kernel without that family has none."""
    file = Path("/proc/sys/net", family, "conf", interface(name), setting)
    with suppress(FileNotFoundError):
        file.write_text(value)


def _outside_ready(name: str, addresses: Addresses) -> bool:
    """Whether this machine knows the node, by a route that marks what the machine itself sends."""
    routes = _ip("route", "show", "dev", interface(name))
    found = next((route for route in routes if route.get("dst") == addresses.link), {})
    marks = {"hoplimit": OWN_TTL} in found.get("metrics", [])
    return marks and found.get("prefsrc") == addresses.host


def _inside_ready(sandbox: Sandbox, addresses: Addresses) -> bool:
    routes = json.loads(sandbox.run(["ip", "-json", "route", "show"], timeout=10) or "[]")
    led_out = any(route.get("dst") == "default" and route.get("dev") == LINK for route in routes)
    return led_out and any(route.get("dst") == addresses.pods for route in routes)


def remove(name: str, sandbox: Sandbox) -> None:
    """Take the pair away; its other end goes with it. Nothing to do where it is gone already, or never was ours."""
    if exists(name, sandbox):
        try:
            _ip("link", "del", "dev", interface(name))
        except CommandFailed:
            if exists(name, sandbox):  # else it went away by itself in between, with its network namespace
                raise
