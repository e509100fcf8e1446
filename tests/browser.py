"""A headless Chromium for tests, driven over a pipe (Chrome DevTools Protocol); skipped where none is installed."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)


def chromium() -> str | None:
    """The browser's program, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One headless browser with one page; what the page loads and complains about is collected."""

    def __init__(self, folder: Path) -> None:
        program = chromium()
        assert program is not None
        ours, self._write = os.pipe()
        self._read, theirs = os.pipe()

        def places() -> None:  # the browser reads from 3 and writes to 4
            first, second = os.dup(ours), os.dup(theirs)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self._process = subprocess.Popen(
            [program, *_FLAGS, f"--user-data-dir={folder}", "about:blank"],
            preexec_fn=places,
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(ours)
        os.close(theirs)
        self._buffer, self._number, self._session = b"", 0, None
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def open(self, page: Path, width: int, height: int = 900) -> None:
        """Load a file at a width in CSS pixels; a phone below 500."""
        self.resize(width, height)
        self.complaints.clear()
        self.requests.clear()
        self._events.clear()
        answer = self._call("Page.navigate", url=page.resolve().as_uri())
        assert "errorText" not in answer, answer["errorText"]
        self._until("Page.loadEventFired")
        self.value("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")

    def resize(self, width: int, height: int = 900) -> None:
        """Give the window another width; a phone below 500."""
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )

    def value(self, expression: str) -> Any:
        """The value of a JavaScript expression on the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """A click with the mouse in the middle of an element."""
        middle = (
            "(e => { e.scrollIntoView({block: 'center', inline: 'center'}); const b = e.getBoundingClientRect();"
            " return [b.x + b.width / 2, b.y + b.height / 2] })"
        )
        x, y = self.value(f"{middle}(document.querySelector({json.dumps(selector)}))")
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def picture(self, file: Path, whole: bool = False) -> None:
        """Save what is seen as PNG; ``whole``: the page to its end."""
        answer = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(answer["data"]))

    def paper(self) -> bytes:
        """The page as it is printed, as a PDF on A4 without backgrounds, which is what people get."""
        size = {"paperWidth": 8.27, "paperHeight": 11.69}
        answer = self._call("Page.printToPDF", printBackground=False, preferCSSPageSize=True, **size)
        return base64.b64decode(answer["data"])

    def media(self, media: str = "", scheme: str = "light") -> None:
        """Show pages as for ``media`` (print, or empty for the screen) in a light or dark ``scheme``."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._call("Emulation.setEmulatedMedia", media=media, features=features)

    def close(self) -> None:
        """End the browser."""
        try:
            self._session = None
            self._call("Browser.close")
            self._process.wait(10)
        except (OSError, AssertionError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait(10)
        os.close(self._read)
        os.close(self._write)

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _until(self, event: str) -> None:
        while not any(told["method"] == event for told in self._events):
            self._next()

    def _next(self) -> dict[str, Any]:
        """The next message; events are kept, complaints and requests noted."""
        end = time.monotonic() + 60.0
        while b"\0" not in self._buffer:
            left = end - time.monotonic()
            assert left > 0 and select.select([self._read], [], [], left)[0], "the browser does not answer"
            data = os.read(self._read, 1 << 20)
            assert data, "the browser has ended"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        message = json.loads(line)
        if "method" in message:
            self._events.append(message)
            told = message["params"]
            match message["method"]:
                case "Runtime.consoleAPICalled" if told["type"] in ("error", "warning", "assert"):
                    self.complaints.append(str(told["args"]))
                case "Runtime.exceptionThrown":
                    self.complaints.append(str(told["exceptionDetails"]))
                case "Log.entryAdded" if told["entry"]["level"] in ("error", "warning"):
                    self.complaints.append(told["entry"]["text"])
                case "Network.requestWillBeSent":
                    self.requests.append(told["request"]["url"])
        return message
