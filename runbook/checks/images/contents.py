"""What is inside of the built images: setuid programs, secrets in any layer, shells.

Every layer is read once, though several images stand on it.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from runbook.app.image_archive import Archive, Entry, SavedImage, merged
from runbook.app.secret_patterns import FORMS, form_of, under_a_secret_name
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Outcome, failed, passed, unproven

if TYPE_CHECKING:
    from runbook.app.image_specs import Image
    from runbook.world import World

SETUID, SETGID = 0o4000, 0o2000
SHELLS = frozenset({"ash", "bash", "busybox", "dash", "ksh", "rbash", "sh", "zsh"})
SHELL_FOLDERS = ("bin", "usr/bin", "usr/local/bin")
TEXT_LIMIT = 2_000_000
"""Bytes above which a file is data, not a text with a key in it."""

SHORTEST = 12
"""Characters below which a value is not searched for: it would be found by chance."""

SHOWN = 5
IN_FILES = {
    name: pattern for name, pattern in FORMS.items() if name not in ("a password in a URL", "an API key")
}
"""Forms that are nothing but secrets. Documentation is full of examples of the others."""

_HINTS = (
    *(b"PRIVATE KEY-----", b"AKIA", b"ASIA", b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_"),
    *(b"glpat-", b"xox", b"AIza", b"k_live_", b"eyJ"),
)
"""What all of these forms hold: most files are told apart by a plain search."""

_EXAMPLES = ("EXAMPLE", "example", "...")
_DOCUMENTATION = re.compile(r"(?i)\.dist-info/METADATA$|/readme[^/]*$|\.md$")
CONTROL = b"PRETTY_NAME="
"""What every image holds in its os-release: a search that does not find it would find no secret either."""


@dataclass(frozen=True)
class Layer:
    """What one layer holds, as far as the checks want to know."""

    entries: list[Entry]
    secrets: list[str] = field(default_factory=list)
    """Where a secret stands and which one, by name and form, never by value."""
    controls: int = 0
    """How often the search found what is there for certain."""


def read_layer(archive: Archive, name: str, known: Mapping[str, bytes]) -> Layer:
    """Read all bytes of a layer. `known` are the values of secrets by the name that may be told."""
    layer = Layer([])
    controls = 0
    for entry, content in archive.entries(name):
        layer.entries.append(entry)
        if not (entry.is_file and entry.size):
            continue
        data = content()
        controls += entry.path.endswith("os-release") and CONTROL in data
        found = [f"the value of {secret}" for secret, value in known.items() if value in data]
        if not _DOCUMENTATION.search(entry.path) and (form := form_in(data)):
            found.append(form)
        layer.secrets.extend(f"{entry.path}: {told}" for told in found)
    return Layer(layer.entries, layer.secrets, controls)


def form_in(data: bytes) -> str | None:
    """Which form of secret material the bytes of a text hold."""
    if len(data) > TEXT_LIMIT or b"\0" in data[:8000] or not any(hint in data for hint in _HINTS):
        return None
    text = data.decode(errors="replace")
    for name, pattern in IN_FILES.items():
        for match in pattern.finditer(text):
            around = text[match.start() : match.end() + 200]
            if not any(word in around for word in _EXAMPLES) and (
                name != "a private key" or _has_body(around)
            ):
                return name
    return None


def _has_body(around: str) -> bool:
    """Whether a key follows the words that begin one: programs that read keys hold these words too."""
    body = around.partition("-----\n")[2].replace("\n", "")[:100]
    return len(body) >= 60 and all(sign.isalnum() or sign in "+/=\\n" for sign in body[:60])


def without_privileged_files(reference: str, filesystem: Mapping[str, Entry]) -> Outcome:
    """No file of the image runs as its owner or group instead of as who starts it."""
    wanted = "no setuid and no setgid file"
    files = [each for each in filesystem.values() if each.is_file]
    if not files:
        return unproven(f"{reference} holds no file", wanted=wanted, hint="inv build")
    bad = sorted(each.path for each in files if each.mode & (SETUID | SETGID))
    if bad:
        hint = "find / -xdev -type f -perm /6000 -exec chmod a-s {} + # in the Dockerfile"
        return failed(f"{reference}: {_some(bad)}", wanted=wanted, hint=hint, files=bad)
    return passed(f"{reference}: none of {len(files)} files", wanted=wanted)


def without_secrets(
    reference: str, image: SavedImage, layers: Sequence[Layer], known: Mapping[str, bytes]
) -> Outcome:
    """No layer, no instruction, no variable and no label holds a secret: by value those of this run, others by form."""
    wanted = "no secret in any layer, in the history, the environment and the labels"
    if not sum(layer.controls for layer in layers):
        return unproven(
            f"{reference}: the search did not find {CONTROL.decode()} of os-release, which is there",
            wanted=wanted,
            hint="inv build",
        )
    bad = [f"layer {n}: {told}" for n, layer in enumerate(layers, 1) for told in layer.secrets]
    for text in image.written:
        name, _, value = text.partition("=")
        form = form_of(text) or ("a value in clear" if under_a_secret_name(name, value) else None)
        told = [f"the value of {each}" for each, secret in known.items() if secret in text.encode()]
        bad += [
            f"{name.split()[0] if name.split() else 'history'}: {each}"
            for each in [*told, *filter(None, [form])]
        ]
    if bad:
        hint = f"docker image history --no-trunc {reference}"
        return failed(f"{reference}: {_some(bad)}", wanted=wanted, hint=hint, places=bad)
    files = sum(entry.is_file for layer in layers for entry in layer.entries)
    return passed(
        f"{reference}: none in {len(layers)} layers, {files} files, {len(image.written)} instructions and variables",
        wanted=wanted,
        compared=sorted(known),
    )


def shells(filesystem: Mapping[str, Entry]) -> list[str]:
    """The shells that a container of the image could start."""
    return sorted(
        path
        for path in filesystem
        if path.rpartition("/")[2] in SHELLS and path.rpartition("/")[0] in SHELL_FOLDERS
    )


def without_shells(reference: str, filesystem: Mapping[str, Entry]) -> Outcome:
    """Nobody who gets into a container of the application finds a shell there: it needs none."""
    wanted = "no shell in an image of the application"
    if not any(each.is_file for each in filesystem.values()):
        return unproven(f"{reference} holds no file", wanted=wanted, hint="inv build")
    if found := shells(filesystem):
        return failed(
            f"{reference}: {_some(found)}", wanted=wanted, hint="remove them in the Dockerfile's last stage"
        )
    return passed(f"{reference}: none", wanted=wanted)


@contextmanager
def saved(world: World, images: Iterable[Image]) -> Iterator[Archive]:
    """The images in one archive, which is gone afterwards."""
    references = [image.reference(world.settings.tag) for image in images]
    missing = [each for each in references if world.docker.image(each) is None]
    if missing:
        raise Unmeasurable(f"the build engine holds no {', '.join(missing)}", hint="inv build")
    with tempfile.TemporaryDirectory(prefix="todo-images-") as scratch:
        file = Path(scratch) / "images.tar"
        world.docker.save(references, file)
        with Archive(file) as archive:
            yield archive


def filesystem(layers: Sequence[Layer]) -> dict[str, Entry]:
    return merged([layer.entries for layer in layers])


def _some(listed: Sequence[str]) -> str:
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return "; ".join(listed[:SHOWN]) + more


def of_this_run(world: World) -> dict[str, bytes]:
    """The secrets of the running application and of the settings, by a name that may be told; none where none runs."""
    from runbook.app.application import DATABASE_NAMESPACE, REDIS_SECRET, SECRET
    from runbook.app.secrets import secret_data

    values = {
        "OPENAI_API_KEY": world.settings.openai_api_key.get_secret_value(),
        "TODO_DATABASE_URL": world.settings.database_url.get_secret_value(),
    }
    places = (
        (SECRET, world.settings.namespace),
        (REDIS_SECRET, world.settings.namespace),
        (secret_data.ROLES_SECRET, DATABASE_NAMESPACE),
        (secret_data.TLS_SECRET, DATABASE_NAMESPACE),
    )
    with suppress(Unmeasurable):
        for name, namespace in places:
            data = secret_data.read(world, name, namespace)
            values |= {f"{name}/{key}": value for key, value in data.items() if not key.endswith(".crt")}
    return {name: part for name, value in values.items() if (part := _secret_part(value))}


def _secret_part(value: str) -> bytes:
    """Of a URL its password, of a key file its body: that part is found in other forms as well."""
    if "-----BEGIN" in value:
        value = "".join(value.splitlines()[1:2])
    elif "://" in value:
        value = unquote(urlsplit(value).password or "")
    return value.encode() if len(value) >= SHORTEST else b""
