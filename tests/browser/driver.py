"""A few WebDriver commands over HTTP: all that the browser tests need, with the standard library alone."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


_STARTED = re.compile(r"started successfully on port (\d+)")


@dataclass(frozen=True, slots=True)
class Browser:
    """One session of headless Chromium."""

    session: str

    def command(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return _http(method, self.session + path, body)

    def open(self, page: Path) -> None:
        assert page.is_file(), page  # else the browser shows a page of its own
        self.command("POST", "/url", {"url": page.resolve().as_uri()})

    def run(self, script: str, *arguments: object) -> Any:
        return self.command("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def cdp(self, name: str, **parameters: object) -> Any:
        return self.command("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def log(self, kind: str) -> list[Mapping[str, Any]]:
        entries: list[Mapping[str, Any]] = self.command("POST", "/se/log", {"type": kind})
        return entries

    def requests(self) -> list[str]:
        """The addresses asked for since the last call."""
        messages = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]

    def scheme(self, name: str) -> None:
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def width(self, pixels: int, height: int = 900) -> None:
        self.cdp("Emulation.setDeviceMetricsOverride", width=pixels, height=height, deviceScaleFactor=1, mobile=True)

    def keys(self, name: str) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            self.cdp("Input.dispatchKeyEvent", type=kind, key=name)

    def move(self, x: float, y: float) -> None:
        self.cdp("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def screenshot(self, path: Path) -> None:
        shot = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))


def _http(method: str, url: str, body: Mapping[str, Any] | None = None) -> Any:
    data = json.dumps(body or {}).encode() if method == "POST" else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as answer:
        return json.load(answer)["value"]


def find(*names: str) -> str:
    """Locate a program; a missing one fails the test, it does not skip it."""
    found = next((path for name in names if (path := shutil.which(name))), None)
    assert found, f"none of {names} is on the PATH: the browser tests need Chromium and its chromedriver"
    return found


@contextmanager
def browser(*, script: bool = True) -> Iterator[Browser]:
    """Start chromedriver and a session with a fresh profile; both are ended on the way out."""
    chromium, chromedriver = find("chromium", "chromium-browser", "google-chrome"), find("chromedriver")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        driver = subprocess.Popen([chromedriver, "--port=0"], stdout=subprocess.PIPE, text=True)
        try:
            started = next((m for line in driver.stdout or () if (m := _STARTED.search(line))), None)
            assert started, "chromedriver did not start"
            root = f"http://127.0.0.1:{started[1]}"
            options: dict[str, Any] = {"binary": chromium, "args": [*FLAGS, f"--user-data-dir={profile}"]}
            if not script:
                options["prefs"] = {"profile.managed_default_content_settings.javascript": 2}
            wanted = {
                "goog:chromeOptions": options,
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
                "unhandledPromptBehavior": "ignore",
            }
            session = _http("POST", f"{root}/session", {"capabilities": {"alwaysMatch": wanted}})
            made = Browser(f"{root}/session/{session['sessionId']}")
            try:
                yield made
            finally:
                made.command("DELETE", "")
        finally:
            driver.terminate()
            driver.wait(timeout=20)
            if driver.stdout:
                driver.stdout.close()
