"""A whole WareVision for browser tests: web, the real recognizer in this process, a worker thread."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, Page, expect

from annotator.accounts import services as accounts
from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.core import outbox

from . import world
from .waiting import ACTION_MS, EXPECT_MS, at_work, eventually

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
PASSWORD = "a-long-test-password"

expect.set_options(timeout=EXPECT_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = []
    if not CHROMIUM:
        missing.append("Chromium is not installed (apt-get install chromium)")
    if not (django_settings.FRONTEND_DIST / "index.html").is_file():
        missing.append("the front end is not built (make frontend)")
    for item in items:
        if "browser" not in item.keywords:
            continue
        # A race costs some lines at the end of the log, not the run; what is wrong fails twice.
        item.add_marker(pytest.mark.flaky(reruns=1))
        if missing:
            if os.environ.get("CI"):
                raise pytest.UsageError("browser tests must run in CI: " + "; ".join(missing))
            item.add_marker(pytest.mark.skip(reason="SKIPPED: " + "; ".join(missing)))


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    quiet += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    return {"executable_path": CHROMIUM, "args": quiet}


@pytest.fixture
def project(transactional_db: None) -> Project:
    site, _ = accounts.ensure_site(slug="depot", name="一号仓")
    # No task comes by chance: stories count on the order.
    project, _ = accounts.ensure_project(
        site=site, slug="main", name="主项目", withhold_rate=0.0, random_share=0.0
    )
    for username, name, role in (
        ("anna", "安娜", Role.ANNOTATOR),
        ("ben", "小本", Role.ANNOTATOR),
        ("rita", "李复核", Role.REVIEWER),
        ("adam", "管理员", Role.ADMIN),
    ):
        user, _ = accounts.create_user(username=username, password=PASSWORD, display_name=name)
        accounts.grant_roles(user=user, site=site, roles=[role])
    return project


@pytest.fixture
def served(live_server: Any) -> Iterator[None]:
    """Ends when every request has been answered, those that pages send as they close among them: the
    tables are emptied after that."""
    lock = threading.Lock()
    under_way, last = 0, 0.0

    def count(by: int) -> Callable[..., None]:
        def heard(**_: Any) -> None:
            nonlocal under_way, last
            with lock:
                under_way += by
                last = time.monotonic()

        return heard

    began, ended = count(1), count(-1)
    request_started.connect(began)
    request_finished.connect(ended)
    yield
    eventually(lambda: under_way <= 0 and time.monotonic() - last > 0.3, "the server's rest")
    request_started.disconnect(began)
    request_finished.disconnect(ended)


@pytest.fixture
def worker(settings: Any, served: None) -> Iterator[Callable[[], None]]:
    """Handles the outbox beside the test; calling it waits until nothing is left to do."""
    from annotator.suggestions.recognizer import forget_recognizer

    settings.RECOGNIZER = "inference.local.LocalRecognizer"
    settings.RECOGNIZER_OPTIONS = {"sites_dir": settings.SITES_DIR}
    forget_recognizer()
    with working("urgent", "normal", "bulk") as settle:
        yield settle
    forget_recognizer()


@contextmanager
def working(*queues: str) -> Iterator[Callable[[], None]]:
    """A thread that handles ``queues``; yields what waits until the outbox is empty."""
    over = threading.Event()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            while not over.is_set():
                if not sum(outbox.drain(queue, limit=8) for queue in queues):
                    time.sleep(0.1)
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    def is_done() -> bool:
        assert not failed, failed
        return not outbox.waiting()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield lambda: eventually(is_done, "the work's end", within_s=300)
    finally:
        over.set()
        thread.join(120)
    assert not thread.is_alive() and not failed, failed


@pytest.fixture
def sign_in(
    browser: Browser, live_server: Any, worker: Callable[[], None]
) -> Iterator[Callable[[str], Page]]:
    """A signed-in page in a browser context of its own."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_page(username: str) -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 720}, locale="zh-CN")
        contexts.append(context)
        context.set_default_timeout(ACTION_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(f"{username}: {error}"))
        page.goto(live_server.url)
        page.get_by_test_id("login-username").fill(username)
        page.get_by_test_id("login-password").fill(PASSWORD)
        page.get_by_test_id("login-submit").click()
        expect(page.get_by_test_id("account-menu")).to_be_visible()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems, problems


@pytest.fixture
def open_page(
    sign_in: Callable[[str], Page], project: Project, live_server: Any
) -> Callable[[], Page]:
    """Opens the labeling page with a photo in work."""

    def go() -> Page:
        page = sign_in("anna")
        page.goto(f"{live_server.url}/p/{project.pk}/label")
        expect(page.get_by_test_id("photo").locator("img").first).to_be_visible()
        at_work(page)
        return page

    return go


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of rendered scenes."""
    folder = tmp_path_factory.mktemp("scenes") / "set"
    command = [sys.executable, "-m", "inference.scenes", str(folder), "--views", "front,top"]
    command += ["--scenes", str(world.SCENES), "--seed", "7"]
    subprocess.run(command, check=True, capture_output=True, cwd=django_settings.BASE_DIR)
    return folder


@pytest.fixture
def full(project: Project, rendered: Path) -> world.World:
    """The project with one of everything (see ``world``)."""
    return world.fill(project, rendered)


@pytest.fixture
def shots() -> Path:
    """Where screenshots go, to be looked at."""
    folder = Path(django_settings.BASE_DIR) / "test-results" / "screens"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
