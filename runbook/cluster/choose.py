"""Which cluster a run is about: as the settings say, else what this machine offers."""

from __future__ import annotations

import os
import platform

from runbook.cluster import Cluster
from runbook.engine.errors import UsageError
from runbook.engine.settings import Settings


def choose(settings: Settings) -> Cluster:
    """The cluster of `settings.cluster`.

    `auto` is minikube where `minikube start` can work, else the embedded node where this is root on Linux; a node of
    ours that exists already is kept. Raises `UsageError` where neither is possible.
    """
    if settings.cluster == "kind":
        from runbook.cluster.kind import Kind

        return Kind(settings)
    if settings.cluster == "existing":
        from runbook.cluster.existing import Existing

        return Existing(settings)
    linux = platform.system() == "Linux"
    if settings.cluster == "embedded" and not linux:
        raise UsageError(
            f"the embedded node needs Linux, and this is {platform.system()}",
            wanted="Linux",
            hint="TODO_CLUSTER=minikube",
        )
    from runbook.cluster.embedded.node import Embedded

    embedded = Embedded(settings)
    if settings.cluster == "embedded" or (settings.cluster == "auto" and embedded.folder.exists()):
        return embedded
    from runbook.cluster.minikube import Minikube

    minikube = Minikube(settings)
    if settings.cluster == "minikube":
        return minikube
    obstacle = minikube.obstacle()
    if not obstacle:
        return minikube
    if linux and os.geteuid() == 0:
        return embedded
    raise UsageError(
        f"{obstacle}, and the embedded node needs root on Linux",
        wanted="a machine where minikube can start, or root on Linux",
        hint="install Docker and minikube, or run as root on Linux, or TODO_CLUSTER=existing TODO_CONTEXT=<context>",
    )


def reason(settings: Settings) -> str:
    """Why `auto` did not choose minikube, in one line; "" where the settings name the cluster, or it can start."""
    if settings.cluster != "auto":
        return ""
    from runbook.cluster.minikube import Minikube

    return Minikube(settings).obstacle()
