"""What is to be deployed: charts, values and the digest of it all. Computed alike by the check and by the action.

Whether the release carries Dapr and Redis is read from the live one: a deploy keeps them. The digest covers the chart's
files, the values, the images that the node holds and the Secrets that the pods read. It is kept as a label on the
release's own record, so that "unchanged" is known from one question and nothing is written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from runbook.app import image_specs as sources
from runbook.app.application import (
    BACKEND,
    COMPONENTS,
    DATABASE_NAMESPACE,
    DATABASE_RELEASE,
    MODEL_NAMESPACE,
    MODEL_RELEASE,
    REDIS,
    REDIS_SECRET,
    SECRET,
)
from runbook.app.endpoints import endpoint
from runbook.app.secrets import secret_data
from runbook.clients.helm import Values
from runbook.clients.holdings import Holdings
from runbook.clients.kube.releases import revisions
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings.values import THIS_MACHINE

if TYPE_CHECKING:
    from runbook.engine.settings import Settings
    from runbook.world import World

MADE_FROM = "todo.runbook/secrets"
"""Annotation of a pod: the digest of the Secret that it was made from."""

LABEL_LENGTH = 40
"""Hexadecimal digits of a digest; a label holds at most 63 characters."""
DEVELOPMENT = "values-dev.yaml"
PRODUCTION = "values-prod.yaml"


@dataclass(frozen=True, slots=True)
class Mode:
    """What the application's release carries besides the application itself."""

    redis: bool = False
    dapr: bool = False


@dataclass(frozen=True, slots=True)
class Blueprint:
    """One release as it should be."""

    release: str
    namespace: str
    chart: Path
    values: Values
    digest: str


def environment(world: World) -> str:
    """`dev` or `prod`, as the last revision that was deployed has it; without any: as the settings say."""
    given = _live(world)
    if given is None:
        return world.settings.env
    return "prod" if (given.get("global") or {}).get("scheme") == "https" else "dev"


def environment_problem(world: World) -> str:
    """Why the release is not to be touched by these settings: it belongs to the other environment."""
    live, settings = environment(world), world.settings
    if live == settings.env:
        return ""
    words = {"dev": "development", "prod": "production"}
    return (
        f"release {settings.release} in namespace {settings.namespace} is one of {words[live]},"
        f" not of {words[settings.env]}"
    )


def _live(world: World) -> Mapping[str, Any] | None:
    """The values of the last revision that was deployed."""
    kept = revisions(world.api, world.settings.release, world.settings.namespace)
    good = [each for each in kept if each.status in {"deployed", "superseded"}]
    return good[-1].values() if good else None


def mode(world: World) -> Mode:
    """As the last revision that was deployed has it; without any: the application alone, in production with Redis."""
    given = _live(world)
    if given is None:
        return Mode(redis=world.settings.production)
    shared = (given.get("global") or {}).get("dapr") or {}
    return Mode(
        redis=(given.get(REDIS) or {}).get("enabled") is True,
        dapr=shared.get("enabled") is True,
    )


def application(world: World, wanted: Mode | None = None) -> Blueprint:
    """The application's release, in the live mode unless another is wanted.

    Raises `Unmeasurable` where the node does not hold its images.
    """
    settings = world.settings
    wanted = wanted or mode(world)
    secret = secret_data.digest(world, SECRET, settings.namespace)
    chart = chart_of(world)
    overrides: dict[str, Any] = {"global": {"host": settings.host, "imageTag": settings.tag}}
    ways: dict[str, Any] = _ways_to_stand_ins(chart) if settings.production else {}
    if database := settings.database_url.get_secret_value():
        ways["database"] = endpoint(database, "postgresql")
    if settings.openai_api_key.get_secret_value() or settings.openai_base_url:
        ways["model"] = endpoint(model_address(world))
    if ways:
        overrides["global"]["networkPolicy"] = ways
    overrides["global"] |= _from_registry(settings)
    for component in COMPONENTS:
        held = _held(world, component.image)
        overrides[component.name] = {"podAnnotations": _identity(held, secret)} | _by_digest(settings, held)
    password = secret_data.digest(world, REDIS_SECRET, settings.namespace)
    if settings.production:  # whose values turn both on
        overrides["global"]["dapr"] = {"enabled": wanted.dapr}
        overrides[REDIS] = {"enabled": wanted.redis}
    if wanted.redis:
        held = _held(world, sources.REDIS.name)
        overrides[REDIS] = {"enabled": True, "podAnnotations": _identity(held, password)}
        overrides[REDIS] |= _by_digest(settings, held)
    if wanted.dapr:
        overrides["global"]["dapr"] = {"enabled": True}
        # The sidecar reads the password when it starts.
        overrides[BACKEND.name]["podAnnotations"]["todo.runbook/state-store"] = password
    if settings.openai_api_key.get_secret_value() or settings.openai_base_url:
        overrides["backend"]["model"] = {"baseUrl": model_address(world), "name": settings.openai_model}
    elif settings.production:
        overrides["backend"]["model"] = _development(chart)["backend"]["model"]
    file = chart / (PRODUCTION if settings.production else DEVELOPMENT)
    return _blueprint(settings.release, settings.namespace, chart, (file,), overrides)


