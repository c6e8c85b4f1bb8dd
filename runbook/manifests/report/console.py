"""Findings for a person: by object, then what to do about each rule."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console
from rich.text import Text

from runbook.manifests.judgement import Finding, Judgement
from runbook.manifests.report.words import examined, headline
from runbook.report.writer import Writer
from runbook.world.redaction import redact

PLAIN_WIDTH = 160
"""Columns where there is no terminal that has any."""


def show(judgement: Judgement, writer: Writer) -> None:
    """Write it; colours on a terminal only."""
    for line in lines(judgement):
        writer.line(_coloured(line) if writer.is_terminal else line.plain)


def lines(judgement: Judgement) -> list[Text]:
    found: list[Text] = []
    everywhere = len(judgement.scenes)
    ordered = sorted(judgement.findings, key=lambda each: (each.item.title, each.rule.id, each.path))
    for title, group in groupby(ordered, key=lambda each: each.item.title):
        listed = list(group)
        found.append(Text.assemble((redact(title), "bold"), (f"  {_file(listed[0])}", "bright_black")))
        found += [_line(each, everywhere) for each in listed]
    remedies = {each.rule.id: each.rule for each in judgement.findings}
    if remedies:
        found.append(Text("\nWhat to do", "bold"))
    for _, rule in sorted(remedies.items()):
        found.append(Text.assemble("  ", (f"{rule.id:<8}", "red"), f"{rule.title}"))
        found.append(Text(f"          {rule.remedy}", "bright_black"))
    if found:
        found.append(Text())
    found += [Text(f"!  {words}", "yellow") for words in judgement.stale]
    for each in judgement.unjudged:
        found.append(
            Text(f"?  {each.title}: {each.rule_id or 'no rule'} could be asked: {each.why}", "yellow")
        )
    colour = {0: "green", 1: "red"}.get(judgement.exit_code, "yellow")
    found.append(Text(headline(judgement), f"bold {colour}"))
    found.append(Text(f"  {examined(judgement)}", "bright_black"))
    return found


def _line(each: Finding, everywhere: int) -> Text:
    where = "" if len(each.renderings) == everywhere else f"  [{', '.join(each.renderings)}]"
    return Text.assemble("  ", (f"{each.rule.id:<8}", "red"), redact(each.place), (where, "bright_black"))


def _file(each: Finding) -> str:
    line = each.item.line_of("")
    return f"{each.item.file}:{line}" if line else each.item.file


def _coloured(line: Text) -> str:
    console = Console(force_terminal=True, width=PLAIN_WIDTH, highlight=False, soft_wrap=True)
    with console.capture() as captured:
        console.print(line, end="")
    return captured.get()
