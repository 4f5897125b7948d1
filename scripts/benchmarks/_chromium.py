"""Headless Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, sync_playwright

from roadex.errors import RoadexError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


class Page:
    """One open page, and what it asked the network for and complained of.

    Attributes:
        mouse, keyboard: Playwright's own, for real input events.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.page = context.new_page()
        self.mouse, self.keyboard = self.page.mouse, self.page.keyboard
        self._protocol = context.new_cdp_session(self.page)
        self._requests: list[str] = []
        self._complaints: list[str] = []
        self.page.on("request", lambda request: self._requests.append(request.url))
        self.page.on("pageerror", lambda error: self._complaints.append(str(error)))
        # What the page's policy forbade, and files that are not there.
        self._protocol.send("Log.enable")
        self._protocol.on("Log.entryAdded", lambda entry: self._complaints.append(str(entry)))

    def resize(self, width: int, height: int, ratio: float = 1) -> None:
        """A window of this size in CSS pixels, with `ratio` screen pixels to each."""
        size = {"width": width, "height": height, "deviceScaleFactor": ratio, "mobile": False}
        self._protocol.send("Emulation.setDeviceMetricsOverride", size)

    def open(self, path: Path) -> None:
        """Open a file and wait until it is loaded and drawn."""
        self._requests.clear()
        self._complaints.clear()
        self.page.goto(path.resolve().as_uri())
        self.settle()

    def settle(self) -> None:
        """Wait until what was asked for is drawn, with the pause after a movement."""
        self.run("new Promise(done => setTimeout(() => requestAnimationFrame(done), 250))")

    def run(self, script: str) -> Any:
        """The value of an expression in the page, awaited."""
        return self.page.evaluate(script)

    def touch(self, kind: str, points: list[tuple[float, float]]) -> None:
        """touchStart, touchMove or touchEnd of fingers at pixels."""
        fingers = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        event = {"type": kind, "touchPoints": fingers}
        self._protocol.send("Input.dispatchTouchEvent", event)

    def requests(self) -> list[str]:
        """Addresses asked for since the page was opened, but the file's own and data in it."""
        return [url for url in self._requests if not url.startswith(("file:", "data:"))]

    def complaints(self) -> list[str]:
        """Errors of the page's scripts and what its policy forbade, since it was opened."""
        return list(self._complaints)


@cache
def installed() -> str | None:
    """The browser: the system's, else the one that `playwright install chromium` brought."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is not None:
        return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


@contextmanager
def chromium(width: int = 1200, height: int = 800) -> Iterator[Page]:
    """A page in a Chromium of its own.

    Raises:
        RoadexError: there is no Chromium.
    """
    program = installed()
    if program is None:
        raise RoadexError(
            "no chromium found: install it (apt install chromium, or playwright install chromium)"
        )
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=program) as browser,
    ):
        yield Page(browser.new_context(viewport={"width": width, "height": height}))
