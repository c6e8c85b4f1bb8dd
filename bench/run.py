"""Times that a person feels, each as a ratio to a yardstick of the same run, so that they compare across machines.

    .venv/bin/python bench/run.py            without a cluster: the command surface
    .venv/bin/python bench/run.py --cluster  also a second deploy and a verify on the deployed cluster

Prints a table: median of the runs in milliseconds, and the ratio to the yardstick named in the row.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

PROJECT = Path(__file__).resolve().parents[1]
INVOKE = [sys.executable, "-m", "invoke"]


def milliseconds(argv: list[str], folder: Path, runs: int) -> float:
    """The median wall time of a whole process; its exit code must be 0."""
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        subprocess.run(
            argv, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL, env=os.environ
        )
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--cluster", action="store_true", help="also time commands that need the deployed cluster"
    )
    parser.add_argument("--runs", type=int, default=15, help="runs of each quick command (default: 15)")
    options = parser.parse_args()

    table = Table("command", "median ms", "ratio", "to")
    with tempfile.TemporaryDirectory() as empty:
        Path(empty, "tasks.py").write_text("from invoke import task\n\n\n@task\ndef nothing(c):\n    pass\n")
        bare = milliseconds([*INVOKE, "--list"], Path(empty), options.runs)
    table.add_row("invoke --list of an empty task file", f"{bare:.0f}", "1.00", "itself")
    for words in (["--list"], ["tasks"]):
        took = milliseconds([*INVOKE, *words], PROJECT, options.runs)
        table.add_row(f"inv {' '.join(words)}", f"{took:.0f}", f"{took / bare:.2f}", "bare Invoke")
    if options.cluster:
        verify = milliseconds([*INVOKE, "verify"], PROJECT, 3)
        table.add_row("inv verify", f"{verify:.0f}", f"{verify / bare:.1f}", "bare Invoke")
        deploy = milliseconds([*INVOKE, "deploy"], PROJECT, 3)
        table.add_row("inv deploy, nothing to do", f"{deploy:.0f}", f"{deploy / verify:.2f}", "inv verify")
    Console().print(table)


if __name__ == "__main__":
    main()
