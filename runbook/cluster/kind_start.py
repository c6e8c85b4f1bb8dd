"""How a new kind cluster is made: its configuration, and what a refusal means."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from runbook.engine.errors import CommandFailed, RunbookError, UsageError
from runbook.engine.settings import Settings
from runbook.ownership import installation

CONTROL_PLANE = "control-plane"


def configuration(settings: Settings) -> dict[str, Any]:
    """The user's file (`kind_config`), else one node with port 80; each node carries the installation's id.

    Raises `UsageError` for a file that is none of kind's.
    """
    if file := settings.kind_config:
        found = _read(Path(file).expanduser())
    else:
        found = {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": [_front(settings)]}
    nodes = found.setdefault("nodes", [{"role": CONTROL_PLANE}])
    for node in nodes:
        node["labels"] = {**(node.get("labels") or {}), **installation.labels(settings)}
    return found


def _front(settings: Settings) -> dict[str, Any]:
    """The node that the ingress controller runs on; without a `http_port` its own address is what is asked."""
    node: dict[str, Any] = {"role": CONTROL_PLANE, "labels": {"ingress-ready": "true"}}
    if port := settings.http_port:
        mapping = {"containerPort": 80, "hostPort": port, "listenAddress": "127.0.0.1", "protocol": "TCP"}
        node["extraPortMappings"] = [mapping]
    return node


def _read(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text())
    except (OSError, ValueError, yaml.YAMLError) as problem:
        raise UsageError(
            f"kind_config {path} cannot be read: {problem}".splitlines()[0],
            wanted="a file for `kind create cluster --config`",
        ) from None
    if not isinstance(found, dict) or found.get("kind") != "Cluster":
        raise UsageError(
            f"kind_config {path} holds no kind Cluster",
            wanted="kind: Cluster, apiVersion: kind.x-k8s.io/v1alpha4",
        )
    return found


def explained(problem: CommandFailed) -> RunbookError:
    """The hint is never the command that has just failed."""
    if re.search(r"port is already allocated|address already in use", problem.observed):
        return RunbookError(
            f"a port that the node is to publish is taken: {problem.observed}",
            wanted="a free port of this machine",
            hint="TODO_HTTP_PORT=8080 inv cluster.up  (0: none; on Linux the node's own address serves)",
        )
    if re.search(r"failed to pull image|pull access denied|no such host|manifest unknown", problem.observed):
        return RunbookError(
            problem.observed,
            wanted="a node image that Docker holds or can pull",
            hint="TODO_NODE_IMAGE=kindest/node:<version that `docker image ls` shows> inv cluster.up",
        )
    return RunbookError(
        problem.observed, wanted="exit status 0", hint="docker ps --all --filter label=io.x-k8s.kind.cluster"
    )
