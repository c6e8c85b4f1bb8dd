"""The journal of a cluster: what each run saw, line by line as it goes; a killed run leaves all but its last word.

One JSON object a line. A line that was torn by a crash is passed over when read and closed before the next is written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runbook.engine import state_file
from runbook.engine.events import Mode, Result
from runbook.engine.plan import Plan
from runbook.engine.redaction import redacted
from runbook.engine.step import Outcome, Status

LARGEST = 4_000_000
"""Bytes beyond which a new run first shortens the journal to the last entry of each step."""


@dataclass(frozen=True, slots=True)
class Place:
    """The cluster that an outcome is about: its provider, the UID of its kube-system, and our installation on it."""

    provider: str = ""
    cluster: str = ""
    installation: str = ""

    def is_here(self, here: Place) -> bool:
        """Whether both are the same cluster, and that cluster is known."""
        return bool(self.cluster) and self == here


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Entry:
    """The last that is known of a step."""

    step: str
    at: str
    outcome: Outcome
    fingerprint: str = ""
    place: Place = NOWHERE


class Journal:
    """Appends and reads `journal.jsonl` in the state folder of a cluster.

    `place` says on which cluster the run works now; nowhere before there is one.
    """

    def __init__(self, path: Path, place: Callable[[], Place] = Place) -> None:
        self.path = path
        self._place = place
        self._run = ""

    def began(self, plan: Plan, mode: Mode) -> None:
        """A run starts."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._shorten()
        self._run = f"{_now()}/{os.getpid()}"
        self._write({"event": "began", "mode": mode.value, "steps": [step.id for step in plan.steps]})

    def started(self, step_id: str) -> None:
        """A step may change something from now on."""
        self._write({"event": "started", "step": step_id})

    def finished(self, result: Result) -> None:
        """A step has its outcome."""
        outcome = result.outcome
        self._write(
            {
                "event": "finished",
                "step": result.step.id,
                "status": outcome.status.value,
                "observed": outcome.observed,
                "wanted": outcome.wanted,
                "hint": outcome.hint,
                "evidence": outcome.evidence,
                "seconds": round(result.seconds, 3),
                "changed": result.changed,
                "carried": result.carried,
                "fingerprint": result.fingerprint,
                "details": result.details,
                "before": result.before,
                "place": asdict(self._place()),
            }
        )

    def ended(self, exit_code: int) -> None:
        """The run is over."""
        self._write({"event": "ended", "exit_code": exit_code})

    def last(self) -> dict[str, Entry]:
        """The last entry of each step, from all runs.

        A run works on one cluster: what it saw before that was up (a built image) is about the same one.
        """
        found = list(self._finished())
        places = {line.run: line.entry.place for line in found if line.entry.place.cluster}
        return {line.entry.step: replace(line.entry, place=places.get(line.run, NOWHERE)) for line in found}

    def proved(self, step_id: str, fingerprint: str) -> Entry | None:
        """When a drill last passed on exactly this fingerprint and cluster, unless it was found otherwise since."""
        entry, here = None, self._place()
        for line in self._finished():
            seen = line.entry
            if (seen.step, seen.fingerprint, seen.place) == (step_id, fingerprint, here) and not line.carried:
                entry = seen if seen.outcome.green else None
        return entry

    def unwritten(self) -> Unwritten:
        return Unwritten(self.path, self._place)

    def spent(self) -> dict[str, float]:
        """Seconds that each step took when it was last done, or asked, and not carried."""
        return {line.entry.step: line.seconds for line in self._finished() if not line.carried}

    def took(self, steps: Sequence[str]) -> float | None:
        """Seconds of the last run that brought exactly these steps to green; None where there was none."""
        begun: dict[str, str] = {}
        seconds = None
        for line in self._lines():
            run, at = str(line.get("run")), str(line.get("at"))
            if line.get("event") == "began" and line.get("mode") == Mode.APPLY.value:
                if line.get("steps") == list(steps):
                    begun[run] = at
            elif line.get("event") == "ended" and line.get("exit_code") == 0 and run in begun:
                with suppress(ValueError):
                    elapsed = datetime.fromisoformat(at) - datetime.fromisoformat(begun[run])
                    seconds = elapsed.total_seconds()
        return seconds

    def _finished(self) -> Iterator[_Line]:
        """What came of steps, oldest first; lines of another version of this program are passed over."""
        for line in self._lines():
            if line.get("event") == "finished" and (read := _read(line)) is not None:
                yield read

    def _lines(self) -> Iterator[dict[str, Any]]:
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        except OSError as problem:
            raise state_file.unusable(self.path, problem, "read") from None
        for line in text.splitlines():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                continue  # torn by a crash
            if isinstance(value, dict):
                yield value

    def _write(self, fields: Mapping[str, Any]) -> None:
        line = {"at": _now(), "run": self._run, **fields}
        data = (json.dumps(redacted(line), ensure_ascii=False) + "\n").encode()
        try:
            self._append(data)
        except OSError as problem:
            raise state_file.unusable(self.path, problem) from None

    def _append(self, data: bytes) -> None:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                data = b"\n" + data  # the line before was torn
            os.write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _shorten(self) -> None:
        """Keep only the last line of each step once the file has grown large."""
        if not self.path.exists() or self.path.stat().st_size < LARGEST:
            return
        last = {line.entry.step: line.written for line in self._finished()}
        state_file.write(
            self.path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in last.values())
        )


class Unwritten(Journal):
    """The same journal for whoever only looks: it is read, and no line is added."""

    def began(self, plan: Plan, mode: Mode) -> None:
        del plan, mode

    def _write(self, fields: Mapping[str, Any]) -> None:
        del fields


@dataclass(frozen=True, slots=True)
class _Line:
    """One step's end, as it was written and as it is read."""

    entry: Entry
    run: str
    carried: bool
    seconds: float
    written: Mapping[str, Any]


def _read(line: Mapping[str, Any]) -> _Line | None:
    """None where a field is missing or of another kind than we write."""
    step, at, fingerprint = (line.get(name) for name in ("step", "at", "fingerprint"))
    evidence = line.get("evidence")
    words = [line.get(name) for name in ("observed", "wanted", "hint")]
    if not (isinstance(step, str) and isinstance(at, str) and isinstance(evidence, Mapping)):
        return None
    if not (isinstance(fingerprint, str) and all(isinstance(word, str) for word in words)):
        return None
    try:
        datetime.fromisoformat(at)
        status = Status(str(line.get("status")))
    except ValueError:
        return None
    observed, wanted, hint = map(str, words)
    outcome = Outcome(status, observed, wanted, hint, evidence)
    entry = Entry(step, at, outcome, fingerprint, _place(line))
    seconds = line.get("seconds")
    spent = float(seconds) if isinstance(seconds, int | float) else 0.0
    return _Line(entry, str(line.get("run") or ""), bool(line.get("carried")), spent, line)


def _place(line: Mapping[str, Any]) -> Place:
    """Of a finished step; nowhere in the journal of an older version."""
    told = line.get("place")
    if not isinstance(told, Mapping):
        return NOWHERE
    return Place(**{name: str(told.get(name) or "") for name in Place.__dataclass_fields__})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
