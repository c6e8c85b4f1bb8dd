"""What was asked once in a run and need not be asked again until something changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any


class _Answer:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known = False
        self.value: Any = None


class Memory:
    """Answers by key. Several steps that ask the same at the same time wait for one answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[Hashable, _Answer] = {}

    def once(self, key: Hashable, ask: Callable[[], Any]) -> Any:
        """The remembered answer, or that of `ask`; an exception is passed on and not remembered."""
        with self._lock:
            answer = self._answers.setdefault(key, _Answer())
        with answer.lock:
            if not answer.known:
                answer.value = ask()
                answer.known = True
            return answer.value

    def forget(self) -> None:
        """Ask everything anew; a question under way answers only those who already wait for it."""
        with self._lock:
            self._answers = {}
