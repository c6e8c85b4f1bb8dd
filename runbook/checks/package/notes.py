"""The notes after an install: true to the release that they speak of, to what is switched on, and silent on secrets."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.app.application import REDIS_SECRET, SECRET
from runbook.app.blueprint import chart_of
from runbook.app.secret_patterns import form_of
from runbook.app.secrets import secret_data
from runbook.clients.helm import Values
from runbook.clients.kube.releases import newest
from runbook.engine.errors import CommandFailed, Unmeasurable
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

WANTED = "notes with the address, commands for this release in its namespace, and what is switched on"

AS_OBJECT = """{{- define "notes-as-object" -}}
%s
{{- end }}
apiVersion: v1
kind: ConfigMap
metadata: { name: notes }
data: { notes: {{ include "notes-as-object" . | toJson }} }
"""
"""A template that holds the notes: Helm shows them after an install only."""

_COMMAND = re.compile(r"^\w+: +((?:helm|kubectl) .*)$", re.MULTILINE)
_OPEN = re.compile(r"^Open: +(\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Switch:
    """What is switched, and what only the notes of a release with it say."""

    name: str
    overrides: Mapping[str, Any]
    says: str


REDIS_ON: dict[str, Any] = {"enabled": True}
SWITCHES = (
    Switch("no Ingress", {"frontend": {"ingress": {"enabled": False}}}, "no Ingress"),
    Switch("a certificate", {"frontend": {"ingress": {"tls": {"secretName": "own-tls"}}}}, '"own-tls"'),
    Switch("Redis", {"redis": REDIS_ON}, f'"{REDIS_SECRET}"'),
    Switch(
        "a Redis that persists", {"redis": {**REDIS_ON, "persistence": {"enabled": True}}}, "data-redis-0"
    ),
    Switch("Dapr", {"global": {"dapr": {"enabled": True}}, "redis": REDIS_ON}, "daprd"),
    Switch("no policies", {"global": {"networkPolicy": {"enabled": False}}}, "No NetworkPolicy"),
)


def rendered(world: World) -> Outcome:
    """Rendered by Helm for a release of another name, elsewhere, under another host, and once more for each switch.

    Source: T095.
    """
    names = {"release": "shop", "namespace": "elsewhere"}
    hint = f"less {chart_of(world) / 'templates' / 'NOTES.txt'}"
    plain: dict[str, Any] = {"global": {"host": "shop.example.org"}}
    with tempfile.TemporaryDirectory(prefix="todo-notes-") as folder:
        chart = Path(folder) / "todo-app"
        shutil.copytree(chart_of(world), chart)
        source = chart / "templates" / "NOTES.txt"
        if not source.is_file():
            return failed("the chart has no notes", wanted=WANTED, hint=hint)
        (chart / "templates" / "notes.yaml").write_text(AS_OBJECT % source.read_text())

        def notes(overrides: Mapping[str, Any]) -> str:
            values = Values(overrides=overrides)
            for each in world.helm.template(chart, **names, values=values):
                if (each["kind"], each["metadata"]["name"]) == ("ConfigMap", "notes"):
                    return str(each["data"]["notes"])
            raise Unmeasurable("Helm renders no notes", wanted=WANTED, hint=hint)

        try:
            text = notes(plain)
            problems = [*_problems(text, **names, url="http://shop.example.org")]
            secure = notes({"global": {"host": "shop.example.org", "scheme": "https"}})
            problems += _problems(secure, **names, url="https://shop.example.org")
            for switch in SWITCHES:
                if switch.says in text:
                    problems.append(f"without {switch.name} they say {switch.says} as well")
                if switch.says not in notes(switch.overrides):
                    problems.append(f"with {switch.name} they do not say {switch.says}")
        except CommandFailed as error:
            return failed(f"the notes do not render: {error.observed}", wanted=WANTED, hint=hint)
    if problems:
        return failed("; ".join(dict.fromkeys(problems)), wanted=WANTED, hint=hint)
    return passed(
        f"{len(text.splitlines())} lines, {len(_COMMAND.findall(text))} commands; {len(SWITCHES)} switches change them",
        wanted=WANTED,
    )


def stored(world: World) -> Outcome:
    """What Helm said after the live revision: the real address and namespace, and no value of a Secret.

    Source: T095.
    """
    settings = world.settings
    hint = f"helm get notes {settings.release} --namespace {settings.namespace}"
    last = newest(world.api, settings.release, settings.namespace)
    if last is None:
        return failed(f"there is no release {settings.release}", wanted=WANTED, hint="inv deploy")
    text = last.notes()
    url = settings.url
    problems = list(_problems(text, release=settings.release, namespace=settings.namespace, url=url))
    if f"revision {last.revision}." not in text and last.description().startswith("Upgrade"):
        problems.append(f"they do not speak of revision {last.revision}")
    if "was not seen" in text:
        problems.append(f"they miss Secret {SECRET}, which is there")
    told = [
        name
        for name in (SECRET, REDIS_SECRET)
        for value in secret_data.read(world, name, settings.namespace).values()
        if value and value in text
    ]
    problems += [f"they tell a value of Secret {name}" for name in dict.fromkeys(told)]
    if problems:
        return failed("; ".join(problems), wanted=WANTED, hint=hint)
    return passed(
        f"revision {last.revision} said: open {url}, watch, test and undo in {settings.namespace}",
        wanted=WANTED,
    )


def _problems(text: str, *, release: str, namespace: str, url: str) -> Iterator[str]:
    if not text.strip():
        yield "there are no notes"
        return
    if url not in _OPEN.findall(text):
        yield f"they do not say where to open it: {url}"
    commands = _COMMAND.findall(text)
    if not commands:
        yield "they name no command"
    for command in commands:
        words = command.split()
        if f"--namespace {namespace}" not in command:
            yield f"`{command}` is for another namespace than {namespace}"
        if words[0] == "helm" and release not in words:
            yield f"`{command}` is for another release than {release}"
    if form := form_of(text):
        yield f"they hold {form}"
