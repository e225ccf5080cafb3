"""Hundreds of photos in the browser: a cut network, a reload, zips, quarantine, groups."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from annotator.accounts.models import Project
from annotator.captures.models import Capture, Quarantine
from annotator.labeling.models import Task
from tests.factories import picture_bytes

from .conftest import working
from .waiting import eventually, still

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHOTOS = 200
LET_THROUGH = 5
DONE = """() => {
  const text = document.querySelector('[data-testid=upload-summary]').textContent;
  const found = /(\\d+) \\/ (\\d+)/.exec(text);
  return found && found[1] === found[2];
}"""
STARTED = """() => {
  const text = document.querySelector('[data-testid=upload-summary]')?.textContent ?? '';
  return parseInt(text) > 20;
}"""
# The page asks to be left open as long as a file that waits would not survive its closing.
KEPT = """() => window.dispatchEvent(new Event('beforeunload', {cancelable: true}))"""


@pytest.fixture
def worker(served: None) -> Iterator[None]:
    """Only takes photos in; nobody describes them."""
    with working("bulk"):
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Small photos, two that are one to the eye, and some that are none."""
    root = tmp_path / "photos"
    (root / "cam_top").mkdir(parents=True)
    for n in range(PHOTOS):
        (root / "cam_top" / f"{n:04}.jpg").write_bytes(picture_bytes(n, size=(120, 90)))
    (root / "near.jpg").write_bytes(picture_bytes(0, size=(118, 90), format="PNG"))
    (root / "empty.jpg").write_bytes(b"")
    (root / "words.jpg").write_bytes(b"not a picture")
    (root / "cut.jpg").write_bytes(picture_bytes(1)[:900])
    return root


def shown(page: Page, theme: str, folder: Path, name: str) -> None:
    page.evaluate(
        "theme => document.documentElement.setAttribute('data-mantine-color-scheme', theme)", theme
    )
    still(page)
    page.screenshot(path=folder / f"intake-{name}-{theme}.png")


def open_captures(page: Page, project: Project, live_server: Any, search: str = "") -> None:
    page.goto(f"{live_server.url}/s/{project.site_id}/captures{search}")


def test_an_upload_outlives_a_cut_network_and_a_reload(
    sign_in: Callable[[str], Page], project: Project, live_server: Any, folder: Path, shots: Path
) -> None:
    page = sign_in("adam")
    open_captures(page, project, live_server)
    summary = page.get_by_test_id("upload-summary")
    begun, cut, held = 0, False, list[Route]()

    def hold_the_later(route: Route) -> None:
        """However fast the server is, the network is cut in the middle."""
        nonlocal begun
        begun += 1
        if begun > LET_THROUGH and not cut:
            held.append(route)
        else:
            route.continue_()

    page.route("**/api/v1/captures", hold_the_later)
    page.get_by_test_id("upload-folder").set_input_files(folder)
    page.wait_for_function(STARTED)
    eventually(lambda: len(held) > 0, "a batch on its way", page)
    page.context.set_offline(True)
    cut = True
    for route in held:
        route.abort("internetdisconnected")
    expect(page.get_by_test_id("upload-cut")).to_be_visible()
    shown(page, "light", shots, "cut")
    before = Capture.objects.count()
    assert before < PHOTOS
    page.wait_for_function(KEPT)
    page.unroute("**/api/v1/captures")
    page.context.set_offline(False)
    page.reload()
    expect(summary).to_be_visible()
    page.wait_for_function(DONE)
    assert Capture.objects.count() == PHOTOS + 1 == Task.objects.count()
    assert Quarantine.objects.count() == 3
    assert Capture.objects.filter(cam_type="top").count() == PHOTOS
    shown(page, "light", shots, "done")
    shown(page, "dark", shots, "done")
    # The same folder again costs no more than the question. What had come through when its answer
    # was cut off is known already.
    chip = page.get_by_test_id("upload-only-existing")
    known = int(re.sub(r"\D", "", chip.inner_text()) or 0) if chip.count() else 0
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {request.url}"))
    page.get_by_test_id("upload-folder").set_input_files(folder)
    expect(chip).to_contain_text(str(known + PHOTOS + 1))
    page.wait_for_function(DONE)
    posts = [r for r in sent if r.startswith("POST") and r.endswith("/api/v1/captures")]
    assert len(posts) <= 3, "only the three refused files are sent again"


def test_zips_quarantine_and_groups(
    sign_in: Callable[[str], Page],
    project: Project,
    live_server: Any,
    folder: Path,
    shots: Path,
    tmp_path: Path,
) -> None:
    page = sign_in("adam")
    open_captures(page, project, live_server)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for n in range(12):
            file.writestr(f"a/{n}.jpg", picture_bytes(n, size=(120, 90)))
        file.writestr("a/near.jpg", (folder / "near.jpg").read_bytes())
        file.writestr("../out.jpg", b"x")
        file.writestr("inner.zip", b"PK")
        file.writestr("words.jpg", b"not a picture")
    (tmp_path / "dock.zip").write_bytes(data.getvalue())
    page.get_by_test_id("upload-input").set_input_files(tmp_path / "dock.zip")
    expect(page.locator("[data-testid^='job-']").first).to_contain_text("13")
    expect(page.locator("[data-testid^='capture-']")).to_have_count(13)
    shown(page, "light", shots, "zip")
    page.get_by_test_id("upload-urls").click()
    page.get_by_test_id("urls-text").fill("http://127.0.0.1:1/x.jpg\nhttp://127.0.0.1:1/x.jpg")
    shown(page, "dark", shots, "urls")
    page.get_by_test_id("urls-start").click()
    expect(page.get_by_test_id("urls-text")).to_be_hidden()
    eventually(lambda: Quarantine.objects.count() == 4, "the address's refusal", page)
    page.get_by_test_id("tab-quarantine").click()
    expect(page.get_by_test_id("quarantine-row")).to_have_count(4)
    shown(page, "light", shots, "quarantine")
    page.get_by_test_id("reason-zip_nested").click()
    expect(page.get_by_test_id("quarantine-row")).to_have_count(1)
    page.get_by_test_id("dismiss-reason").click()
    expect(page.get_by_test_id("quarantine-row")).to_have_count(3)
    with page.expect_download() as download:
        page.get_by_test_id("quarantine-list").click()
    assert len(Path(download.value.path()).read_text("utf-8-sig").splitlines()) == 4
    page.get_by_test_id("tab-groups").click()
    page.locator("[data-testid^='group-']").first.click()
    expect(page.get_by_test_id("group-member")).to_have_count(2)
    for language in ("zh-hans", "en", "ja"):
        page.evaluate(
            """language => fetch('/api/v1/me', {method: 'PATCH', headers: {'Content-Type': 'application/json',
               'X-CSRFToken': /csrftoken=([^;]+)/.exec(document.cookie)[1]}, body: JSON.stringify({language})})""",
            language,
        )
        page.reload()
        expect(page.get_by_test_id("group-member")).to_have_count(2)
        shown(page, "dark" if language == "ja" else "light", shots, f"group-{language}")
