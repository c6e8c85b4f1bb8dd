"""The user's kubeconfig as kubectl reads it, for one context.

Source: Kubernetes, "Organizing Cluster Access Using kubeconfig Files", and client-go's ClientConfigLoadingRules: empty
names in KUBECONFIG and absent files are passed over, the first file that has a name wins with all that it says there,
and relative paths count from the file that holds them.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runbook.clients.target import Kubeconfig
from runbook.engine import state_file
from runbook.engine.errors import UsageError

Entry = dict[str, Any]

_LISTS = {"contexts": "context", "clusters": "cluster", "users": "user"}
_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_IMPERSONATION = ("as", "as-uid", "as-groups", "as-user-extra")
_PROXIES = ("http", "https")


def locations(variable: str) -> list[Path]:
    """The files that KUBECONFIG names, each once; without it the one in the home folder."""
    named = variable.split(os.pathsep) if variable else [str(Path.home() / ".kube" / "config")]
    return list(dict.fromkeys(Path(each) for each in named if each))


def chosen(context: str, variable: str, merged: Path) -> Kubeconfig:
    """The context as all clients of a run read it: in the user's own file, where that file holds all parts of it.

    Parts from several files are written together to `merged`, for the owner alone. Raises `UsageError` for a context
    that is absent or incomplete, and for one that kubectl and our own client would not read alike.
    """
    files = locations(variable)
    found: dict[str, dict[str, tuple[Entry, Path]]] = {each: {} for each in _LISTS}
    for file in files:
        for kind, entries in _read(file).items():
            for name, entry in entries.items():
                found[kind].setdefault(name, (entry, file))
    if context not in found["contexts"]:
        known = ", ".join(sorted(found["contexts"])) or "none"
        raise UsageError(
            f"there is no context {context!r} in {', '.join(map(str, files)) or 'KUBECONFIG, which names no file'}",
            wanted=f"one of: {known}",
            hint="kubectl config get-contexts",
        )
    place, home = found["contexts"][context]
    parts: dict[str, tuple[str, Entry, Path]] = {"contexts": (context, place, home)}
    for kind, key in (("clusters", "cluster"), ("users", "user")):
        name = str(place.get(key) or "")
        if name and name in found[kind]:
            parts[kind] = (name, *found[kind][name])
        elif name or kind == "clusters":
            raise UsageError(
                f"context {context!r} names the {key} {name!r}, which no file of KUBECONFIG has",
                wanted=f"a context whose {key} is there",
                hint="kubectl config view",
            )
    _refuse_unlike(context, parts)
    if len({file for _, _, file in parts.values()}) == 1:
        return Kubeconfig(home, context)
    _write(context, parts, merged)
    return Kubeconfig(merged, context)


def _read(file: Path) -> dict[str, dict[str, Entry]]:
    """Each list by name; nothing for a file that is not there. Raises `UsageError` for one that cannot be read."""
    import yaml

    try:
        content = yaml.safe_load(file.read_text()) or {}
        return {kind: _by_name(content.get(kind) or [], key) for kind, key in _LISTS.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError, KeyError, yaml.YAMLError) as problem:
        raise UsageError(
            f"{file} cannot be read as a kubeconfig ({type(problem).__name__})",
            wanted="a kubeconfig",
            hint=f"KUBECONFIG={shlex.quote(str(file))} kubectl config view",
        ) from None


def _by_name(entries: list[Entry], key: str) -> dict[str, Entry]:
    found = {str(each["name"]): dict(each.get(key) or {}) for each in entries}
    if len(found) < len(entries):
        raise KeyError("two of one name")
    return found


def _refuse_unlike(context: str, parts: dict[str, tuple[str, Entry, Path]]) -> None:
    """What kubectl and Helm would do and our own client would not: one run must not be two users, or take two ways."""
    user = parts["users"][1] if "users" in parts else {}
    if assumed := [key for key in _IMPERSONATION if user.get(key)]:
        raise UsageError(
            f"context {context!r} acts as somebody else ({', '.join(assumed)})",
            wanted="a context whose user acts in its own name",
            hint="kubectl config set-credentials NAME, with the credentials of the one to be",
        )
    proxy = str(parts["clusters"][1].get("proxy-url") or "")
    if proxy and urlsplit(proxy).scheme not in _PROXIES:
        server = urlsplit(str(parts["clusters"][1].get("server") or ""))
        raise UsageError(
            f"context {context!r} has a proxy-url of the kind {urlsplit(proxy).scheme or 'none'}",
            wanted="a proxy-url with http:// or https://, or a server that this machine reaches",
            hint=f"ssh -L 16443:{server.hostname}:{server.port or 443} GATEWAY, and in a context of your own "
            f"server: https://127.0.0.1:16443 with tls-server-name: {server.hostname}",
        )


def _write(context: str, parts: dict[str, tuple[str, Entry, Path]], merged: Path) -> None:
    content: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "current-context": context}
    for kind, (name, entry, file) in parts.items():
        content[kind] = [{"name": name, _LISTS[kind]: _from(file, entry)}]
    state_file.write_json(merged, content)


def _from(file: Path, entry: Entry) -> Entry:
    """The entry with its relative paths as they count from its file."""
    here = file.absolute().parent
    moved = {**entry, **{key: str(here / entry[key]) for key in _FILES if entry.get(key)}}
    plugin = entry.get("exec") or {}
    if os.sep in str(plugin.get("command") or ""):
        moved["exec"] = {**plugin, "command": str(here / plugin["command"])}
    return moved
