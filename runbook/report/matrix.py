"""The matrix of connections, as a coloured table, as plain lines and for the HTML page.

It is read from a step's evidence, so that every report shows the same, also of a run that is long over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from runbook.events import Result, Run
from runbook.step import Status

SYMBOLS = {"A": "●", "x": "·", "l": "·", "*": "○", "-": " "}
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
    left = max(len(row) for row in matrix["rows"]) + 2
    group: list[str] = []
    used = left
    for column in matrix["columns"]:
        wide = _width(column)
        if group and used + wide > width and len(group) >= FEWEST_COLUMNS:
            yield group
            group, used = [], left
        group.append(column)
        used += wide
    if group:
        yield group


def _width(column: str) -> int:
    return max(len(part) for part in heading(column)) + 2


def heading(column: str) -> tuple[str, str]:
    """The destination and its port, one above the other."""
    for mark in (":", "/"):
        if mark in column:
            destination, _, port = column.partition(mark)
            return destination, port
    return column, ""


def tables(matrix: Mapping[str, Any], width: int, *, unicode: bool = True) -> Iterator[Table]:
    """Coloured tables that fit into the terminal."""
    for group in blocks(matrix, width):
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column("from")
        for column in group:
            destination, port = heading(column)
            table.add_column(f"{destination}\n{port}", justify="center", no_wrap=True)
        for row in matrix["rows"]:
            cells = [cell(matrix, row, column, unicode=unicode) for column in group]
            table.add_row(row, *(Text(each.text, style=COLOURS.get(each.status, "dim")) for each in cells))
        yield table


def lines(matrix: Mapping[str, Any], width: int = 118, *, unicode: bool = False) -> Iterator[str]:
    """The same as plain lines."""
    left = max(len(row) for row in matrix["rows"]) + 2
    for number, group in enumerate(blocks(matrix, width)):
        if number:
            yield ""
        for level in (0, 1):
            start = "from" if level == 0 else ""
            yield (start.ljust(left) + "".join(heading(c)[level].ljust(_width(c)) for c in group)).rstrip()
        for row in matrix["rows"]:
            cells = (cell(matrix, row, c, unicode=unicode).text.ljust(_width(c)) for c in group)
            yield (row.ljust(left) + "".join(cells)).rstrip()


def legend(matrix: Mapping[str, Any], *, unicode: bool = True) -> str:
    symbols = SYMBOLS if unicode else PLAIN_SYMBOLS
    used = {found["hand"] for found in matrix["cells"].values()}
    words = [f"{symbols['A']} open and answered", f"{symbols['x']} blocked"]
    if "l" in used and not unicode:
        words.append("l listens in its own pod only")
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
        "headings": [heading(column) for column in columns],
        "rows": [(row, [cell(matrix, row, column) for column in columns]) for row in matrix["rows"]],
    }