def chart_of(world: World) -> Path:
    """The folder of the application's chart."""
    return world.settings.project / "charts" / "todo-app"


def model_address(world: World) -> str:
    """The base URL of the user's model as pods use it: one on this machine has the address by which they reach it."""
    url = world.settings.openai_base_url
    if urlsplit(url).hostname != THIS_MACHINE:
        return url
    return url.replace(THIS_MACHINE, world.cluster.machine_address(), 1)


def _development(chart: Path) -> dict[str, Any]:
    """The values of development, which say where the stand-ins are."""
    import yaml

    found: dict[str, Any] = yaml.safe_load((chart / DEVELOPMENT).read_text())
    return found


def _ways_to_stand_ins(chart: Path) -> dict[str, Any]:
    return dict(_development(chart)["global"]["networkPolicy"])


def stand_ins(world: World) -> list[Blueprint]:
    """The releases that take the place of services outside: none where real ones are given."""
    settings, found = world.settings, []
    charts = settings.project / "charts"
    clients = {"clients": {"namespace": settings.namespace}}
    if not settings.database_url.get_secret_value():
        # Its roles are not of it: passwords change while the server runs (see actions/roles.py).
        secret = secret_data.digest(world, secret_data.TLS_SECRET, DATABASE_NAMESPACE)
        overrides = {
            "image": _stand_in_image(world, "todo-postgres"),
            "podAnnotations": _identity(_held(world, "todo-postgres"), secret),
            "networkPolicy": clients,
        }
        found.append(_blueprint(DATABASE_RELEASE, DATABASE_NAMESPACE, charts / "postgres", (), overrides))
    if not settings.openai_api_key.get_secret_value():
        overrides = {
            "image": _stand_in_image(world, "todo-offline-model"),
            "podAnnotations": _identity(_held(world, "todo-offline-model")),
            "networkPolicy": clients,
        }
        found.append(_blueprint(MODEL_RELEASE, MODEL_NAMESPACE, charts / "offline-model", (), overrides))
    return found


def _from_registry(settings: Settings) -> dict[str, Any]:
    """What all images of the application's chart have in common where the nodes take them from a registry."""
    if not settings.registry:
        return {}
    pull = [{"name": settings.pull_secret}] if settings.pull_secret else []
    policy = {} if settings.production else {"imagePullPolicy": "IfNotPresent"}
    return {"imageRegistry": settings.registry, "imagePullSecrets": pull} | policy


def _by_digest(settings: Settings, held: str) -> dict[str, Any]:
    return {"image": {"digest": held}} if settings.registry else {}


def _stand_in_image(world: World, name: str) -> dict[str, Any]:
    settings = world.settings
    if not settings.registry:
        return {"tag": settings.tag}
    return {
        "repository": f"{settings.registry}/{name}",
        "digest": _held(world, name),
        "pullPolicy": "IfNotPresent",
        "pullSecrets": [{"name": settings.pull_secret}] if settings.pull_secret else [],
    }


def _identity(image: str, secret: str = "") -> dict[str, str]:
    """Annotations of the pods: another image under the same tag, or another Secret, rolls them."""
    return {"todo.runbook/image-id": image} | ({MADE_FROM: secret} if secret else {})


def _held(world: World, image: str) -> str:
    """What the node holds under the image's name now."""
    reference = f"{image}:{world.settings.tag}"
    found = holdings(world).image(reference)
    if found is None:
        raise Unmeasurable(
            f"not every node holds the image {reference}, and the same one",
            wanted="the image in each node",
            hint="inv deploy",
        )
    return found.id


def holdings(world: World) -> Holdings:
    """What the nodes hold, asked once."""
    references = [image.reference(world.settings.tag) for image in sources.IMAGES]
    return world.once("holdings", lambda: world.cluster.holdings(references))


def _blueprint(
    release: str, namespace: str, chart: Path, files: tuple[Path, ...], overrides: Mapping[str, Any]
) -> Blueprint:
    parts = [f"{path}={digest}" for path, digest in _files(chart)]
    parts += [path.name for path in files]
    parts += [release, namespace, json.dumps(overrides, sort_keys=True)]
    return Blueprint(release, namespace, chart, Values(files, overrides), _combined(parts))


def _files(chart: Path) -> Iterable[tuple[str, str]]:
    for path in sorted(chart.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(chart)), hashlib.sha256(path.read_bytes()).hexdigest()


def _combined(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:LABEL_LENGTH]
