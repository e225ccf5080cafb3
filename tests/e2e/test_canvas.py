"""The labeling page's canvas, caption and keys in the browser, with a fixed suggestion."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from annotator.accounts.models import Project, User
from annotator.labeling.models import Annotation

from .canvas import HEIGHT, SKUS, WIDTH, add_task, boxes, drag, on_screen, press
from .waiting import at_rest, at_work, eventually, no_dialog

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def scan(page: Page, code: str) -> None:
    """A scanner: digits 8 ms apart, then Enter. The browser is told the times, however slow this machine
    is."""
    session = page.context.new_cdp_session(page)
    began = time.time()
    for n, key in enumerate([*code, "Enter"]):
        enter = key == "Enter"
        event = {
            "key": key, "code": key if enter else f"Digit{key}", "timestamp": began + n * 0.008,
            "windowsVirtualKeyCode": 13 if enter else ord(key),
        }  # fmt: skip
        text = {} if enter else {"text": key}
        session.send("Input.dispatchKeyEvent", {"type": "keyDown", **event, **text})
        session.send("Input.dispatchKeyEvent", {"type": "keyUp", **event})


def scan_outside_fields(page: Page, code: str) -> None:
    """A scan where keys are held back, which goes by the clock: no time passes between these."""
    page.evaluate(
        """(keys) => {
          for (const key of keys) {
            const code = key === 'Enter' ? key : 'Digit' + key;
            const event = new KeyboardEvent('keydown', {key, code, bubbles: true, cancelable: true});
            document.activeElement.dispatchEvent(event);
          }
        }""",
        [*code, "Enter"],
    )


def test_boxes_survive_every_view_and_every_edit_can_be_undone(
    open_page: Callable[[], Page], project: Project, shots: Path
) -> None:
    add_task(project)
    page = open_page()
    press(page, "Escape", "t", "+", "r")
    drag(page, on_screen(page, 500, 300), on_screen(page, 700, 420))
    (drawn,) = boxes(page)
    assert all(abs(a - b) <= 2 for a, b in zip(drawn, (500, 300, 200, 120), strict=True)), drawn
    press(page, "Shift+t", "f")
    page.set_viewport_size({"width": 1440, "height": 900})
    eventually(lambda: boxes(page) == [drawn], "the boxes as they were")
    x, y, w, h = drawn
    drag(page, on_screen(page, x + w, y + h), on_screen(page, x + w + 100, y + h + 60))
    (resized,) = boxes(page)
    assert resized[:2] == (x, y)
    assert abs(resized[2] - w - 100) <= 2 and abs(resized[3] - h - 60) <= 2
    press(page, "ArrowRight", "Shift+ArrowDown")
    assert boxes(page) == [(x + 1, y + 10, *resized[2:])]
    press(page, "Control+ArrowRight")
    assert boxes(page) == [(x + 1, y + 10, resized[2] + 1, resized[3])]
    press(page, "Control+d")
    assert len(boxes(page)) == 2
    press(page, "k")
    locked = boxes(page)[1]
    drag(page, on_screen(page, locked[0] + 30, locked[1] + 30), on_screen(page, 900, 700))
    press(page, "Delete", "ArrowLeft")
    assert boxes(page)[1] == locked
    page.get_by_test_id("stage-fit").click()
    page.screenshot(path=shots / "canvas-boxes.png")
    press(page, "k", "Delete")
    assert len(boxes(page)) == 1
    press(page, *["Control+z"] * 20)
    assert boxes(page) == []
    press(page, *["Control+Shift+z"] * 20)
    assert len(boxes(page)) == 1


def test_fingers_and_a_pen(open_page: Callable[[], Page], project: Project) -> None:
    add_task(project)
    page = open_page()
    press(page, "Escape")
    session = page.context.new_cdp_session(page)
    middle = on_screen(page, WIDTH / 2, HEIGHT / 2)

    def scale() -> float:
        at_rest(page)
        return float(page.get_by_test_id("photo").get_attribute("data-scale") or 0)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def fingers(apart: float, dx: float = 0) -> list[tuple[float, float]]:
        return [(middle[0] + side * apart + dx, middle[1]) for side in (-1, 1)]

    before = scale()
    touch("touchStart", *fingers(50))
    touch("touchMove", *fingers(100))
    touch("touchEnd")
    assert scale() == pytest.approx(2 * before, rel=0.02)
    held = on_screen(page, WIDTH / 2, HEIGHT / 2)
    assert held == pytest.approx(middle, abs=3), "what the fingers hold stays between them"
    touch("touchStart", *fingers(50))
    touch("touchMove", *fingers(50, dx=40))
    touch("touchEnd")
    assert scale() == pytest.approx(2 * before, rel=0.02)
    assert on_screen(page, WIDTH / 2, HEIGHT / 2)[0] == pytest.approx(middle[0] + 40, abs=3)

    def pen(kind: str, x: float, y: float) -> None:
        session.send(
            "Input.dispatchMouseEvent",
            {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1,
             "pointerType": "pen"},
        )  # fmt: skip

    begin, end = on_screen(page, 500, 300), on_screen(page, 600, 380)
    pen("mousePressed", *begin)
    pen("mouseMoved", *end)
    pen("mouseReleased", *end)
    (drawn,) = boxes(page)
    assert all(abs(a - b) <= 2 for a, b in zip(drawn, (500, 300, 100, 80), strict=True)), drawn
    # the palm that rests while the pen draws draws nothing, whatever the tool
    press(page, "r")
    corner = on_screen(page, 520, 500)
    touch("touchStart", corner)
    touch("touchMove", (corner[0] + 80, corner[1] + 40))
    touch("touchEnd")
    assert boxes(page) == [drawn]


def test_the_sides_of_a_scene_keep_step(open_page: Callable[[], Page], project: Project) -> None:
    add_task(project, views=2)
    page = open_page()
    press(page, "Escape", "+", "+", "+")
    world = page.locator("[data-testid=photo] > div").first
    place = world.get_attribute("style") or ""
    page.get_by_test_id("side-2").click()
    expect(page.get_by_test_id("side-2")).to_have_attribute("aria-selected", "true")
    at_rest(page)
    expect(world).to_have_attribute("style", place)
    press(page, "t")
    expect(world).not_to_have_attribute("style", place)
    page.get_by_test_id("side-1").click()
    expect(page.get_by_test_id("side-1")).to_have_attribute("aria-selected", "true")
    at_rest(page)
    # each picture is turned on its own
    expect(world).to_have_attribute("style", place)


def test_a_scanner_fills_the_sku_from_anywhere(
    open_page: Callable[[], Page], project: Project
) -> None:
    add_task(project)
    page = open_page()
    quantity = page.get_by_test_id("field-quantity")
    expect(quantity).to_be_focused()
    page.keyboard.type("12", delay=120)
    expect(page.get_by_test_id("field-quantity-note")).to_contain_text("12盒")
    scan(page, SKUS[1][2])
    expect(page.get_by_test_id("field-sku")).to_have_value("TEA-2")
    expect(quantity).to_have_value("12盒")
    press(page, "Escape")
    scan_outside_fields(page, SKUS[0][2])
    expect(page.get_by_test_id("field-sku")).to_have_value("MILK-1")
    page.get_by_test_id("field-spec").focus()
    scan(page, "4000000000006")
    expect(page.get_by_test_id("field-sku-note")).to_contain_text("4000000000006")
    expect(page.get_by_test_id("field-sku")).to_have_value("MILK-1")
    expect(page.get_by_test_id("field-spec")).to_have_value("1L/盒")
    expect(page.get_by_test_id("caption-line")).to_contain_text("【数量】12盒")
    expect(page.locator("[data-bench] [data-field] :focus")).to_have_count(1)
    # a person who presses one key after another is no scanner: every key arrives
    press(page, "Escape", "r", "h", "v")
    expect(page.get_by_test_id("tool-select")).to_have_attribute("aria-pressed", "true")


def test_a_doubtful_guess_is_looked_at_before_it_counts(
    open_page: Callable[[], Page], project: Project, shots: Path
) -> None:
    add_task(project, seed=1, confidence=0.97)
    add_task(project, seed=2, confidence=0.7)
    add_task(project, seed=3, confidence=0.7)
    page = open_page()
    # sure: the focus is on what the machine cannot know
    expect(page.get_by_test_id("field-quantity")).to_be_focused()
    press(page, "1", "Tab", "1", "Control+Enter")
    expect(page.get_by_test_id("field-sku")).to_be_focused()
    at_work(page)
    page.screenshot(path=shots / "caption-doubt.png")
    # unsure: not by habit
    press(page, "F4")
    expect(page.get_by_test_id("caption-line")).to_contain_text("【数量】1盒|【状态】完好无损")
    press(page, "Control+Enter")
    expect(page.get_by_test_id("confirm-doubt")).to_be_visible()
    assert Annotation.objects.count() <= 1
    press(page, "Control+Enter")
    expect(page.get_by_test_id("confirm-doubt")).to_be_hidden()
    at_work(page)
    # the second candidate by its number, in the untouched field; a typed number would be text
    expect(page.get_by_test_id("field-sku")).to_be_focused()
    press(page, "2")
    expect(page.get_by_test_id("field-sku")).to_have_value("TEA-2")
    expect(page.get_by_test_id("field-quantity")).to_be_focused()
    press(page, "F4", "Control+Enter")
    expect(page.get_by_test_id("empty-state")).to_be_visible()
    answers = list(Annotation.objects.order_by("pk").values_list("fields__sku", flat=True))
    assert answers == ["MILK-1", "MILK-1", "TEA-2"]
    assert set(Annotation.objects.values_list("fields__quantity", flat=True)) == {"1盒"}


def test_keys_belong_to_an_input_method_while_it_composes(
    open_page: Callable[[], Page], project: Project
) -> None:
    add_task(project)
    page = open_page()
    press(page, "F4", "1", "Tab", "1")
    composing = """([selector, key, code, ctrl]) => document.querySelector(selector).dispatchEvent(
      new KeyboardEvent('keydown', {key, code, ctrlKey: ctrl, isComposing: true, bubbles: true}))"""
    for selector, key, code, ctrl in (
        ("[data-testid=field-spec]", "Enter", "Enter", True),
        ("[data-testid=field-sku]", "2", "Digit2", False),
        ("#stage", "r", "KeyR", False),
    ):
        page.evaluate(composing, [selector, key, code, ctrl])
    page.wait_for_timeout(200)
    assert not Annotation.objects.exists()
    expect(page.get_by_test_id("field-sku")).to_have_value("MILK-1")
    expect(page.get_by_test_id("tool-box")).to_have_attribute("aria-pressed", "false")
    # and a category is found by the initials of its pinyin
    category = page.get_by_test_id("field-category")
    category.fill("yl")
    expect(page.get_by_test_id("field-category-option-1")).to_contain_text("饮料")
    category.press("Enter")
    expect(category).to_have_value("饮料")


def test_keys_are_ones_own(open_page: Callable[[], Page], project: Project, shots: Path) -> None:
    add_task(project)
    page = open_page()
    press(page, "Escape", "?")
    page.get_by_test_id("key-draw").click()
    expect(page.get_by_test_id("key-draw")).to_have_attribute("aria-pressed", "true")
    at_rest(page)
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("key-trouble")).to_contain_text("撤销")
    page.screenshot(path=shots / "keys-conflict.png")
    page.keyboard.press("Control+Space")
    expect(page.get_by_test_id("key-trouble")).to_contain_text("输入法")
    with page.expect_response("**/api/v1/me") as kept:
        page.keyboard.press("q")
    assert kept.value.ok
    expect(page.get_by_test_id("key-draw")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Escape")
    no_dialog(page)
    expect(page.get_by_test_id("tool-box")).to_contain_text("Q")
    press(page, "Escape", "r")
    expect(page.get_by_test_id("tool-box")).to_have_attribute("aria-pressed", "false")
    press(page, "q")
    expect(page.get_by_test_id("tool-box")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.get_by_test_id("tool-box")).to_contain_text("Q")
    assert User.objects.get(username="anna").shortcuts == {"draw": "q"}
