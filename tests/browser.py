"""A browser without a window, spoken to over two pipes in the Chrome DevTools protocol."""

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_TO_BROWSER, _FROM_BROWSER = 3, 4
"""Where ``--remote-debugging-pipe`` reads and writes."""


def browser_command() -> str | None:
    """The browser on PATH, if there is one."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Tab:
    """A page in the browser.

    Attributes:
        complaints: errors and warnings of the page's console, scripts that failed, dialogs.
        requests: addresses the page asked for.
    """

    def __init__(self, sender: BinaryIO, receiver: BinaryIO) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._sender, self._receiver = sender, receiver
        self._last = 0
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Ask the browser for something and wait for the answer."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._sender.write(json.dumps(message).encode() + b"\0")
        self._sender.flush()
        while True:
            answer = self._receive()
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                return answer["result"]

    def open(self, path: Path) -> None:
        """Load a file and wait until all its charts are drawn."""
        self.call("Page.navigate", url=path.absolute().as_uri())
        ready = "document.readyState === 'complete' && [...document.querySelectorAll('.plot')]"
        self.wait(f"{ready}.every((plot) => plot.querySelector('.main-svg'))")

    def wait(self, condition: str, seconds: float = 60) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + seconds
        while not self.evaluate(condition):
            assert time.monotonic() < deadline, f"never came true: {condition}"
            time.sleep(0.1)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression on the page, as JSON has it."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def choose(self, selector: str, value: str) -> None:
        """Choose an option of a ``<select>``, as the keyboard does."""
        self.evaluate(
            f"{{const select = document.querySelector({json.dumps(selector)});"
            f"select.value = {json.dumps(value)}; select.dispatchEvent(new Event('change'));}}"
        )

    def move(self, x: float, y: float) -> None:
        """Move the mouse to a place of the window."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, x: float, y: float) -> None:
        """Press and release the mouse's button at a place of the window."""
        for event in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=event, x=x, y=y, button="left", clickCount=1)

    def screenshot(self, path: Path) -> None:
        """Write what is seen as PNG."""
        shot = self.call("Page.captureScreenshot")
        path.write_bytes(base64.b64decode(shot["data"]))

    def _receive(self) -> Any:
        content = bytearray()
        while (byte := self._receiver.read(1)) != b"\0":
            assert byte, "the browser went away"
            content += byte
        message = json.loads(content)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, event: str, about: dict[str, Any]) -> None:
        if event == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(about["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning"):
            self.complaints.append(json.dumps(about["args"]))
        elif event == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            self.complaints.append(about["entry"]["text"])
        elif event == "Page.javascriptDialogOpening":
            self.complaints.append(f"dialog: {about['message']}")
        elif event == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])


@contextmanager
def browser_tab(profile: Path, width: int = 1280, height: int = 900) -> Iterator[Tab]:
    """Start the browser with an empty profile; it ends with the block."""
    command = browser_command()
    assert command is not None
    to_browser, from_browser = os.pipe(), os.pipe()
    for end in (to_browser[0], from_browser[1]):
        os.set_inheritable(end, True)
    # The browser wants its pipes under two fixed numbers, which a shell can give them.
    redirected = f'exec "$@" {_TO_BROWSER}<&{to_browser[0]} {_FROM_BROWSER}>&{from_browser[1]}'
    process = subprocess.Popen(
        [
            "bash", "-c", redirected, "bash", command, "--headless=new", "--no-sandbox",
            "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
            "--disable-background-networking", f"--user-data-dir={profile}",
            f"--window-size={width},{height}", "--remote-debugging-pipe",
        ],
        pass_fds=(to_browser[0], from_browser[1]),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(to_browser[0])
    os.close(from_browser[1])
    try:
        with os.fdopen(to_browser[1], "wb") as sender, os.fdopen(from_browser[0], "rb") as receiver:
            yield Tab(sender, receiver)
    finally:
        process.terminate()
        process.wait(timeout=30)
