"""k8s/secrets-template.yaml: the form of the application's Secret, with every key and without any value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from runbook.app.application import SECRET
from runbook.app.blueprint import chart_of
from runbook.app.secrets import secret_data
from runbook.checks.chart.claims import Object
from runbook.checks.chart.rendering import DIRECT, render, variants
from runbook.clients.helm import Values
from runbook.engine.errors import RunbookError
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

PATH = "k8s/secrets-template.yaml"
MAIL = {"frontend": {"mail": {"host": "mail.invalid", "from": "todo@mail.invalid", "user": "todo"}}}
"""Values with which the chart refers to the password of the mail server."""

HINT = f"git checkout -- {PATH}"


def complete(world: World) -> Outcome:
    """It has exactly the keys that the chart refers to and the runbook makes, and each is empty.

    Source: T105, D-24.
    """
    keys = {*secret_data.KEYS, secret_data.MAIL_KEY}
    wanted = f"one Secret {SECRET} with exactly these keys, all empty: {', '.join(sorted(keys))}"
    try:
        template = _read(world)
    except RunbookError as problem:
        return failed(problem.observed, wanted=wanted, hint=HINT)
    found = {**(template.get("data") or {}), **(template.get("stringData") or {})}
    referred = {
        key
        for title, values in [*variants(chart_of(world), DIRECT), ("mail", Values(overrides=MAIL))]
        for each in render(world, title, values)
        for key in _referred(each)
    }
    problems = [
        *(f"it lacks the key {key}" for key in keys if key not in found),
        *(f"the chart refers to the key {key}, which nobody makes" for key in referred - keys),
        *(f"nothing takes the key {key}" for key in found.keys() - referred),
        # A filled-in template is a secret in the repository, however much it looks like an example.
        *(f"the key {key} has a value" for key, value in found.items() if value != ""),
    ]
    name = (template.get("kind"), (template.get("metadata") or {}).get("name"))
    if name != ("Secret", SECRET):
        problems.append(f"it is a {name[0]} named {name[1]}")
    if problems:
        return failed("; ".join(sorted(problems)), wanted=wanted, hint=HINT)
    return passed(f"{len(found)} keys, as the chart refers to them, all empty", wanted=wanted)


def accepted(world: World) -> Outcome:
    """The API server would take it, by a dry run of server-side apply; one with a wrong field it would not.

    Source: T105.
    """
    wanted = "the API server accepts the template, in a dry run"
    template = _read(world)
    template["metadata"]["namespace"] = world.settings.namespace
    answer = world.api.reviews.applied(template)
    # The control: a server that takes anything says nothing.
    bad = world.api.reviews.applied({**template, "stringData": {"a key with spaces": ""}})
    if not answer.accepted:
        return failed(f"the API server refuses it: {answer.words}", wanted=wanted, hint=HINT)
    if bad.accepted:
        return failed("the API server takes a key that is none", wanted=wanted, hint="inv cluster.status")
    return passed("the API server takes it, and refuses one with a key that is none", wanted=wanted)


def _read(world: World) -> dict[str, Any]:
    """Raises `RunbookError` where there is not exactly one object."""
    try:
        objects = [each for each in yaml.safe_load_all((world.settings.project / PATH).read_text()) if each]
    except (OSError, yaml.YAMLError) as problem:
        raise RunbookError(f"{PATH} cannot be read: {' '.join(str(problem).split())}", hint=HINT) from None
    if len(objects) != 1 or not isinstance(objects[0], dict):
        raise RunbookError(f"{PATH} holds {len(objects)} objects, not one", hint=HINT)
    return dict(objects[0])


def _referred(thing: Object) -> list[str]:
    """The keys of the Secret that an object's containers refer to."""
    spec = ((thing.get("spec") or {}).get("template") or {}).get("spec") or {}
    references = [
        (variable.get("valueFrom") or {}).get("secretKeyRef") or {}
        for container in spec.get("containers") or []
        for variable in container.get("env") or []
    ]
    return [str(each["key"]) for each in references if each.get("name") == SECRET]
