"""The browser: found where it is, told where the host is, quiet."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.clients import browser
from runbook.clients.browser import Browser
from runbook.clients.process.remedies import how_to_install
from runbook.engine.errors import CommandMissing
from runbook.engine.settings import Settings
from tests.fakes.worlds import FakeCluster


class Found:
    def __init__(self, *names: str) -> None:
        self.names = names

    def find(self, name: str) -> Path | None:
        return Path("/usr/bin") / name if name in self.names else None


def make(*names: str) -> Browser:
    return Browser(Settings(), FakeCluster(), Found(*names))  # type: ignore[arg-type]


def test_chromium_comes_first() -> None:
    assert make("google-chrome", "chromium").executable() == Path("/usr/bin/chromium")
    assert make("google-chrome").executable() == Path("/usr/bin/google-chrome")


def test_without_any_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "PLACES", ())
    with pytest.raises(CommandMissing) as caught:
        make().executable()
    assert caught.value.hint == how_to_install("chromium")


def test_the_host_needs_no_resolver_and_nothing_else_is_asked() -> None:
    arguments = make().arguments()
    assert "--host-resolver-rules=MAP todo.local 10.0.0.2" in arguments
    assert "--disable-background-networking" in arguments
