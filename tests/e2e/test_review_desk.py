"""The reviewer's desk and the annotator's feedback in the browser; lists by keyboard, with columns of
one's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotator.accounts.models import User
from annotator.captures.models import Capture
from annotator.catalog.models import Sku
from annotator.labeling.models import Annotation, Task
from annotator.review.models import Decision, Dispute, Feedback

from .waiting import at_rest, at_work, eventually, no_dialog
from .world import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_dispute_by_keyboard_and_the_next_one(
    full: World, sign_in: Callable[[str], Page], live_server: Any
) -> None:
    rita = sign_in("rita")
    looked: list[str] = []
    rita.on("request", lambda r: looked.append(f"{r.method} {r.url.split('/api/v1')[-1]}"))
    rita.goto(f"{live_server.url}/p/{full.project.pk}/review")
    expect(rita.get_by_test_id("review-severity-high")).to_contain_text("1")
    rita.get_by_test_id("review-field").select_option("quantity")
    expect(rita.locator("[data-testid^=review-row-]")).to_have_count(1)
    rows = rita.locator("[data-testid^=review-row-]")
    rita.get_by_test_id("review-field").select_option("")
    expect(rows).not_to_have_count(1)
    with rita.expect_response(lambda answer: "sort=oldest" in answer.url):
        rita.get_by_test_id("review-sort").select_option("oldest")
    expect(rita).to_have_url(re.compile("sort=oldest"))
    expect(rows.first).to_have_attribute("data-testid", f"review-row-{full.dispute.pk}")
    at_rest(rita)
    rita.evaluate("document.activeElement.blur()")
    rita.keyboard.press("ArrowDown")
    expect(rows.first.locator(":focus")).to_have_count(1)
    rita.keyboard.press("Enter")
    expect(rita).to_have_url(re.compile(rf"/review/{full.dispute.pk}\b"))

    # Nobody is named; boxes of both lie over the photo, told apart by colour and by line.
    expect(rita.get_by_test_id("pick-b-quantity")).to_contain_text("9箱")
    assert not {"安娜", "小本"} & set(re.findall("安娜|小本", rita.locator("body").inner_text()))
    expect(rita.get_by_test_id("iou")).to_contain_text(re.compile(r"IoU \.\d+"))
    dashes = [
        rita.get_by_test_id(f"box-{side}0").evaluate("e => getComputedStyle(e).strokeDasharray")
        for side in "AB"
    ]
    assert dashes[0] != dashes[1]
    # What comes next has been looked at, not taken.
    following = Dispute.objects.filter(closed_at=None).order_by("opened_at", "id")[1].task_id
    eventually(lambda: f"GET /tasks/{following}/dispute" in looked, "the look ahead", rita)
    assert Dispute.objects.get(task=following).reviewer is None
    # The desk fits: nothing is cut off at the right.
    right = rita.get_by_test_id("decide").evaluate("e => e.getBoundingClientRect().right")
    assert right <= 1280

    rita.keyboard.press("b")  # the row in question is the current one
    expect(rita.get_by_test_id("caption-line")).to_contain_text("9箱")
    rita.keyboard.press("ArrowUp")
    rita.keyboard.press("ArrowUp")
    rita.keyboard.press("n")
    expect(rita.get_by_test_id("decision-note")).to_be_focused()
    rita.keyboard.type("右边一列也算")
    rita.keyboard.press("Control+Enter")
    expect(rita).to_have_url(re.compile(f"/review/{following}\\?sort=oldest"))
    outcome = rita.get_by_test_id("outcome")
    expect(outcome).to_contain_text("安娜 更正")
    expect(outcome).to_contain_text("小本 采纳")
    decision = Decision.objects.get(task=full.dispute, superseded_at=None)
    assert (decision.note, decision.fields["quantity"]) == ("右边一列也算", "9箱")


def test_a_count_that_the_weight_contradicts_is_mended_by_a_key(
    full: World, sign_in: Callable[[str], Page], live_server: Any
) -> None:
    answer = Annotation.objects.filter(task=full.dispute).earliest("id")
    Sku.objects.filter(code=answer.fields["sku"]).update(unit="箱", weight_g=1000)
    Capture.objects.filter(scene=full.dispute.scene).update(weight_g=4000)
    rita = sign_in("rita")
    rita.goto(f"{live_server.url}/p/{full.project.pk}/review/{full.dispute.pk}")
    expect(rita.get_by_test_id("decide")).to_be_enabled()
    expect(rita.get_by_test_id("finding-weight_differs")).to_have_count(0)
    at_rest(rita)
    rita.get_by_test_id("pick-b-quantity").click()
    expect(rita.get_by_test_id("finding-weight_differs")).to_contain_text("按称重应为 4箱")
    rita.keyboard.press("F6")
    expect(rita.get_by_test_id("caption-line")).to_contain_text("4箱")
    expect(rita.get_by_test_id("finding-weight_differs")).to_have_count(0)
    rita.keyboard.press("Control+Enter")
    eventually(lambda: not Task.objects.filter(pk=full.dispute.pk, state="disputed"), "it", rita)
    decision = Decision.objects.get(task=full.dispute, superseded_at=None)
    assert decision.fields["quantity"] == "4箱"


def test_a_queue_of_one_pair_stays_blind(
    full: World, sign_in: Callable[[str], Page], live_server: Any
) -> None:
    rita = sign_in("rita")
    pair = Dispute.objects.get(task=full.dispute).pair
    page = f"/p/{full.project.pk}/review/{full.dispute.pk}?pair=%22{pair}%22"
    rita.goto(live_server.url + page)
    expect(rita.get_by_test_id("decide")).to_be_enabled()
    at_rest(rita)
    rita.keyboard.press("a")
    rita.keyboard.press("Control+Enter")
    expect(rita).not_to_have_url(re.compile(rf"/review/{full.dispute.pk}\b"))
    expect(rita.locator("#main h1")).not_to_have_text(f"#{full.dispute.pk}")
    expect(rita.get_by_test_id("decide")).to_be_enabled()
    expect(rita.get_by_test_id("outcome")).to_have_count(0)
    assert "安娜" not in rita.locator("#main").inner_text()


def test_sent_back_seen_and_answered(
    full: World, sign_in: Callable[[str], Page], live_server: Any
) -> None:
    rita = sign_in("rita")
    rita.goto(f"{live_server.url}/p/{full.project.pk}/review/{full.dispute.pk}")
    expect(rita.get_by_test_id("decide")).to_be_enabled()
    at_rest(rita)
    rita.keyboard.press("Alt+b")
    expect(rita.get_by_test_id("send-back-note")).to_be_focused()
    rita.get_by_test_id("send-back-note").fill("请数清第二层")
    rita.route("**/send-back", lambda route: route.abort())
    rita.keyboard.press("Control+Enter")
    expect(rita.get_by_test_id("send-back-note")).to_have_value("请数清第二层")
    expect(rita.get_by_role("dialog")).to_contain_text("连不上服务器")
    rita.unroute("**/send-back")
    rita.get_by_test_id("send-back-send").click()
    expect(rita).not_to_have_url(re.compile(rf"/review/{full.dispute.pk}\b"))
    assert Task.objects.get(pk=full.dispute.pk).state == "labeling"

    ben = sign_in("ben")
    expect(ben.get_by_test_id("nav-feedback")).to_contain_text(re.compile(r"\d"))
    before = Feedback.objects.filter(annotator__username="ben", read_at=None).count()
    ben.get_by_test_id("nav-feedback").click()
    ben.get_by_test_id(f"feedback-row-{full.decided.pk}").get_by_role("button").click()
    detail = ben.get_by_test_id("feedback-detail")
    expect(detail).to_contain_text("左后方被挡住的也要数")
    expect(detail).to_contain_text("7箱")
    expect(detail).not_to_contain_text("安娜")
    ben.keyboard.press("Escape")
    no_dialog(ben)
    expect(ben.get_by_test_id("nav-feedback")).to_contain_text(str(before - 1))
    ben.goto(f"{live_server.url}/p/{full.project.pk}/label")
    at_work(ben)
    expect(ben.get_by_test_id("returned-banner")).to_be_visible()


def test_trivial_ones_at_once(
    full: World, sign_in: Callable[[str], Page], live_server: Any
) -> None:
    rita = sign_in("rita")
    rita.goto(f"{live_server.url}/p/{full.project.pk}/review")
    rita.get_by_test_id("trivial-open").click()
    rows = rita.locator("[data-testid^=trivial-][data-testid]:is(li)")
    expect(rows).to_have_count(2)
    rita.get_by_test_id(f"settle-{full.trivial.pk}").uncheck()
    at_rest(rita)
    rita.keyboard.press("Control+Enter")
    expect(rows).to_have_count(1)
    expect(rita.get_by_test_id("toast")).to_contain_text("已裁定 1 条")
    assert Task.objects.get(pk=full.trivial.pk).state == "disputed"


def test_columns_are_kept_and_views_remember_them(
    full: World, sign_in: Callable[[str], Page], live_server: Any
) -> None:
    adam = sign_in("adam")
    tasks = f"{live_server.url}/p/{full.project.pk}/tasks"
    adam.goto(tasks)
    head = adam.locator("table.list thead")
    expect(head).to_contain_text("来源")
    adam.get_by_test_id("columns").click()
    with adam.expect_response("**/api/v1/me"):
        adam.get_by_test_id("column-source").click()
    adam.keyboard.press("Escape")
    expect(adam.get_by_test_id("column-source")).to_have_count(0)
    expect(head).not_to_contain_text("来源")
    adam.reload()
    expect(head).to_contain_text("描述")
    expect(head).not_to_contain_text("来源")
    adam.get_by_test_id("tasks-state-decided").click()
    adam.get_by_test_id("views").click()
    adam.get_by_test_id("view-save").click()
    adam.get_by_test_id("view-name").fill("已定稿")
    adam.get_by_test_id("view-keep").click()
    expect(adam.get_by_test_id("views")).to_contain_text("已定稿")
    adam.get_by_test_id("columns").click()
    with adam.expect_response("**/api/v1/me"):
        adam.get_by_test_id("columns-usual").click()
    expect(head).to_contain_text("来源")
    assert User.objects.get(username="adam").columns == {}
    adam.goto(tasks)
    adam.get_by_test_id("views").click()
    adam.get_by_role("menuitem", name="已定稿").click()
    expect(head).to_contain_text("描述")
    expect(head).not_to_contain_text("来源")

    # Keys of every list: / to the search, down into the rows, Enter opens.
    adam.goto(tasks)
    rows = adam.locator("[data-testid^=task-row-]")
    expect(rows.first).to_be_visible()
    at_rest(adam)
    adam.keyboard.press("/")
    expect(adam.get_by_test_id("tasks-search")).to_be_focused()
    adam.keyboard.press("ArrowDown")
    adam.keyboard.press("ArrowDown")
    expect(rows.nth(1).locator(":focus")).to_have_count(1)
    adam.keyboard.press("x")
    expect(adam.get_by_test_id("bulk-bar")).to_be_visible()
    adam.keyboard.press("Enter")
    expect(adam).to_have_url(re.compile(r"/tasks/\d+$"))
