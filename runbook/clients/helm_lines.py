"""Lines that Helm writes for people, where it has no JSON: messages of `lint`, the table of `dependency list`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_SEVERITY = re.compile(r"^\[(INFO|WARNING|ERROR)\] (.*)$")
_COLUMNS = 4
"""Name, version, repository and status of a sub-chart."""

_UNLISTED = re.compile(r'^WARNING: "(.+)" is not in Chart\.yaml', re.MULTILINE)
_LINTED = re.compile(r"^(?:Error: )?(\d+) chart\(s\) linted, (\d+) chart\(s\) failed$")


@dataclass(frozen=True, slots=True)
class Finding:
    """One message of `helm lint`; `severity` is info, warning or error."""

    severity: str
    message: str


def lint_findings(text: str) -> tuple[list[Finding], int, int]:
    """Messages of lint (continued lines joined), and how many charts it linted and failed."""
    found: list[Finding] = []
    charts = failures = 0
    for line in text.splitlines():
        if match := _SEVERITY.match(line):
            found.append(Finding(match[1].lower(), match[2].strip()))
        elif match := _LINTED.match(line):
            charts, failures = int(match[1]), int(match[2])
        elif line.strip() and found and not line.startswith(("==>", "Error:")):
            last = found.pop()
            found.append(Finding(last.severity, f"{last.message} {line.strip()}"))
    return found, charts, failures


def dependency_states(text: str) -> dict[str, str]:
    """Status of each sub-chart: a table of four columns, which tabs part, and a warning for what is not listed."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) == _COLUMNS and cells[0] != "NAME":
            found[cells[0]] = cells[-1]
    for path in _UNLISTED.findall(text):
        found.setdefault(Path(path).name, "not in Chart.yaml")
    return found
