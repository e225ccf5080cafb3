"""WCAG 2.2 AA by axe on every main page, light and dark; motion where none is wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from annotator.accounts.models import Project

from .tour import SKELETON, Stop, tour
from .waiting import still
from .world import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AXE = Path(settings.BASE_DIR) / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = """async (tags) => {
  const only = {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']};
  const {violations} = await axe.run(document, only);
  const why = (node) => [...node.any, ...node.all, ...node.none][0]?.message ?? '';
  return violations.map(({id, impact, help, nodes}) => ({
    id, impact, help, nodes: nodes.map((node) => node.html.slice(0, 200) + ' :: ' + why(node)),
  }));
}"""
GRAVE = ("serious", "critical")


def violations(page: Page) -> list[Any]:
    """What axe finds. It is run by the debugger, which no Content-Security-Policy stops."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[Any] = page.evaluate(RUN, TAGS)
    return found


def told(stop: Stop, theme: str, found: list[Any]) -> list[str]:
    return [
        f"{stop.name} ({theme}): {one['id']} [{one['impact']}] {one['help']}\n    "
        + "\n    ".join(one["nodes"][:4])
        for one in found
        if one["impact"] in GRAVE
    ]


def test_no_page_shuts_anybody_out(
    full: World, sign_in: Callable[[str], Page], live_server: Any
) -> None:
    assert AXE.is_file(), "npm ci brings axe-core"
    grave: list[str] = []
    looked = 0
    front = sign_in("rita")
    front.context.clear_cookies()
    front.goto(f"{live_server.url}/sign-in")
    expect(front.get_by_test_id("login-submit")).to_be_visible()
    still(front)
    grave += told(Stop("sign-in", "", "", ""), "light", violations(front))
    for stop, page in tour(full, sign_in, live_server.url):
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            page.wait_for_function(
                "t => document.documentElement.dataset.mantineColorScheme === t", arg=theme
            )
            still(page)  # half-way between two themes nothing has its contrast
            grave += told(stop, theme, violations(page))
            looked += 1
        page.emulate_media(color_scheme="light")
    print(f"axe: {looked} looks, {len(grave)} serious or critical violations")
    assert looked > 50
    assert not grave, "\n".join(grave)


def test_axe_finds_what_is_wrong(
    project: Project, sign_in: Callable[[str], Page], live_server: Any
) -> None:
    """The test above can fail."""
    page = sign_in("rita")
    expect(page.get_by_test_id(f"home-project-{project.pk}")).to_be_visible()
    expect(page.locator(SKELETON)).to_have_count(0)
    page.evaluate(
        "document.querySelector('#main').insertAdjacentHTML('beforeend', '<img src=/favicon.svg>')"
    )
    assert "image-alt" in {one["id"] for one in violations(page)}


def test_nothing_moves_for_who_wants_no_motion(
    project: Project, sign_in: Callable[[str], Page], live_server: Any
) -> None:
    page = sign_in("adam")
    page.emulate_media(reduced_motion="reduce")
    page.get_by_test_id("account-menu").click()
    expect(page.get_by_test_id("sign-out")).to_be_visible()
    moving = page.evaluate(
        """() => [...document.querySelectorAll('*')].filter(e => {
          const s = getComputedStyle(e);
          return [s.transitionDuration, s.animationDuration].some(d => d.split(',').some(x => parseFloat(x) > 0.001));
        }).map(e => e.outerHTML.slice(0, 120))"""
    )
    assert moving == []
