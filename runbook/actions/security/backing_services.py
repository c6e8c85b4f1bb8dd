"""Which database and which model the application uses: remembered in the cluster, and changed on request only.

A forgotten `export` would otherwise move the application to another database, where everybody's tasks seem gone, and
send a key to a model that it was not given for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from runbook.app.application import DATABASE_NAMESPACE, MODEL_NAMESPACE, SECRET
from runbook.engine import state_file
from runbook.engine.errors import RunbookError, UsageError
from runbook.engine.settings import database_url
from runbook.engine.settings.values import OPENAI
from runbook.ownership import installation

if TYPE_CHECKING:
    from runbook.engine.settings import Settings
    from runbook.world import World

USES = "todo.runbook/uses"
"""Annotation of the application's Secret: where its database and its model are, without any credential."""

BEFORE = "todo-secrets-before"
"""The Secret that keeps what a change put out of use; no pod reads it."""
KEPT = 20
"""Values that it keeps, the last ones."""

STAND_IN = "the stand-in in this cluster"
OFFLINE = "the offline model in this cluster"
BY_HAND = "the one of the key that was put into the Secret by hand"

DATABASE, MODEL = "database", "model"
VARIABLES = {DATABASE: "TODO_DATABASE_URL", MODEL: "OPENAI_API_KEY and OPENAI_BASE_URL"}


@dataclass(frozen=True, slots=True)
class Backing:
    """Where both are, as it may be shown; empty where it is not known."""

    database: str = ""
    model: str = ""


def wanted(settings: Settings) -> Backing:
    """What the environment says."""
    url = settings.database_url.get_secret_value()
    model = OFFLINE
    if settings.openai_api_key.get_secret_value() or settings.openai_base_url:
        model = _address(settings.openai_base_url or OPENAI)
    return Backing(_place(url) if url else STAND_IN, model)


def remembered(world: World) -> Backing:
    """What the application uses: as the Secret says, else as it was written down here when the cluster was up."""
    try:
        secret = world.api.get("Secret", SECRET, world.settings.namespace)
    except RunbookError:
        secret = None  # no cluster that answers
    noted = _read(_noted(world.settings))
    if secret is None:
        return noted
    written = (secret["metadata"].get("annotations") or {}).get(USES, "")
    try:
        said = _read(json.loads(written)) if written else Backing()
    except (ValueError, RecursionError):
        said = Backing()
    return Backing(said.database or _database_in(world), said.model or _model_in(world, noted.model))


def check(world: World) -> None:
    """Raises `UsageError` where this run would take another database or model, unless it was asked to."""
    now, then = remembered(world), wanted(world.settings)
    for what, before, after in ((DATABASE, now.database, then.database), (MODEL, now.model, then.model)):
        if before and before != after and what not in world.clients.changes:
            raise UsageError(
                f"the application uses as its {what} {before}; by this environment it would be {after}",
                wanted=f"the same {what}, or --change-{what}; nothing was changed",
                hint=f"set {VARIABLES[what]} as before, or: inv deploy --change-{what}  (what the Secret holds now is "
                f"kept in Secret {BEFORE})",
            )


def note(world: World, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of the application's Secret with what it uses written on it."""
    metadata = dict(manifest["metadata"])
    annotations = metadata.get("annotations") or {}
    metadata["annotations"] = {**annotations, USES: json.dumps(asdict(wanted(world.settings)))}
    return {**manifest, "metadata": metadata}


def note_here(world: World) -> None:
    """The same in the state folder, for a run that begins while the cluster is down."""
    state_file.write_json(_note(world.settings), asdict(wanted(world.settings)))


def is_noted(world: World) -> bool:
    secret = world.api.get("Secret", SECRET, world.settings.namespace) or {"metadata": {}}
    said = (secret["metadata"].get("annotations") or {}).get(USES)
    return bool(said == json.dumps(asdict(wanted(world.settings))))


def keep(world: World, values: Mapping[str, str]) -> None:
    """Put values that go out of use where only their owner reads them, each under its key and the time."""
    from runbook.app.secrets.secret_data import opaque, read

    if not values:
        return
    space = world.settings.namespace
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    there = read(world, BEFORE, space)
    fresh = {f"{key}.{stamp}": value for key, value in values.items() if value not in there.values()}
    newest_last = sorted({**there, **fresh}.items(), key=lambda item: item[0].rpartition(".")[2])
    manifest = opaque(BEFORE, space, dict(newest_last[-KEPT:]))
    manifest["metadata"]["labels"] |= installation.labels(world.settings)
    world.api.apply(manifest)
    world.progress(f"what the Secret held before is kept in Secret {BEFORE}")


def is_of_stand_in(url: str) -> bool:
    """Whether a URL leads to our own stand-in."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host.partition(".")[2].startswith(DATABASE_NAMESPACE) or host == "postgres"


def _place(url: str) -> str:
    """Host, port and name of a database; empty for what is no URL."""
    if is_of_stand_in(url):
        return STAND_IN
    try:
        read = database_url.read(url)
    except UsageError:
        return ""
    return f"{read.host.lower()}:{read.port}/{read.database}"


def _address(url: str) -> str:
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{(parts.hostname or '').lower()}{port}{parts.path.rstrip('/')}"


def _database_in(world: World) -> str:
    """As a Secret says that carries no note: one that was filled by hand, or by an older version."""
    from runbook.app.secrets.secret_data import URL_ROLES, read

    there = read(world, SECRET, world.settings.namespace)
    places = [_place(there[key]) for key in URL_ROLES if there.get(key)]
    return next(
        (place for place in places if place and place != STAND_IN), STAND_IN if STAND_IN in places else ""
    )


def _model_in(world: World, noted: str) -> str:
    """As the release says, or as it was `noted` here; else a key in the Secret was put there by a person."""
    from runbook.app.secrets.secret_data import MODEL_KEY, read
    from runbook.clients.kube.releases import revisions

    kept = revisions(world.api, world.settings.release, world.settings.namespace)
    good = [each for each in kept if each.status in {"deployed", "superseded"}]
    if not good and noted:
        return noted
    if not good:
        return BY_HAND if read(world, SECRET, world.settings.namespace).get(MODEL_KEY) else ""
    values = good[-1].values()
    ways = (values.get("global") or {}).get("networkPolicy") or {}
    way = ways.get("model")
    if (
        way is None or way.get("namespace") == MODEL_NAMESPACE
    ):  # the files of values are among a release's own
        return OFFLINE
    return _address(str(((values.get("backend") or {}).get("model") or {}).get("baseUrl") or OPENAI))


def _note(settings: Settings) -> Any:
    return settings.state / "uses.json"


def _noted(settings: Settings) -> Any:
    try:
        return state_file.read_json(_note(settings))
    except RunbookError:
        return None


def _read(content: object) -> Backing:
    if not isinstance(content, Mapping):
        return Backing()
    database, model = content.get(DATABASE), content.get(MODEL)
    return Backing(database if isinstance(database, str) else "", model if isinstance(model, str) else "")
