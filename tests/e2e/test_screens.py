"""Pictures of every main page, to be looked at: ``make screens`` (it checks nothing but that they open)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from .tour import arrive, tour
from .waiting import no_dialog
from .world import World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("WAREVISION_SCREENS" not in os.environ, reason="make screens"),
]

# name → language, theme, size
LOOKS: dict[str, tuple[str, str, tuple[int, int]]] = {
    "zh": ("zh", "light", (1280, 720)),
    "dark": ("zh", "dark", (1280, 720)),
    "tall": ("zh", "light", (1280, 2200)),
    "dark-tall": ("zh", "dark", (1280, 2200)),
    "en": ("en", "light", (1280, 720)),
    "ja-tablet": ("ja", "light", (1024, 768)),
}


def speak(page: Page, language: str) -> None:
    page.get_by_test_id("account-menu").click()
    with page.expect_response("**/api/v1/me"):
        page.get_by_test_id(f"language-{language}").click()
    page.keyboard.press("Escape")


@pytest.mark.parametrize("look", os.environ.get("WAREVISION_SCREENS", "").split(",") or LOOKS)
def test_screens(
    look: str, full: World, sign_in: Callable[[str], Page], live_server: Any, shots: Path
) -> None:
    language, theme, (width, height) = LOOKS[look]
    folder = shots / look
    folder.mkdir(exist_ok=True)
    wanted = os.environ.get("WAREVISION_SCREENS_OF", "")
    speaking = set()
    for stop, page in tour(full, sign_in, live_server.url, lambda s: s.name.startswith(wanted)):
        if stop.who not in speaking:
            if stop.press:
                page.keyboard.press("Escape")
                no_dialog(page)
            speak(page, language)
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": height})
            arrive(page, stop, live_server.url)
            speaking.add(stop.who)
        page.screenshot(path=folder / f"{stop.name}.png")
