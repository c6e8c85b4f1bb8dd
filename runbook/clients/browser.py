"""A headless Chromium that is already on the machine, driven by Playwright; no browser is ever downloaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.clients.process.remedies import how_to_install
from runbook.clients.target import HTTP_PORT, HTTPS_PORT, Target
from runbook.engine.errors import CommandMissing, Unmeasurable
from runbook.engine.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request, Response

    from runbook.clients.process.commands import Commands

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge")
PLACES = (
    Path("/usr/bin/chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("C:/Program Files/Google/Chrome/Application/chrome.exe"),
)

QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""No traffic but that of the page."""

VIEW = (1280, 900)
FIRST_ERROR = 400
ABORTED = "net::ERR_ABORTED"
"""The page itself dropped a request, such as a prefetch when it is left: nothing a person would miss."""
TIMEOUT = 30.0


class Browser:
    """Opens pages of the application by its host name, which Chromium itself maps to the ingress address."""

    def __init__(self, settings: Settings, cluster: Target, commands: Commands) -> None:
        self._settings = settings
        self._cluster = cluster
        self._commands = commands

    def executable(self) -> Path:
        """The browser that will be used. Raises `CommandMissing`."""
        for name in NAMES:
            if found := self._commands.find(name):
                return found
        for place in PLACES:
            if place.exists():
                return place
        raise CommandMissing(
            "no Chromium or Chrome is on this machine",
            wanted="a browser to look with",
            hint=how_to_install("chromium"),
        )

    def arguments(self) -> list[str]:
        """Flags of the browser; the host name needs no resolver."""
        own = HTTPS_PORT if self._settings.production else HTTP_PORT
        address, port = self._cluster.ingress_address(own), self._cluster.ingress_port(own)
        rules = f"MAP {self._settings.host} {address}" + ("" if port == own else f":{port}")
        return [*QUIET, *self._trusted(), f"--host-resolver-rules={rules}"]

    def _trusted(self) -> list[str]:
        """Chromium knows no file of authorities: one of the settings' own is trusted by its certificate's key."""
        if not (
            self._settings.production and self._settings.tls_authority and self._settings.tls_certificate
        ):
            return []
        from runbook.clients.web_certificate import key_pin

        return [f"--ignore-certificate-errors-spki-list={key_pin(self._settings)}"]

    @contextmanager
    def page(self, *, timeout: float = TIMEOUT) -> Iterator[Page]:
        """A page in a fresh profile, with the application's address as base. To be used in one thread only.

        Raises `Unmeasurable` where the browser cannot be started.
        """
        from playwright.sync_api import Error, sync_playwright

        executable = self.executable()
        # Chromium refuses its own sandbox to root.
        sandbox = os.geteuid() != 0
        with sync_playwright() as playwright:
            try:
                browser = playwright.chromium.launch(
                    executable_path=executable,
                    headless=True,
                    chromium_sandbox=sandbox,
                    args=self.arguments(),
                    timeout=timeout * 1000,
                )
            except Error as problem:
                raise Unmeasurable(
                    f"{executable} could not be started: {problem.message.splitlines()[0]}",
                    wanted="a browser to look with",
                    hint=f"{executable} --version",
                ) from None
            try:
                context = browser.new_context(
                    base_url=self._settings.url,
                    viewport={"width": VIEW[0], "height": VIEW[1]},
                    locale="en-GB",
                    service_workers="block",
                )
                context.set_default_timeout(timeout * 1000)
                yield context.new_page()
            finally:
                browser.close()


def listen(page: Page, problems: list[str]) -> None:
    """Collect what a person would see in the developer tools: errors, and answers of 400 and above."""

    def on_response(response: Response) -> None:
        if response.status >= FIRST_ERROR:
            problems.append(f"{response.request.method} {response.url} was answered {response.status}")

    page.on("pageerror", lambda error: problems.append(f"the page threw {error.message}"))
    page.on("response", on_response)

    def on_failure(request: Request) -> None:
        if request.failure != ABORTED:
            problems.append(f"{request.url} could not be loaded: {request.failure}")

    page.on("requestfailed", on_failure)
