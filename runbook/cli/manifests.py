"""`inv verify.manifests`: find, judge, report, and exit with what came of it."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.cli import manifest_sources
from runbook.cli.manifest_sources import Source
from runbook.clients.kube_score import PART, Choice, KubeScore
from runbook.engine.errors import CommandFailed, UsageError
from runbook.report import files as report_files
from runbook.report.writer import Writer
from runbook.world import World

if TYPE_CHECKING:
    from runbook.engine.settings import Settings

OUR_CHOICE = Path("charts/kube-score.yaml")
THEIR_CHOICE = Path(__file__).with_name("kube-score.yaml")
CRITICAL, WARNING = 1, 5
"""Its grades: this or worse."""


@dataclass(slots=True)
class Judgement:
    """`objects`: what kube-score says of each object, by source. `unjudged`: what could not be read, and why."""

    score: KubeScore
    choice: Choice
    scratch: Path
    objects: dict[Source, list[dict[str, Any]]] = field(default_factory=dict)
    unjudged: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def count(self, worst: int, best: int = 0) -> int:
        """Failed checks whose grade lies above `best` and is at most `worst`."""
        return sum(
            best < int(check["grade"]) <= worst
            for objects in self.objects.values()
            for each in objects
            for check in each["checks"]
            if not check["skipped"]
        )

    @property
    def exit_code(self) -> int:
        """1 for something critical, 3 where anything or everything could not be judged, else 0."""
        if self.count(CRITICAL):
            return 1
        return 0 if any(self.objects.values()) and not self.unjudged else 3

    def readable(self, text: str) -> str:
        """Rendered objects by the name of what they were rendered from, files as the user may open them."""
        text = text.replace(f"{self.scratch}/{manifest_sources.ABSOLUTE}/", "/").replace(
            f"{self.scratch}/", ""
        )
        return text.replace(f"file://{Path.cwd()}/", "").replace(f"{Path.cwd()}/", "")


def verify(
    chosen: Settings,
    path: str = "",
    *,
    config: str = "",
    values: Sequence[str] = (),
    json: bool = False,
    files: Sequence[str] = (),
) -> None:
    """Judge the manifests at a path ("-": standard input), or without one our own charts. Asks no cluster.

    Exits with 0, 1 (something critical), 2 (bad input) or 3 (something could not be judged).
    """
    if values and not path:
        raise UsageError("--values without --path", wanted="a chart for the values files")
    writers = report_files.writers(files, {".sarif": _sarif, ".xml": _junit, ".json": _json})
    world = World.of(chosen)
    # Built on first use (some 15 seconds, once) where PATH has none.
    score = KubeScore(world.commands, lambda: world.clients.built(PART, Writer(sys.stderr).line))
    with tempfile.TemporaryDirectory(prefix="manifests-") as folder:
        scratch = Path(folder).resolve()
        found = _find(world, path, values, scratch)
        choice = score.choice(
            Path(config) if config else THEIR_CHOICE if path else chosen.project / OUR_CHOICE
        )
        judgement = judge(score, choice, found, scratch)
        for write in writers:
            write(judgement)
        writer = Writer(sys.stdout)
        if json:
            writer.line(_json(judgement))
        else:
            show(judgement, writer)
    sys.exit(judgement.exit_code)


def _find(world: World, path: str, values: Sequence[str], scratch: Path) -> manifest_sources.Found:
    if path == "-":
        found = manifest_sources.Found()
        found.render("standard input", scratch, sys.stdin.read)
        return found
    if path:
        return manifest_sources.theirs(world, Path(path), [Path(each) for each in values], scratch)
    return manifest_sources.ours(world, scratch)


def judge(score: KubeScore, choice: Choice, found: manifest_sources.Found, scratch: Path) -> Judgement:
    """Each source by itself, side by side: what one release holds is not another's."""
    judgement = Judgement(score, choice, scratch, unjudged=dict(found.unread), skipped=dict(found.skipped))
    _ = score.binary  # built once, not by each thread
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for source, objects, bad in pool.map(lambda each: _judged(score, choice, each), found.sources):
            judgement.objects[source] = objects
            for file in _without_objects(source, objects):
                judgement.skipped[judgement.readable(str(file))] = "no object that kube-score judges"
            judgement.unjudged |= {judgement.readable(str(file)): why for file, why in bad.items()}
    return judgement


