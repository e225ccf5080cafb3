"""Waiting for what is so, never for a while: a busy machine shows everything, only later."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

EXPECT_MS = 30_000
"""How long anything may take to show: waiting longer never lets a true failure pass."""
ACTION_MS = 60_000
"""How long a page or something to click may take to come."""

# What React does after it has drawn, such as hearing keys, is done when the page has nothing to do;
# a photo that moves tells React of it when it has come to rest.
AT_REST = """async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const idle = () => new Promise((done) => requestIdleCallback(done, {timeout: 2000}));
  for (let calm = 0; calm < 2; ) {
    await idle();
    await frame();
    calm = document.querySelector('[data-moving]') ? 0 : calm + 1;
  }
}"""
MOVING = """() => document.getAnimations().some((one) =>
  one.playState === 'running' && one.effect.getComputedTiming().endTime !== Infinity)"""
BESIDE = """() => performance.getEntriesByType('resource')
  .filter((one) => /\\/projects\\/\\d+\\/next$/.test(one.name) && one.responseEnd > 0).length >= 2"""
DIALOG = "[role=dialog][aria-modal=true]"


def at_rest(page: Page) -> None:
    """The page has drawn what it has, and hears keys."""
    page.evaluate(AT_REST)


def still(page: Page) -> None:
    """At rest, and no transition is under way: the page may be looked at."""
    at_rest(page)
    page.wait_for_function(f"() => !({MOVING})()")


def no_dialog(page: Page) -> None:
    """Dialogs and drawers have gone; as long as one stands, the page hears no keys."""
    expect(page.locator(DIALOG)).to_have_count(0)
    at_rest(page)


def at_work(page: Page) -> None:
    """A task is on the labeling page and the focus is where its work begins."""
    expect(page.locator("[data-bench]")).to_be_visible()
    expect(page.locator("[data-bench] :focus")).to_have_count(1)
    no_dialog(page)


def beside(page: Page) -> None:
    """The labeling page holds the photo after this one too, as it does soon after it was opened."""
    at_work(page)
    page.wait_for_function(BESIDE)
    at_rest(page)


def eventually(
    true: Callable[[], bool], what: str = "it", page: Page | None = None, within_s: float = 90.0
) -> None:
    """Until something becomes so that no page shows. ``page`` goes on telling its events meanwhile."""
    until = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until, f"{what} did not come true"
        if page is None:
            time.sleep(0.05)
        else:
            page.wait_for_timeout(50)
