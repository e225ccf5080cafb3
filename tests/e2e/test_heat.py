"""Where the machine looked, and what it read of quantity and condition, in the browser."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

from annotator.accounts.models import Project
from annotator.labeling.models import Annotation
from annotator.suggestions.queries import best_suggestion, suggested_views
from tests import factories

from .canvas import HEIGHT, WIDTH, add_task, boxes, drag, on_screen, press
from .test_accessibility import GRAVE, violations
from .waiting import at_rest, at_work, beside, eventually, still
from .world import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PEAK = (0.66, 0.36)
HUE = np.array([170.0, 60.0, 255.0])
HEAT = {"quantity": factories.heat_map(16, 24, PEAK), "sku": factories.heat_map(16, 24, (0.3, 0.6))}
FIELDS = ["sku", "category", "spec", "quantity", "condition"]


def read(quantity: float = 0.96, condition: float = 0.95) -> Mapping[str, Mapping[str, Any]]:
    return {
        "quantity": {"value": "3盒", "confidence": quantity, "source": "minigpt"},
        "condition": {"value": "轻微压痕", "confidence": condition, "source": "minigpt"},
    }


def seen(page: Page) -> NDArray[np.float64]:
    """What is seen of the photo [H, W, 3]."""
    still(page)
    shot = page.get_by_test_id("photo").screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), np.float64)


def warmest(page: Page) -> tuple[float, float]:
    """Where on the screen the map weighs most, by what it changes of the photo: the middle of its
    weights, which is the peak of a map that falls off evenly."""
    heat = page.get_by_test_id("heat")
    with_heat = seen(page)
    press(page, "Alt+h")
    expect(heat).to_have_count(0)
    without = seen(page)
    press(page, "Alt+h")
    expect(heat).to_have_count(1)
    way = HUE - without
    alpha = ((with_heat - without) * way).sum(2) / (way**2).sum(2)
    alpha[alpha < 0.05] = 0
    assert alpha.max() > 0.5
    y, x = np.indices(alpha.shape)
    place = page.get_by_test_id("photo").bounding_box()
    assert place is not None
    return (
        float((alpha * x).sum() / alpha.sum()) + place["x"],
        float((alpha * y).sum() / alpha.sum()) + place["y"],
    )


def test_a_map_lies_where_the_machine_looked_however_the_photo_is_turned(
    open_page: Callable[[], Page], project: Project, shots: Path
) -> None:
    add_task(project, views=2, read=read(), heat=HEAT)
    page = open_page()
    heat, button = page.get_by_test_id("heat"), page.get_by_test_id("layer-heat")
    expect(page.locator("canvas")).to_have_count(0)
    expect(button).to_contain_text("SKU")
    # in a text field, where a letter would be text
    page.get_by_test_id("field-quantity").focus()
    expect(button).to_contain_text("数量")
    page.keyboard.press("Alt+h")
    expect(heat).to_be_visible()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator("canvas")).to_have_count(1)
    assert heat.evaluate("e => [e.width, e.height]") == [384, 256]
    page.keyboard.press("Escape")
    for keys in ([], ["t"], ["+", "+"], ["Shift+t", "Shift+t"], ["t", "f"]):
        press(page, *keys)
        expected = on_screen(page, WIDTH * PEAK[0], HEIGHT * PEAK[1])
        assert warmest(page) == pytest.approx(expected, abs=5), keys
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.wait_for_function(
            "t => document.documentElement.dataset.mantineColorScheme === t", arg=theme
        )
        still(page)
        page.screenshot(path=shots / f"heat-{theme}.png")
        assert not [one for one in violations(page) if one["impact"] in GRAVE]
    # the photo below is worked on as ever
    press(page, "r")
    drag(page, on_screen(page, 700, 250), on_screen(page, 900, 350))
    (drawn,) = boxes(page)
    assert all(abs(a - b) <= 2 for a, b in zip(drawn, (700, 250, 200, 100), strict=True)), drawn
    # each field has its own, or none, and the button says so; so it is with another view
    page.get_by_test_id("field-category").focus()
    expect(button).to_contain_text("无")
    expect(heat).to_have_count(0)
    page.get_by_test_id("field-sku").focus()
    expect(heat).to_have_count(1)
    page.get_by_test_id("side-2").click()
    expect(page.get_by_test_id("side-2")).to_have_attribute("aria-selected", "true")
    expect(button).to_contain_text("无")
    expect(heat).to_have_count(0)
    page.get_by_test_id("side-1").click()
    expect(heat).to_have_count(1)
    button.click()
    expect(heat).to_have_count(0)


def test_a_right_suggestion_is_one_confirmation(
    open_page: Callable[[], Page], project: Project
) -> None:
    task = add_task(project, read=read(), heat=HEAT)
    page = open_page()
    expect(page.get_by_test_id("field-quantity")).to_have_value("3盒")
    expect(page.get_by_test_id("field-quantity")).to_have_attribute("data-machine", "true")
    expect(page.get_by_test_id("condition-2")).to_have_attribute("data-machine", "true")
    expect(page.locator("[data-field=quantity]")).to_contain_text(".96")
    expect(page.locator("[data-field=condition]")).to_contain_text(".95")
    press(page, "Control+Enter")
    expect(page.get_by_test_id("empty-state")).to_be_visible()
    eventually(lambda: Annotation.objects.filter(task=task).exists(), "the answer", page)
    answer = Annotation.objects.get(task=task)
    assert (answer.fields["quantity"], answer.fields["condition"]) == ("3盒", "轻微压痕")
    assert answer.suggestion_used == dict.fromkeys(FIELDS, True)


def test_doubtful_readings_are_looked_at_one_by_one(
    open_page: Callable[[], Page], project: Project, shots: Path
) -> None:
    task = add_task(project, read=read(quantity=0.71, condition=0.66), heat=HEAT)
    page = open_page()
    quantity = page.get_by_test_id("field-quantity")
    expect(quantity).to_be_focused()
    expect(quantity).to_have_attribute("data-doubted", "true")
    expect(page.get_by_test_id("condition-2")).to_have_attribute("data-doubted", "true")
    expect(page.get_by_test_id("field-quantity-doubt")).to_be_visible()
    page.screenshot(path=shots / "heat-doubt.png")
    press(page, "Enter")
    expect(page.get_by_test_id("field-quantity-doubt")).to_have_count(0)
    expect(page.get_by_test_id("condition-2")).to_be_focused()
    press(page, "4")
    press(page, "Control+Enter")
    expect(page.get_by_test_id("empty-state")).to_be_visible()
    eventually(lambda: Annotation.objects.filter(task=task).exists(), "the answer", page)
    used = Annotation.objects.get(task=task).suggestion_used
    assert used == {**dict.fromkeys(FIELDS, True), "condition": False}


def test_look_alikes_come_with_what_was_read_on_each(
    sign_in: Callable[[str], Page], project: Project, live_server: Any, shots: Path
) -> None:
    sku = factories.SkuFactory(site=project.site, code="MILK-1", spec="1L/盒", unit="盒")
    unsure = {"value": None, "confidence": 0.31, "source": "low_confidence"}
    # the two first are held singly
    held, kinds = [read(), read()], [read(), read(), read(condition=0.7), {"quantity": unsure}]
    tasks = factories.alike_tasks(project, sku, 6, read=[*held, *kinds])
    for task in tasks:
        factories.photograph(task, Image.effect_noise((320, 240), 40))
    page = sign_in("anna")
    page.goto(f"{live_server.url}/p/{project.pk}/label")
    expect(page.get_by_test_id("lookalikes-offer")).to_be_visible()
    beside(page)
    press(page, "Escape", "Shift+l")
    expect(page.get_by_test_id("lookalikes").locator("li")).to_have_count(4)
    expect(page.get_by_test_id("common-quantity")).to_have_value("3盒")
    expect(page.locator("[data-testid^=alike-][data-machine]")).to_have_count(6)
    expect(page.locator("[data-testid^=alike-][data-doubted]")).to_have_count(1)
    still(page)
    page.screenshot(path=shots / "heat-grid.png")
    # the one that could not be read is not filled by the others
    press(page, "Control+Enter")
    expect(page.get_by_test_id("lookalikes")).to_contain_text("1 张还有要填的")
    [blank] = [n for n in (1, 2, 3, 4) if not _placeholder(page, n)]
    page.get_by_test_id(f"alike-{blank}-quantity").fill("2")
    page.get_by_test_id(f"alike-{blank}-condition").select_option("1")
    press(page, "Control+Enter")
    expect(page.get_by_test_id("lookalikes-doubt")).to_be_visible()
    press(page, "Control+Enter")
    eventually(lambda: Annotation.objects.count() == 4, "four answers", page)
    answers = list(Annotation.objects.values_list("fields__quantity", "suggestion_used"))
    given = dict.fromkeys(FIELDS[:3], True)
    assert sorted(answers, key=lambda one: one[0]) == [
        ("2盒", given),
        *[("3盒", dict.fromkeys(FIELDS, True))] * 3,
    ]


def _placeholder(page: Page, n: int) -> str | None:
    return page.get_by_test_id(f"alike-{n}-quantity").get_attribute("placeholder")


def test_a_withheld_suggestion_shows_nothing(
    open_page: Callable[[], Page], project: Project
) -> None:
    Project.objects.filter(pk=project.pk).update(withhold_rate=1.0)
    add_task(project, read=read(), heat=HEAT)
    page = open_page()
    at_work(page)
    expect(page.get_by_test_id("field-quantity")).to_have_value("")
    expect(page.get_by_test_id("layer-heat")).to_have_count(0)
    press(page, "Alt+h")
    at_rest(page)
    expect(page.locator("canvas")).to_have_count(0)


def test_the_reviewer_sees_the_machine_s_reading_and_where_it_looked(
    full: World, sign_in: Callable[[str], Page], live_server: Any, shots: Path
) -> None:
    views = suggested_views(full.dispute.scene_id)
    proposed = best_suggestion(views)
    assert proposed is not None
    proposed.heat, proposed.fields = HEAT, {**proposed.fields, **read()}
    proposed.save()
    rita = sign_in("rita")
    rita.goto(f"{live_server.url}/p/{full.project.pk}/review/{full.dispute.pk}")
    expect(rita.get_by_test_id("pick-machine-quantity")).to_contain_text("3盒")
    expect(rita.get_by_test_id("pick-machine-condition")).to_contain_text("轻微压痕")
    heat, button = rita.get_by_test_id("heat"), rita.get_by_test_id("layer-heat")
    at_rest(rita)
    expect(button).to_be_visible()
    rita.get_by_test_id("pick-machine-quantity").click()
    rita.get_by_role("tab").nth([view.pk for view in views].index(proposed.capture_id)).click()
    expect(button).to_contain_text("数量")
    expect(heat).to_have_count(0)
    press(rita, "Alt+h")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(heat).to_have_count(1)
    still(rita)
    rita.screenshot(path=shots / "heat-review.png")
    press(rita, "ArrowDown")
    expect(button).to_contain_text("无")
    expect(heat).to_have_count(0)