def _without_objects(source: Source, objects: Sequence[dict[str, Any]]) -> Iterator[Path]:
    """Of several files those that nothing was found in; objects of a rendered chart name their template instead."""
    known = {str(each["file_name"]) for each in objects}
    for file in source.files:
        if not objects or (len(source.files) > 1 and str(file) not in known):
            yield file


def _judged(
    score: KubeScore, choice: Choice, source: Source
) -> tuple[Source, list[dict[str, Any]], dict[Path, str]]:
    """One unreadable file does not keep the others from being judged."""
    try:
        return source, score.score(source.files, choice), {}
    except CommandFailed as error:
        if len(source.files) == 1:
            return Source(source.title, ()), [], {source.files[0]: error.observed}
    bad: dict[Path, str] = {}
    for file in source.files:
        try:
            score.score((file,), choice)
        except CommandFailed as error:
            bad[file] = error.observed
    good = tuple(file for file in source.files if file not in bad)
    return Source(source.title, good), score.score(good, choice) if good else [], bad


def show(judgement: Judgement, out: Writer) -> None:
    """kube-score's own report of each source, then what could not be judged, and the figures."""
    for source, found in judgement.objects.items():
        if found:
            text = judgement.score.text(source.files, judgement.choice, "human", colour=out.is_terminal)
            out.line(f"{judgement.readable(source.title)}\n{judgement.readable(text).rstrip()}\n")
    for title, why in {**judgement.unjudged, **judgement.skipped}.items():
        word = "could not be judged" if title in judgement.unjudged else "skipped"
        out.line(f"{word}: {title}: {why}")
    objects = sum(map(len, judgement.objects.values()))
    if not objects:
        out.line("no object that kube-score judges was found")
    critical, warnings = judgement.count(CRITICAL), judgement.count(WARNING, CRITICAL)
    out.line(
        f"critical {critical}, warning {warnings}, could not be judged {len(judgement.unjudged)}; objects {objects}"
    )
    for test, reason in judgement.choice.disable.items():
        out.line(f"disabled: {test}: {reason}")


def _texts(judgement: Judgement, form: str) -> list[str]:
    return [
        judgement.readable(judgement.score.text(source.files, judgement.choice, form))
        for source, objects in judgement.objects.items()
        if objects
    ]


def _json(judgement: Judgement) -> str:
    document = {
        "schema": 1,
        "sources": [
            {"title": source.title, "objects": objects} for source, objects in judgement.objects.items()
        ],
        "unjudged": judgement.unjudged,
        "skipped": judgement.skipped,
        "disabled": dict(judgement.choice.disable),
        "exit_code": judgement.exit_code,
    }
    return judgement.readable(json.dumps(document, indent=2))


def _sarif(judgement: Judgement) -> str:
    """One run for each source; what could not be judged is a notification of its own run."""
    runs = [run for text in _texts(judgement, "sarif") for run in json.loads(text)["runs"]]
    if judgement.unjudged:
        notifications = [
            {"level": "error", "message": {"text": f"{title} could not be judged: {why}"}}
            for title, why in judgement.unjudged.items()
        ]
        invocation = {"executionSuccessful": False, "toolExecutionNotifications": notifications}
        runs.append({"tool": {"driver": {"name": "kube-score"}}, "invocations": [invocation], "results": []})
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    text = json.dumps({"$schema": schema, "version": "2.1.0", "runs": runs}, indent=2)
    return text.replace('"file:///', '"file:/./').replace('"file://', '"').replace('"file:/./', '"file:///')


def _junit(judgement: Judgement) -> str:
    root = ET.Element("testsuites", name="kube-score")
    for text in _texts(judgement, "junit"):
        root.extend(ET.fromstring(text))  # noqa: S314 (it is kube-score's own output)
    if judgement.unjudged:
        suite = ET.SubElement(
            root, "testsuite", name="could not be judged", errors=str(len(judgement.unjudged))
        )
        for title, why in judgement.unjudged.items():
            case = ET.SubElement(suite, "testcase", name=title)
            ET.SubElement(case, "error", message=why)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)
