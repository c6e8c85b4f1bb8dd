"""The pinned cluster, by kubeconfig, context and the UID of kube-system: no other is written to."""

from __future__ import annotations

import json
from pathlib import Path

from runbook.clients.target import Kubeconfig
from runbook.engine import state_file
from runbook.engine.errors import WrongCluster

PINNED = "pinned.json"


class Pin:
    """A small file in the state folder of the cluster; it goes with the cluster."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def agree(self, kubeconfig: Kubeconfig, uid: str) -> None:
        """Pin the first cluster; raise `WrongCluster` for another one than the pinned."""
        seen = {"kubeconfig": str(kubeconfig.path), "context": kubeconfig.context, "uid": uid}
        pinned = self._read()
        if pinned is None:
            self._write(seen)
            return
        differing = [key for key in seen if pinned.get(key) != seen[key]]
        if differing:
            told = ", ".join(f"{key} {seen[key]}" for key in differing)
            meant = ", ".join(f"{key} {pinned.get(key)}" for key in differing)
            raise WrongCluster(
                f"the cluster that answers has {told}; nothing was written",
                wanted=f"the pinned cluster: {meant}",
                hint=f"rm {self._path}  (only if the cluster that answers is the one you mean)",
            )

    def demand(self) -> None:
        """Raise `WrongCluster` where no cluster is pinned: whoever removes something does not choose where."""
        if self._read() is None:
            raise WrongCluster(
                f"no cluster is pinned in {self._path}: this installation never wrote to the one that answers",
                wanted="the cluster that this installation was made on",
                hint="inv cluster.status",
            )

    @property
    def uid(self) -> str:
        """The UID of the pinned cluster, "" where none is pinned."""
        return str((self._read() or {}).get("uid") or "")

    def _read(self) -> dict[str, str] | None:
        try:
            content = json.loads(self._path.read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as problem:
            raise WrongCluster(
                f"the pin {self._path} cannot be read: {problem}; nothing was written",
                wanted="the identity of the pinned cluster",
                hint=f"rm {self._path}",
            ) from None
        return content if isinstance(content, dict) else {}

    def _write(self, content: dict[str, str]) -> None:
        state_file.write_json(self._path, content)
