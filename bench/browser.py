"""A WareVision of one's own with a browser before it: an empty installation on SQLite behind
gunicorn as ``manage.py up`` runs it, and Chromium through Playwright."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PASSWORD = "a-long-bench-password"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


def check() -> None:
    """Ends with a reason where there is no browser or no front end."""
    if not CHROMIUM:
        sys.exit("NOT MEASURED: Chromium is not installed (apt-get install chromium)")
    if not (ROOT / "frontend/dist/index.html").is_file():
        sys.exit("NOT MEASURED: the front end is not built (make frontend)")


@contextmanager
def served() -> Iterator[str]:
    """The address of gunicorn on the installation that the environment names."""
    from django.db import connection

    from annotator.pipeline.supervisor import answers, web

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = web("127.0.0.1", port, sqlite=connection.vendor == "sqlite")
    server = subprocess.Popen([*command, "--log-level", "error"], cwd=ROOT)
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while not answers(f"{url}/readyz"):
            if time.monotonic() > deadline or server.poll() is not None:
                sys.exit("NOT MEASURED: the web process did not start")
            time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def page_of(url: str, username: str, **context: Any) -> Iterator[Any]:
    """A page of Chromium, signed in."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(
            viewport={"width": 1280, "height": 720}, locale="zh-CN", **context
        ).new_page()
        page.goto(url)
        page.get_by_test_id("login-username").fill(username)
        page.get_by_test_id("login-password").fill(PASSWORD)
        page.get_by_test_id("login-submit").click()
        page.get_by_test_id("account-menu").wait_for()
        yield page
        browser.close()
