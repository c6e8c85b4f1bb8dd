"""The Dapr CLI, where it is installed: what it says is asked besides, and is never the only proof.

It knows only the current context of its kubeconfig: where that is another cluster than the pinned one it is left alone.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import yaml

from runbook.clients.process.proxies import direct_to
from runbook.engine.errors import RunbookError, Unmeasurable

if TYPE_CHECKING:
    from runbook.clients.process.commands import Commands
    from runbook.clients.target import Target

NAME = "dapr"
SECONDS = 15.0


def speaks_of_our_cluster(commands: Commands, cluster: Target) -> bool:
    """Whether there is a CLI whose current context is the pinned cluster."""
    if commands.find(NAME) is None:
        return False
    pinned = cluster.kubeconfig()
    current = (yaml.safe_load(pinned.path.read_text()) or {}).get("current-context")
    return bool(current == pinned.context)


def environment(cluster: Target) -> dict[str, str]:
    """What makes it use the pinned kubeconfig."""
    direct_to(cluster)
    return {"KUBECONFIG": str(cluster.kubeconfig().path)}


def unhealthy(commands: Commands, cluster: Target, services: tuple[str, ...]) -> list[str]:
    """Which of these services `dapr status` does not call healthy; it prints a table only, read by its headings.

    Raises `Unmeasurable` where it says nothing that can be read.
    """
    argv = [NAME, "status", "-k"]
    rows = [
        re.split(r"\s{2,}", line.strip())
        for line in _ask(commands, cluster, argv).splitlines()
        if line.strip()
    ]
    headings = next((row for row in rows if {"NAME", "HEALTHY"} <= set(row)), None)
    if headings is None:
        raise _unreadable(argv, "no table with NAME and HEALTHY")
    place = headings.index("HEALTHY")
    told = {row[headings.index("NAME")]: row[place] for row in rows if len(row) > place}
    return [
        f"`dapr status` says of {service}: {told.get(service, 'nothing')}"
        for service in services
        if told.get(service) != "True"
    ]


def components(commands: Commands, cluster: Target, namespace: str) -> set[str]:
    """The names that `dapr components` lists of a namespace. Raises `Unmeasurable` where it cannot be read.

    Before the list, and behind it, it may print warnings, all on standard output.
    """
    argv = [NAME, "components", "-k", "--namespace", namespace, "--output", "json"]
    said = _ask(commands, cluster, argv)
    try:
        listed, _ = json.JSONDecoder().raw_decode(said, said.index("["))
        return {str(each["name"]) for each in listed}
    except (ValueError, TypeError, KeyError):
        raise _unreadable(argv, "no list of components") from None


def _ask(commands: Commands, cluster: Target, argv: list[str]) -> str:
    try:
        return commands.run(argv, timeout=SECONDS, env=environment(cluster)).stdout
    except RunbookError as problem:
        raise Unmeasurable(f"the Dapr CLI does not answer: {problem.observed}", hint=" ".join(argv)) from None


def _unreadable(argv: list[str], what: str) -> Unmeasurable:
    return Unmeasurable(
        f"the Dapr CLI answers with {what}", wanted="its documented output", hint=" ".join(argv)
    )
