"""The labeling page's flow: what is typed survives a lost network and closed tabs, two tabs, a lease
that ends, look-alikes in one go, one's own last answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from annotator.accounts.models import Project, User
from annotator.catalog.models import Sku
from annotator.labeling import services
from annotator.labeling.models import Annotation, Assignment, Task
from inference.scenes import demo_catalog, render_scene
from tests import factories

from .waiting import at_rest, at_work, beside, eventually, no_dialog, still

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ROUNDS = 20
LEASE_S = 20
LOOKS = {"1280": (1280, 720), "1024": (1024, 768)}


@pytest.fixture
def sku(project: Project) -> Sku:
    product = demo_catalog()[0]
    return factories.SkuFactory(site=project.site, code=product.code, name=product.name)


def alike(project: Project, sku: Sku, count: int) -> list[Task]:
    """Look-alikes with photos that can be seen, rendered ones of one product."""
    tasks = factories.alike_tasks(project, sku, count)
    product = demo_catalog()[0]
    for n, task in enumerate(tasks):
        scene = render_scene(product, n % 6, cam_types=("front",), count=1 + n % 2, grade=0)
        factories.photograph(task, scene.views["front"])
    return tasks


def look(page: Page, shots: Path, name: str, languages: tuple[str, ...] = ("zh-hans",)) -> None:
    """The page at two sizes, light and dark, in its languages, to be looked at."""
    for language in languages:
        if len(languages) > 1:
            User.objects.filter(username="anna").update(language=language)
            page.reload()
            page.wait_for_load_state("networkidle")
        for size, (width, height) in LOOKS.items():
            page.set_viewport_size({"width": width, "height": height})
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                still(page)
                page.screenshot(path=shots / f"flow-{name}-{language}-{size}-{theme}.png")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 720})


def at_leisure() -> None:
    """The ten seconds in which answers can be taken back begin in a minute, however slow this machine is."""
    Annotation.objects.update(created_at=timezone.now() + timezone.timedelta(minutes=1))


def fill(page: Page, quantity: str) -> None:
    """What the machine does not know."""
    at_work(page)
    field = page.get_by_test_id("field-quantity")
    field.click()
    page.keyboard.type(quantity)
    expect(field).to_have_value(quantity)
    page.get_by_test_id("condition-1").click()
    expect(page.get_by_test_id("condition-1")).to_have_attribute("aria-checked", "true")


def test_nothing_typed_is_lost_and_nothing_is_sent_twice(
    sign_in: Callable[[str], Page], project: Project, sku: Sku, live_server: Any, shots: Path
) -> None:
    Project.objects.filter(pk=project.pk).update(lookalikes=False)
    factories.alike_tasks(project, sku, ROUNDS + 2)
    context = sign_in("anna").context
    address = f"{live_server.url}/p/{project.pk}/label"

    def open_page() -> Page:
        page = context.new_page()
        page.goto(address)
        return page

    def typed_then_cut_then_closed(quantity: str) -> None:
        page = open_page()
        fill(page, quantity)
        context.set_offline(True)
        page.close()
        context.set_offline(False)
        page = open_page()
        expect(page.get_by_test_id("field-quantity")).to_have_value(quantity)
        at_work(page)
        page.keyboard.press("Control+Enter")
        expect(page.get_by_test_id("undo")).to_be_visible()
        page.close()

    def submitted_while_cut_then_closed(quantity: str) -> None:
        page = open_page()
        fill(page, quantity)
        beside(page)
        context.set_offline(True)
        page.keyboard.press("Control+Enter")
        expect(page.get_by_test_id("pending-banner")).to_contain_text("1 张待提交")
        # The photo beside is there already: work goes on without a network.
        expect(page.get_by_test_id("field-quantity")).to_have_value("")
        page.screenshot(path=shots / "flow-offline.png")
        page.close()
        context.set_offline(False)
        page = open_page()
        expect(page.get_by_test_id("toast")).to_contain_text("1 张已送出")
        page.close()

    def answer_lost_on_its_way(quantity: str) -> None:
        sent: list[str] = []

        def lose_the_first(route: Route) -> None:
            sent.append(route.request.headers["idempotency-key"])
            if len(sent) == 1:
                assert route.fetch().status == 201
                route.abort()
            else:
                route.continue_()

        context.route("**/submit", lose_the_first)  # before there is a page that could send past it
        page = open_page()
        fill(page, quantity)
        page.keyboard.press("Control+Enter")
        expect(page.get_by_test_id("toast")).to_contain_text("1 张已送出")
        assert len(sent) == 2 and len(set(sent)) == 1
        page.close()
        context.unroute("**/submit", lose_the_first)

    def typed_then_closed_at_once(quantity: str) -> None:
        page = open_page()
        at_work(page)
        page.get_by_test_id("condition-1").click()
        page.get_by_test_id("field-quantity").click()
        page.keyboard.type(quantity)
        expect(page.get_by_test_id("field-quantity")).to_have_value(quantity)
        page.close()
        page = open_page()
        expect(page.get_by_test_id("field-quantity")).to_have_value(quantity)
        at_work(page)
        page.keyboard.press("Control+Enter")
        expect(page.get_by_test_id("undo")).to_be_visible()
        page.close()

    ways = (
        typed_then_cut_then_closed,
        submitted_while_cut_then_closed,
        answer_lost_on_its_way,
        typed_then_closed_at_once,
    )
    started = time.monotonic()
    for n in range(ROUNDS):
        quantity = f"{n + 1}箱"
        ways[n % len(ways)](quantity)
        eventually(lambda n=n: Annotation.objects.count() > n, "an answer")
        answers = list(Annotation.objects.order_by("id").values_list("fields__quantity", "task"))
        assert [given for given, _ in answers] == [f"{k + 1}箱" for k in range(n + 1)]
        assert len({task for _, task in answers}) == n + 1
    took = time.monotonic() - started
    print(f"{ROUNDS} of {ROUNDS} rounds: nothing lost, nothing twice, {took:.0f} s")


def test_a_second_tab_says_where_the_first_is_and_takes_over(
    sign_in: Callable[[str], Page], project: Project, sku: Sku, live_server: Any, shots: Path
) -> None:
    Project.objects.filter(pk=project.pk).update(lookalikes=False)
    alike(project, sku, 4)
    first = sign_in("anna")
    address = f"{live_server.url}/p/{project.pk}/label"
    first.goto(address)
    fill(first, "7箱")
    beside(first)
    task = Assignment.objects.order_by("pk").values_list("task", flat=True)[0]
    second = first.context.new_page()
    second.goto(address)
    expect(second.get_by_test_id("elsewhere")).to_contain_text(f"#{task}")
    expect(second.get_by_test_id("field-sku")).to_have_count(0)
    look(second, shots, "elsewhere", ("en", "ja", "zh-hans"))
    held = Assignment.objects.count()
    second.get_by_test_id("take-over").click()
    expect(second.get_by_test_id("field-quantity")).to_have_value("7箱")
    expect(first.get_by_test_id("elsewhere")).to_contain_text("已在另一个标签页接手")
    beside(second)
    assert Assignment.objects.count() == held, "the leases went over, none was taken anew"
    second.keyboard.press("Control+Enter")
    expect(second.get_by_test_id("undo")).to_be_visible()
    assert Annotation.objects.count() == 1
    # Where the second closes, the first goes on by itself.
    second.close()
    expect(first.get_by_test_id("field-sku")).to_be_visible()
    assert Assignment.objects.filter(state="active").count() <= 2


def test_a_lease_is_kept_by_activity_and_its_end_is_announced(
    sign_in: Callable[[str], Page], project: Project, sku: Sku, live_server: Any, shots: Path
) -> None:
    Project.objects.filter(pk=project.pk).update(lookalikes=False, lease_seconds=LEASE_S)
    alike(project, sku, 4)
    page = sign_in("anna")
    page.goto(f"{live_server.url}/p/{project.pk}/label")
    fill(page, "9箱")
    mine = Assignment.objects.order_by("pk")[0]
    notice = page.get_by_test_id("lease-notice")
    # At work for longer than the lease is.
    began = time.monotonic()
    while time.monotonic() - began < LEASE_S + 4:
        page.mouse.move(300 + (time.monotonic() - began), 300)
        page.wait_for_timeout(1000)
        assert services.expire_leases(now=timezone.now()) == 0
    expect(notice).to_have_count(0)
    kept = Assignment.objects.get(pk=mine.pk).expires_at
    assert kept > mine.expires_at
    # Idle: the end is announced before it comes, and a movement is enough.
    expect(notice).to_be_visible()
    assert Assignment.objects.get(pk=mine.pk).expires_at > timezone.now()
    look(page, shots, "lease")
    page.mouse.move(400, 310)
    expect(notice).to_be_hidden()
    eventually(lambda: Assignment.objects.get(pk=mine.pk).expires_at > kept, "a longer lease", page)
    # Idle for good: it goes back to the queue; what was typed is not lost with it.
    expect(notice).to_contain_text("保留时间已到", timeout=3_000 * LEASE_S)
    assert services.expire_leases(now=timezone.now()) >= 1
    page.mouse.move(410, 320)
    expect(page.get_by_test_id("lost-banner")).to_contain_text("9箱")
    expect(page.get_by_test_id("field-quantity")).to_be_visible()
    look(page, shots, "lost")


def test_look_alikes_in_one_go(
    sign_in: Callable[[str], Page], project: Project, sku: Sku, live_server: Any, shots: Path
) -> None:
    alike(project, sku, 12)
    page = sign_in("anna")
    page.goto(f"{live_server.url}/p/{project.pk}/label")
    offer = page.get_by_test_id("lookalikes-offer")
    expect(offer).to_contain_text("张看起来是同一种")
    beside(page)
    look(page, shots, "offer")
    page.get_by_test_id("photo").click()
    page.keyboard.press("Shift+l")
    grid = page.get_by_test_id("lookalikes")
    expect(grid).to_be_visible()
    tiles = grid.locator("li")
    # Two are held singly: the photo in work and the one beside it.
    expect(tiles).to_have_count(10)
    expect(page.get_by_test_id("common-quantity")).to_be_focused()
    at_rest(page)
    page.keyboard.press("Control+Enter")
    expect(grid).to_contain_text("10 张还有要填的")
    expect(page.get_by_test_id("common-quantity")).to_be_focused()
    page.keyboard.type("1箱")
    grid.get_by_test_id("common-condition").get_by_test_id("condition-1").click()
    page.get_by_test_id("alike-2").get_by_role("button").click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("4")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.get_by_test_id("alike-3-quantity").fill("3箱")
    expect(page.get_by_test_id("alike-4-condition")).to_have_value("4")
    expect(page.get_by_test_id("alike-5")).to_contain_text("已剔除")
    expect(page.get_by_test_id("lookalikes-confirm")).to_contain_text("8")
    look(page, shots, "grid")
    page.keyboard.press("Control+Enter")
    eventually(lambda: Annotation.objects.count() == 8, "eight answers", page)
    at_leisure()
    answers = list(Annotation.objects.order_by("id").select_related("assignment"))
    # All of it can be taken back for ten seconds, and comes back as it was given.
    page.get_by_test_id("undo").click()
    expect(tiles).to_have_count(8)
    assert not Annotation.objects.filter(withdrawn_at=None).exists()
    expect(page.get_by_test_id("common-quantity")).to_have_value("1箱")
    expect(page.get_by_test_id("alike-2-quantity")).to_have_value("3箱")
    assert len({answer.task_id for answer in answers}) == 8
    assert sorted(a.fields["quantity"] for a in answers) == ["1箱"] * 7 + ["3箱"]
    assert [a.fields["condition"] for a in answers].count("破损") == 1
    for answer in answers:
        assert answer.suggestion_shown and answer.suggestion_used["sku"]
        assert answer.assignment.grid
    assert 0 < sum(answer.active_seconds for answer in answers) < 60
    knocked = Assignment.objects.filter(state="released").exclude(grid="")
    eventually(lambda: knocked.count() == 2, "two given back", page)
    at_rest(page)
    page.keyboard.press("Control+Enter")
    eventually(
        lambda: Annotation.objects.filter(withdrawn_at=None).count() == 8, "eight again", page
    )
    expect(page.get_by_test_id("field-sku")).to_be_visible()
    # Nothing is left of the grid: the knocked-out ones come singly.
    assert not Assignment.objects.filter(state="active").exclude(grid="").exists()


def test_leaving_the_grid_gives_everything_back(
    sign_in: Callable[[str], Page], project: Project, sku: Sku, live_server: Any, shots: Path
) -> None:
    alike(project, sku, 8)
    page = sign_in("anna")
    address = f"{live_server.url}/p/{project.pk}/label"
    page.goto(address)
    beside(page)
    in_grid = Assignment.objects.filter(state="active").exclude(grid="")
    for way in ("lookalikes-leave", "close"):
        page.get_by_test_id("lookalikes-open").click()
        expect(page.get_by_test_id("lookalikes").locator("li")).to_have_count(6)
        assert in_grid.count() == 6
        for language in ("en", "ja") if way == "close" else ():
            # The leases go back with the old page, and are taken anew.
            User.objects.filter(username="anna").update(language=language)
            page.goto(live_server.url)
            eventually(lambda: not in_grid.exists(), "the giving back", page)
            page.goto(address)
            beside(page)
            page.get_by_test_id("lookalikes-open").click()
            expect(page.get_by_test_id("lookalikes")).to_be_visible()
            look(page, shots, f"grid-{language}")
        if way == "close":
            page.goto(live_server.url)
        else:
            page.get_by_test_id(way).click()
        eventually(lambda: not in_grid.exists(), "the giving back", page)
    assert Task.objects.filter(state="ready", places_left=2, had=",").count() >= 6


def test_flagging_and_looking_at_ones_last_answers(
    sign_in: Callable[[str], Page], project: Project, sku: Sku, live_server: Any, shots: Path
) -> None:
    Project.objects.filter(pk=project.pk).update(lookalikes=False)
    alike(project, sku, 5)
    page = sign_in("anna")
    page.goto(f"{live_server.url}/p/{project.pk}/label")
    fill(page, "2箱")
    page.keyboard.press("Alt+m")
    page.get_by_test_id("flag-for-reviewer").check()
    page.get_by_test_id("flag-note").fill("包装改版了")
    look(page, shots, "flag")
    page.get_by_test_id("flag-save").click()
    expect(page.get_by_test_id("flag")).to_contain_text("请复核")
    # A mark is part of the draft.
    no_dialog(page)
    page.reload()
    expect(page.get_by_test_id("flag")).to_contain_text("请复核")
    at_work(page)
    page.keyboard.press("Control+Enter")
    eventually(lambda: Annotation.objects.count() == 1, "the answer", page)
    at_leisure()
    answer = Annotation.objects.get()
    assert (answer.flag, answer.note) == ("reviewer", "包装改版了")
    expect(page.get_by_test_id("field-quantity")).to_have_value("")

    page.get_by_test_id("recent-open").click()
    page.get_by_test_id(f"recent-{answer.pk}").click()
    own = page.get_by_test_id("own-answer")
    expect(own).to_contain_text("包装改版了")
    look(page, shots, "own")
    page.get_by_test_id("own-withdraw").click()
    expect(page.get_by_test_id("field-quantity")).to_have_value("2箱")
    assert not Annotation.objects.filter(withdrawn_at=None).exists()
    at_work(page)
    page.keyboard.press("Control+Enter")
    eventually(lambda: Annotation.objects.filter(withdrawn_at=None).count() == 1, "it again", page)
    again = Annotation.objects.latest("pk")
    Annotation.objects.filter(pk=again.pk).update(
        created_at=timezone.now() - timezone.timedelta(seconds=11)
    )
    page.get_by_test_id("recent-open").click()
    expect(page.get_by_test_id(f"recent-{again.pk}")).to_be_visible()
    look(page, shots, "recent")
    page.get_by_test_id(f"recent-{again.pk}").click()
    expect(page.get_by_test_id("own-read-only")).to_contain_text("只能查看")
    expect(page.get_by_test_id("own-withdraw")).to_have_count(0)
    page.get_by_test_id("recent-back").click()
    page.get_by_test_id("recent-flagged").click()
    expect(page.get_by_test_id(f"recent-{again.pk}")).to_contain_text("请复核")
