"""An admin makes a project with a field of its own, an annotator labels with it, and the field
changes while work is open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from annotator.accounts.models import Project, User
from annotator.captures.intake import take_in
from annotator.labeling.models import Annotation, Batch
from tests import factories

from .waiting import at_rest, at_work, eventually, no_dialog, still

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = {"1440": (1440, 900), "1024": (1024, 768)}


def shoot(page: Page, shots: Path, name: str) -> None:
    """The page at two sizes, light and dark, to be looked at."""
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            still(page)
            page.screenshot(path=shots / f"{name}-{size}-{theme}.png")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1440, "height": 900})


def fill(page: Page, **values: str) -> None:
    for key, value in values.items():
        page.get_by_test_id(f"field-{key}").fill(value)
        page.get_by_test_id(f"field-{key}").press("Tab")


def test_a_project_with_its_own_field(
    sign_in: Callable[[str], Page],
    worker: Callable[[], None],
    project: Project,
    live_server: Any,
    tmp_path: Path,
    shots: Path,
) -> None:
    site = project.site
    admin = sign_in("adam")
    admin.goto(f"{live_server.url}/s/{site.pk}/admin")
    admin.get_by_test_id("projects-archived").click()
    expect(admin.get_by_test_id("empty-state")).to_be_visible()
    admin.get_by_role("button", name="进行中").click()
    expect(admin.get_by_test_id("project-row-main")).to_be_visible()
    shoot(admin, shots, "projects-list")
    admin.get_by_test_id("project-new").click()
    admin.get_by_test_id("new-project-name").fill("冷藏 Dairy 2026")
    expect(admin.get_by_test_id("new-project-slug")).to_have_value("dairy-2026")
    admin.get_by_test_id("new-project-slug").fill("main")
    admin.get_by_test_id("new-project-make").click()
    expect(admin.get_by_text("站点里已有标识为 main 的项目")).to_be_visible()
    admin.get_by_test_id("new-project-slug").fill("dairy")
    admin.get_by_test_id("new-project-make").click()
    expect(admin.get_by_test_id("setting-name")).to_have_value("冷藏 Dairy 2026")
    dairy = Project.objects.get(slug="dairy")
    shoot(admin, shots, "project-settings")
    admin.get_by_test_id("setting-threshold").fill("0.9")
    # What is not saved is not lost in passing.
    admin.get_by_test_id("tab-schema").click()
    expect(admin.get_by_test_id("leave-stay")).to_be_visible()
    admin.get_by_test_id("leave-stay").click()
    no_dialog(admin)
    admin.get_by_test_id("settings-save").click()
    expect(admin.get_by_test_id("toast")).to_be_visible()
    expect(admin.get_by_test_id("settings-save")).to_be_disabled()

    admin.get_by_test_id("tab-schema").click()
    admin.get_by_test_id("preset-expiry").click()
    expect(admin.get_by_test_id("preview-caption")).to_contain_text("【保质期】2026-03-01")
    admin.get_by_test_id("expiry-required").check()
    # The keyboard moves it up; undo moves it back.
    admin.get_by_test_id("expiry-key").press("Alt+ArrowUp")
    expect(admin.get_by_test_id("preview-caption")).to_contain_text("】2026-03-01|【状态】")
    admin.get_by_test_id("schema-undo").click()
    expect(admin.get_by_test_id("preview-caption")).to_contain_text("】完好无损|【保质期】")
    # The preview's rows are the real ones: they check what is typed.
    admin.get_by_test_id("field-expiry").fill("明天")
    admin.get_by_test_id("field-expiry").press("Tab")
    expect(admin.get_by_test_id("field-expiry-error")).to_contain_text("不是日期")
    # An error of the schema stands at its field, and nothing can be saved.
    admin.get_by_test_id("expiry-label-zh").fill("品类")
    expect(admin.get_by_test_id("expiry-error")).to_contain_text("已是字段")
    expect(admin.get_by_test_id("schema-save")).to_be_disabled()
    shoot(admin, shots, "schema-error")
    admin.get_by_test_id("expiry-label-zh").fill("保质期")
    expect(admin.get_by_test_id("schema-save")).to_be_enabled()
    shoot(admin, shots, "schema")
    admin.get_by_test_id("schema-save").click()
    expect(admin.get_by_text("字段已保存，第 2 版")).to_be_visible()
    expect(admin.get_by_test_id("schema-save")).to_be_disabled()
    dairy.refresh_from_db()
    assert dairy.threshold == 0.9
    assert [f["key"] for f in dairy.schema["fields"]][-1] == "expiry"

    admin.get_by_test_id("tab-guide").click()
    admin.get_by_test_id("guide-text").fill("# 怎么看保质期\n\n看**瓶盖**上的喷码：\n")
    picture = {"name": "cap.png", "mimeType": "image/png", "buffer": factories.picture_bytes(7)}
    admin.get_by_test_id("guide-picture").set_input_files([picture])  # type: ignore[list-item]
    expect(admin.get_by_test_id("markdown").locator("img")).to_be_visible()
    with admin.expect_response(lambda answer: answer.request.method == "PATCH") as stored:
        admin.get_by_test_id("guide-save").click()
    assert stored.value.ok
    expect(admin.get_by_test_id("guide-save")).to_be_disabled()
    expect(admin.get_by_test_id("guide-save")).not_to_have_attribute("data-loading", "true")
    shoot(admin, shots, "guide")

    admin.get_by_test_id("tab-batches").click()
    admin.get_by_test_id("batch-name").fill("八月到货")
    admin.get_by_test_id("batch-due").fill("2030-08-31")
    admin.get_by_test_id("batch-create").click()
    expect(admin.get_by_test_id("batch-八月到货")).to_be_visible()
    shoot(admin, shots, "batches")
    batch = Batch.objects.get(project=dairy)
    for n in range(2):
        take_in(
            site=site,
            name=f"{n}.jpg",
            data=factories.picture_bytes(20 + n),
            source="test",
            project=dairy,
            batch=batch.pk,
        )
    worker()

    anna = sign_in("anna")
    anna.set_viewport_size({"width": 1440, "height": 900})
    anna.goto(f"{live_server.url}/p/{dairy.pk}/label")
    at_work(anna)
    expect(anna.get_by_test_id("guide-open")).to_have_attribute("data-unread", "true")
    anna.keyboard.press("Escape")
    anna.keyboard.press("g")
    expect(anna.get_by_test_id("guide").locator("img")).to_be_visible()
    shoot(anna, shots, "label-guide")
    anna.keyboard.press("Escape")
    no_dialog(anna)
    expect(anna.get_by_test_id("guide-open")).not_to_have_attribute("data-unread", "true")
    fill(anna, sku="MILK-1", category="乳品", spec="250ml/盒", quantity="3盒")
    anna.get_by_test_id("condition-1").click()
    anna.keyboard.press("Control+Enter")
    expect(anna.get_by_test_id("field-expiry-error")).to_be_visible()
    fill(anna, expiry="2026年9月1日")
    expect(anna.get_by_test_id("caption-line")).to_contain_text("【保质期】2026-09-01")
    shoot(anna, shots, "label-expiry")
    anna.keyboard.press("Control+Enter")
    expect(anna.get_by_test_id("undo")).to_be_visible()
    assert Annotation.objects.get().caption.endswith("【保质期】2026-09-01")

    # Her answer waits for a second one. A new required field gives it back to her, as it was.
    admin.get_by_test_id("tab-schema").click()
    admin.get_by_test_id("preset-origin").click()
    admin.get_by_test_id("origin-required").check()
    expect(admin.get_by_test_id("schema-consequences")).to_contain_text("新增必填：产地")
    expect(admin.get_by_test_id("schema-returned")).to_contain_text("1 份已交的答案")
    shoot(admin, shots, "schema-consequences")
    admin.get_by_test_id("schema-save").click()
    expect(admin.get_by_text("字段已保存，第 3 版")).to_be_visible()
    worker()
    anna.reload()
    expect(anna.get_by_test_id("field-sku")).to_have_value("MILK-1")
    expect(anna.get_by_test_id("field-expiry")).to_have_value("2026-09-01")
    at_work(anna)
    fill(anna, origin="内蒙古")
    with anna.expect_response(lambda answer: answer.url.endswith("/submit")) as sent:
        anna.keyboard.press("Control+Enter")
    assert sent.value.ok
    standing = Annotation.objects.get(withdrawn_at=None)
    assert standing.caption.endswith("【保质期】2026-09-01|【产地】内蒙古")
    assert standing.schema_version == 3

    for language in ("en", "ja"):
        User.objects.filter(username="adam").update(language=language)
        admin.reload()
        expect(admin.get_by_test_id("preview-caption")).to_be_visible()
        admin.set_viewport_size({"width": 1024, "height": 768})
        admin.screenshot(path=shots / f"schema-{language}.png")
        admin.goto(f"{live_server.url}/s/{site.pk}/admin?tab=members")
        expect(admin.get_by_test_id("member-anna")).to_be_visible()
        admin.screenshot(path=shots / f"members-{language}.png")
        admin.goto(f"{live_server.url}/s/{site.pk}/admin/projects/{dairy.pk}?tab=schema")


def test_the_guide_is_read_while_the_photo_comes(
    sign_in: Callable[[str], Page], project: Project, live_server: Any
) -> None:
    """The photo, when it comes, does not take the keys away from what is being read."""
    Project.objects.filter(pk=project.pk).update(guide="# 怎么数箱")
    factories.TaskFactory(project=project)
    page = sign_in("anna")
    held: list[Route] = []
    page.route("**/next", lambda route: held.append(route))
    page.goto(f"{live_server.url}/p/{project.pk}/label")
    expect(page.get_by_test_id("guide-open")).to_be_visible()
    eventually(lambda: len(held) == 1, "the asking", page)
    at_rest(page)
    page.keyboard.press("g")
    expect(page.get_by_test_id("guide")).to_be_visible()
    expect(page.locator("[role=dialog] :focus")).to_have_count(1)
    held[0].continue_()
    page.unroute("**/next")
    expect(page.get_by_test_id("field-sku")).to_be_attached()
    at_rest(page)
    expect(page.locator("[role=dialog] :focus")).to_have_count(1)
    page.keyboard.press("Escape")
    no_dialog(page)


def test_a_member_is_added_with_a_password_shown_once(
    sign_in: Callable[[str], Page], project: Project, live_server: Any, shots: Path
) -> None:
    admin = sign_in("adam")
    admin.goto(f"{live_server.url}/s/{project.site_id}/admin?tab=members")
    admin.get_by_test_id("member-username").fill("lilei")
    admin.get_by_test_id("member-name").fill("李雷")
    admin.get_by_test_id("new-role-reviewer").click()
    admin.get_by_test_id("member-add").click()
    password = admin.get_by_test_id("member-password").inner_text()
    shoot(admin, shots, "members")
    person = User.objects.get(username="lilei")
    assert person.check_password(password)
    assert set(person.memberships.values_list("role", flat=True)) == {"annotator", "reviewer"}
    admin.get_by_test_id("adam-role-admin").click()
    admin.get_by_test_id("adam-leave-sure").click()
    expect(admin.get_by_test_id("adam-error")).to_contain_text("最后一位管理员")
    admin.get_by_test_id("lilei-active").click()
    expect(admin.get_by_test_id("member-lilei")).to_contain_text("已停用")
    admin.reload()
    expect(admin.get_by_test_id("member-lilei")).to_be_visible()
    expect(admin.get_by_test_id("member-password")).to_have_count(0)
