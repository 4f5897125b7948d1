"""Headless Chromium, driven through its pipe by the DevTools protocol."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from roadex.errors import RoadexError

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)


class Page:
    """One open page: scripts, real input events, pictures, and what it asked the network for."""

    def __init__(self, out: int, back: int) -> None:
        self._out, self._back = os.fdopen(out, "wb", 0), os.fdopen(back, "rb")
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []

    def attach(self, width: int, height: int) -> None:
        """Open an empty tab of this size in CSS pixels."""
        target = self.call("Target.createTarget", url="about:blank")
        attached = self.call("Target.attachToTarget", flatten=True, **target)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.resize(width, height)

    def resize(self, width: int, height: int, ratio: float = 1) -> None:
        """A window of this size, with `ratio` screen pixels to each of its own."""
        size = {"width": width, "height": height, "deviceScaleFactor": ratio, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a method of the protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._number:
            self.events.append(answer)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _read(self) -> dict[str, Any]:
        letters = bytearray()
        while (letter := self._back.read(1)) != b"\0":
            assert letter, "the browser has gone"
            letters += letter
        result: dict[str, Any] = json.loads(letters)
        return result

    def open(self, path: Path) -> None:
        """Open a file and wait until it is loaded and drawn."""
        self.events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())
        self.settle()

    def settle(self) -> None:
        """Wait until what was asked for is drawn, with the pause after a movement."""
        self.run("new Promise(done => setTimeout(() => requestAnimationFrame(done), 250))")

    def run(self, script: str) -> Any:
        """The value of an expression in the page, awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """mousePressed, mouseReleased, mouseMoved or mouseWheel at a pixel."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x: float, y: float) -> None:
        """Press and release at a pixel."""
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)

    def key(self, key: str, code: int = 0) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
            )

    def touch(self, kind: str, points: list[tuple[float, float]]) -> None:
        """touchStart, touchMove or touchEnd of fingers at pixels."""
        fingers = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        self.call("Input.dispatchTouchEvent", type=kind, touchPoints=fingers)

    def requests(self) -> list[str]:
        """Addresses asked for since the page was opened, but the file's own and data in it."""
        sent = [e for e in self.events if e.get("method") == "Network.requestWillBeSent"]
        urls = [event["params"]["request"]["url"] for event in sent]
        return [url for url in urls if not url.startswith(("file:", "data:"))]

    def complaints(self) -> list[str]:
        """Errors of the page's scripts and what its policy forbade."""
        wanted = ("Runtime.exceptionThrown", "Log.entryAdded")
        return [json.dumps(e["params"]) for e in self.events if e.get("method") in wanted]


def installed() -> str | None:
    """The program, None where there is none."""
    return shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def chromium(profile: Path, width: int = 1200, height: int = 800) -> Iterator[Page]:
    """A page in a Chromium of its own, which keeps what it writes in the folder `profile`.

    Raises:
        RoadexError: there is no Chromium.
    """
    program = installed()
    if program is None:
        raise RoadexError("no chromium found: install it (apt install chromium)")
    (read_end, out), (back, write_end) = os.pipe(), os.pipe()
    process = subprocess.Popen(
        # Chromium reads from descriptor 3 and writes to 4.
        ["bash", "-c", f'exec "$@" 3<&{read_end} 4>&{write_end}', "bash", program, *FLAGS]
        + [f"--user-data-dir={profile}"],
        pass_fds=(read_end, write_end),
        stderr=subprocess.DEVNULL,
    )
    os.close(read_end)
    os.close(write_end)
    try:
        page = Page(out, back)
        page.attach(width, height)
        yield page
    finally:
        process.terminate()
        process.wait(timeout=20)
