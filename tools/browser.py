"""The Dagster UI in headless Chromium, for the browser tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# The first start parses the dbt project and imports everything three times.
START_SECONDS = 240
VIEWPORT = {"width": 1400, "height": 840}

_LOCATIONS = "{workspaceOrError {... on Workspace {locationEntries {loadStatus}}}}"
# Chromium would otherwise contact its maker.
_OFFLINE = (
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"
)  # fmt: skip


def chromium_path() -> str | None:
    """Return the path of an installed Chromium or Chrome, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start headless Chromium.

    Raises:
        RuntimeError: it is not installed.
    """
    from playwright.sync_api import sync_playwright

    path = chromium_path()
    if path is None:
        raise RuntimeError(f"None of {', '.join(NAMES)} is installed.")
    # Chromium's sandbox does not start as root.
    arguments = [*_OFFLINE, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def graphql(url: str, query: str, **variables: Any) -> Any:
    """Send a query to the UI at `url`, and return its data.

    Raises:
        RuntimeError: the query is wrong.
    """
    body = json.dumps({"query": query, "variables": variables}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/graphql", body, headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=120) as response:  # noqa: S310 - our own server
        answer = json.load(response)
    if "errors" in answer:
        raise RuntimeError(str(answer["errors"]))
    return answer["data"]


@contextmanager
def dagster_ui(directory: Path, variables: Mapping[str, str]) -> Iterator[str]:
    """Run `gong-assets dev` in a directory with these variables, and yield the URL of the UI."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {"PATH": os.defpath, "HOME": str(directory), "LANG": "C.UTF-8", **variables}
    command = [str(Path(sys.executable).with_name("gong-assets")), "dev", "--port", str(port)]
    with (directory / "dev.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=directory, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_loaded(url, process)
        yield url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_loaded(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the UI shows the loaded code location."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"gong-assets dev ended with {process.returncode}; see dev.log")
        with suppress(OSError):
            entries = graphql(url, _LOCATIONS)["workspaceOrError"]["locationEntries"]
            if entries and all(entry["loadStatus"] == "LOADED" for entry in entries):
                return
        time.sleep(1)
    raise RuntimeError(f"The Dagster UI did not load within {START_SECONDS} s; see dev.log")
