"""Frames a second on the labeling page's canvas with 200 boxes on a photo of 12 megapixels, while it is
panned, zoomed and pinched and while boxes are dragged, resized and drawn.

``python -m bench.canvas [boxes]``. Chromium draws in software here: a graphics card only helps. Also told:
how many boxes' elements changed meanwhile (React may touch none but the one in hand)."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from typing import Any

from bench import browser
from bench.databases import environment

SIZE_PX = (4000, 3000)
GESTURE_STEPS = 150
# One list of frame times, and the boxes whose elements changed since `begin`.
RECORDER = """() => {
  const bench = { times: [], changed: new Set(), long: 0, on: false };
  const tick = (now) => { if (bench.on) { bench.times.push(now); requestAnimationFrame(tick); } };
  new MutationObserver((records) => {
    for (const record of records) {
      const box = record.target.closest?.('[data-box]');
      if (bench.on && box) bench.changed.add(box.dataset.box);
    }
  }).observe(document.querySelector('[data-testid=photo] svg'), { attributes: true, childList: true, subtree: true });
  new PerformanceObserver((list) => { if (bench.on) bench.long += list.getEntries().length; })
    .observe({ type: 'longtask', buffered: false });
  window.bench = {
    begin() {
      Object.assign(bench, { times: [], changed: new Set(), long: 0, on: true });
      requestAnimationFrame(tick);
    },
    end() {
      bench.on = false;
      const gaps = bench.times.slice(1).map((time, n) => time - bench.times[n]).sort((a, b) => a - b);
      const total = gaps.reduce((sum, gap) => sum + gap, 0);
      return { frames: gaps.length, fps: 1000 * gaps.length / total, p95: gaps[Math.floor(gaps.length * 0.95)] ?? 0,
               worst: gaps.at(-1) ?? 0, changed: bench.changed.size, long: bench.long };
    },
  };
}"""


def fill(boxes: int) -> Any:
    """A project whose first task has a draft with that many boxes."""
    from django.core.management import call_command

    from annotator.accounts import services as accounts
    from annotator.accounts.states import Role
    from annotator.captures import intake
    from annotator.captures.models import Capture
    from annotator.labeling import services as labeling
    from annotator.labeling.models import Task
    from tests.factories import picture_bytes

    call_command("migrate", verbosity=0)
    site, _ = accounts.ensure_site(slug="bench", name="Bench")
    project, _ = accounts.ensure_project(site=site, slug="main", name="Main")
    user, _ = accounts.create_user(username="anna", password=browser.PASSWORD, display_name="Anna")
    accounts.grant_roles(user=user, site=site, roles=[Role.ANNOTATOR])
    intake.take_in(site=site, name="a.jpg", data=picture_bytes(7, SIZE_PX), source="bench")
    capture = Capture.objects.get()
    Task.objects.create(
        project=project, scene=capture.scene, state="ready", overlap=2, places_left=2
    )
    assignment = labeling.next_assignment(project=project.pk, annotator=user)
    assert assignment is not None
    drawn = [
        {"capture": capture.pk, "x": 30 + n % 20 * 195, "y": 40 + n // 20 * 290, "w": 160, "h": 240}
        for n in range(boxes)
    ]
    draft = {"fields": {}, "boxes": drawn, "attributes": {}, "active_seconds": 0.0}
    labeling.save_draft(
        assignment=assignment.pk, annotator=user, token=assignment.token, draft=draft
    )
    return project


def gestures(page: Any) -> dict[str, Callable[[], None]]:
    """What is measured, by name."""
    stage = page.get_by_test_id("photo").bounding_box()
    x0, y0 = stage["x"], stage["y"]
    middle = (x0 + stage["width"] / 2, y0 + stage["height"] / 2)
    session = page.context.new_cdp_session(page)

    def to(x: float, y: float) -> None:
        page.mouse.move(x, y)

    def circle(n: int, radius: float) -> tuple[float, float]:
        turn = 2 * math.pi * n / GESTURE_STEPS
        return middle[0] + radius * math.sin(turn), middle[1] + radius * (1 - math.cos(turn)) / 2

    def held(begin: tuple[float, float], radius: float = 120) -> None:
        to(*begin)
        page.mouse.down()
        for n in range(1, GESTURE_STEPS + 1):
            x, y = circle(n, radius)
            to(begin[0] + x - middle[0], begin[1] + y - middle[1])
        page.mouse.up()

    def pan() -> None:
        page.keyboard.press("h")
        held(middle)
        page.keyboard.press("v")

    def wheel() -> None:
        to(*middle)
        for n in range(GESTURE_STEPS):
            page.mouse.wheel(0, -40 if n < GESTURE_STEPS / 2 else 40)

    def pinch() -> None:
        def touch(kind: str, apart: float | None) -> None:
            points = [] if apart is None else [
                {"x": middle[0] + side * apart, "y": middle[1], "id": n}
                for n, side in enumerate((-1, 1))
            ]  # fmt: skip
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        touch("touchStart", 60)
        for n in range(GESTURE_STEPS):
            touch("touchMove", 60 + 100 * math.sin(math.pi * n / GESTURE_STEPS))
        touch("touchEnd", None)

    def box(n: int) -> tuple[float, float]:
        at = page.locator("[data-box]").nth(n).bounding_box()
        return at["x"] + at["width"] / 2, at["y"] + at["height"] / 2

    def resize() -> None:
        page.mouse.click(*box(90))
        handle = page.locator("[data-handle=se]").bounding_box()
        held((handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2), 60)

    def draw() -> None:
        page.keyboard.press("r")
        held(middle)

    return {
        "pan": pan,
        "wheel zoom": wheel,
        "pinch": pinch,
        "drag a box": lambda: held(box(110)),
        "resize a box": resize,
        "draw a box": draw,
    }


def main() -> None:
    boxes = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    browser.check()
    with environment("SQLite") as variables:
        os.environ.update(variables)
        import django

        django.setup()
        project = fill(boxes)
        with browser.served() as url, browser.page_of(url, "anna", has_touch=True) as page:
            page.goto(f"{url}/p/{project.pk}/label")
            page.locator("[data-box]").nth(boxes - 1).wait_for()
            page.wait_for_timeout(1500)
            page.keyboard.press("Escape")
            page.evaluate(RECORDER)
            print(f"{boxes} boxes on {SIZE_PX[0]}×{SIZE_PX[1]} pixels, 1280×720, software drawing")
            print(
                f"{'':14}{'fps':>6}{'p95 ms':>8}{'worst':>7}{'long tasks':>12}{'boxes touched':>15}"
            )
            for name, gesture in gestures(page).items():
                page.evaluate("bench.begin()")
                gesture()
                seen = page.evaluate("bench.end()")
                print(
                    f"{name:14}{seen['fps']:6.1f}{seen['p95']:8.1f}{seen['worst']:7.0f}"
                    f"{seen['long']:12}{seen['changed']:15}"
                )
                page.wait_for_timeout(400)
                page.keyboard.press("f")


if __name__ == "__main__":
    main()
