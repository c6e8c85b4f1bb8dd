"""The matrix of connections, as a coloured table, as plain lines and for the HTML page.

It is read from a step's evidence, so that every report shows the same, also of a run that is long over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from runbook.engine.events import Result, Run
from runbook.engine.step import Status

SYMBOLS = {"A": "●", "x": "·", "l": "◦", "*": "○", "-": " "}
PLAIN_SYMBOLS = {"A": "A", "x": "x", "l": "l", "*": "o", "-": " "}
LETTERS = {
    "OPEN": "O",
    "SILENT": "S",
    "REFUSED": "R",
    "TIMEOUT": "T",
    "PROHIBITED": "P",
    "DNS": "D",
    "CHECKFAILED": "?",
}
COLOURS = {Status.PASSED.value: "green", Status.FAILED.value: "bold red", Status.UNPROVEN.value: "yellow"}
GAP = 2
"""Characters between columns."""

TOLD = "told"
"""The status of a cell that is not judged."""

FEWEST_COLUMNS = 3
"""Shown side by side however narrow the terminal is."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What is shown of one cell: a symbol, its status and what stands behind it."""

    text: str
    status: str
    title: str


def shown_in(run: Run) -> Mapping[str, Any] | None:
    """The matrix of a run that ends with it, or in which it is not green."""
    for result in run.results:
        matrix = matrix_of(result)
        if matrix and (not result.outcome.green or result is run.results[-1]):
            return matrix
    return None


def matrix_of(result: Result) -> Mapping[str, Any] | None:
    found = result.outcome.evidence.get("matrix")
    return found if isinstance(found, Mapping) else None


def cell(matrix: Mapping[str, Any], row: str, column: str, *, unicode: bool = True) -> Cell:
    """A green cell shows what is wanted; any other one shows what was seen instead."""
    found = matrix["cells"].get(f"{row} {column}")
    if found is None:
        return Cell("", "", "")
    symbols = SYMBOLS if unicode else PLAIN_SYMBOLS
    title = f"{row} to {column}: table {found['hand']}, policies {found['computed']}, seen {' '.join(found['seen'])}"
    if found["hand"] == "*":
        blocked = not {"OPEN", "SILENT", "REFUSED"} & set(found["seen"])
        return Cell(symbols["x" if blocked else "*"], TOLD, title)
    if found["status"] == Status.PASSED:
        return Cell(symbols[found["hand"]], found["status"], title)
    seen = LETTERS.get(found["seen"][-1], "?") if found["seen"] else "?"
    mark = "?" if found["status"] == Status.UNPROVEN else f"{seen}!"
    return Cell(mark, found["status"], "; ".join([title, *found.get("reasons", [])]))


def blocks(matrix: Mapping[str, Any], width: int) -> Iterator[list[str]]:
    """The columns in groups that fit side by side into so many characters."""
    left = max(len(row) for row in matrix["rows"]) + GAP
    group: list[str] = []
    for column in matrix["columns"]:
        wider = [*group, column]
        if left + sum(_widths(wider)) > width and len(group) >= FEWEST_COLUMNS:
            yield group
            group = [column]
        else:
            group = wider
    if group:
        yield group


def _widths(columns: Sequence[str]) -> list[int]:
    return [max(len(part) for part in each) + GAP for each in headings(columns)]


def headings(columns: Sequence[str]) -> list[tuple[str, str]]:
    """For each column the destination and below it the port; a destination is named once for all of its ports."""
    found: list[tuple[str, str]] = []
    before = ""
    for column in columns:
        destination, _, port = column.replace("/", ":").partition(":")
        found.append(("" if destination == before else destination, port))
        before = destination
    return found


def tables(matrix: Mapping[str, Any], width: int, *, unicode: bool = True) -> Iterator[Table]:
    """Coloured tables that fit into the terminal."""
    for group in blocks(matrix, width):
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
        table.add_column("from")
        for destination, port in headings(group):
            table.add_column(f"{destination}\n{port}", no_wrap=True)
        for row in matrix["rows"]:
            cells = [cell(matrix, row, column, unicode=unicode) for column in group]
            table.add_row(row, *(Text(each.text, style=COLOURS.get(each.status, "dim")) for each in cells))
        yield table


def lines(matrix: Mapping[str, Any], width: int = 118, *, unicode: bool = False) -> Iterator[str]:
    """The same as plain lines."""
    left = max(len(row) for row in matrix["rows"]) + GAP
    for number, group in enumerate(blocks(matrix, width)):
        if number:
            yield ""
        widths = _widths(group)
        rows = [
            [cell(matrix, row, column, unicode=unicode).text for column in group] for row in matrix["rows"]
        ]
        above, below = zip(*headings(group), strict=True)
        named = zip(("from", "", *matrix["rows"]), (above, below, *rows), strict=True)
        for name, texts in named:
            padded = (text.ljust(wide) for text, wide in zip(texts, widths, strict=True))
            yield (name.ljust(left) + "".join(padded)).rstrip()


def legend(matrix: Mapping[str, Any], *, unicode: bool = True) -> str:
    symbols = SYMBOLS if unicode else PLAIN_SYMBOLS
    used = {found["hand"] for found in matrix["cells"].values()}
    words = [f"{symbols['A']} open and answered", f"{symbols['x']} blocked"]
    if "l" in used:
        words.append(f"{symbols['l']} listens in its own pod only")
    if "*" in used:
        words.append(f"{symbols['*']} open to its own node, not judged")
    words.append("! not as wanted, by what was seen (O open, R refused, T timeout)")
    words.append("? not measured")
    return ", ".join(words)


def caption(matrix: Mapping[str, Any]) -> str:
    way = "by Dapr's sidecars" if matrix["mode"] == "mesh" else "directly"
    return f"{matrix['ways']} ways, services call each other {way}; measured in {matrix['seconds']} s"


def page(matrix: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the HTML template fills in."""
    columns: Sequence[str] = matrix["columns"]
    return {
        "caption": caption(matrix),
        "legend": legend(matrix),
        "headings": headings(columns),
        "rows": [(row, [cell(matrix, row, column) for column in columns]) for row in matrix["rows"]],
    }
