"""A site's projects share its work: their shares, what a person is handed, batches on every list."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotator.accounts import services as accounts
from annotator.accounts.models import Membership, Project, SavedView, User
from annotator.catalog.models import Category
from annotator.labeling.models import Assignment, Batch, Task
from tests import factories

from .test_projects import shoot
from .tour import SKELETON
from .waiting import at_rest, at_work

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def photo(n: int) -> Any:
    return {"name": f"{n}.png", "mimeType": "image/png", "buffer": factories.picture_bytes(n)}


def test_shares_and_limits(
    sign_in: Callable[[str], Page], project: Project, live_server: Any, shots: Path
) -> None:
    site = project.site
    care = Category.objects.create(site=site, name="个人护理", path="个人护理")
    shampoo = Category.objects.create(site=site, name="洗发水", path="个人护理/洗发水", parent=care)
    Category.objects.create(site=site, name="饮料", path="饮料")
    admin = sign_in("adam")
    admin.goto(f"{live_server.url}/s/{site.pk}/admin/projects/{project.pk}")
    admin.get_by_test_id("setting-share").fill("2.5")
    admin.get_by_test_id("setting-random_share").fill("0.3")
    admin.get_by_test_id("setting-language").select_option("ja")
    shoot(admin, shots, "settings-shares")
    admin.get_by_test_id("settings-save").click()
    expect(admin.get_by_test_id("toast")).to_be_visible()
    project.refresh_from_db()
    assert (project.share, project.random_share, project.language) == (2.5, 0.3, "ja")

    admin.goto(f"{live_server.url}/s/{site.pk}/admin?tab=members")
    expect(admin.get_by_test_id("member-anna")).to_contain_text("不限")
    admin.get_by_test_id("anna-limits").click()
    # The search shows a category with what it hangs on.
    admin.get_by_test_id("limits-categories").fill("洗发")
    expect(admin.get_by_role("option")).to_have_count(2)
    shoot(admin, shots, "members-limits-search")
    admin.get_by_role("option", name="洗发水").click()
    admin.keyboard.press("Escape")  # closes the list, not the dialog
    expect(admin.get_by_role("option")).to_have_count(0)
    admin.get_by_test_id("limits-ja").click()
    shoot(admin, shots, "members-limits")
    admin.get_by_test_id("limits-save").click()
    expect(admin.get_by_test_id("limits-save")).to_be_hidden()
    expect(admin.get_by_test_id("member-anna")).to_contain_text("洗发水")
    expect(admin.get_by_test_id("member-anna")).to_contain_text("日本語")
    anna = Membership.objects.get(user__username="anna")
    assert (anna.categories, anna.languages) == ([shampoo.pk], ["ja"])
    shoot(admin, shots, "members-limited")


def test_batches_and_filters_on_the_lists(
    sign_in: Callable[[str], Page],
    worker: Callable[[], None],
    project: Project,
    live_server: Any,
    shots: Path,
) -> None:
    site = project.site
    cold, _ = accounts.ensure_project(site=site, slug="cold", name="冷藏")
    batch = Batch.objects.create(project=project, name="八月到货")
    admin = sign_in("adam")
    captures = f"{live_server.url}/s/{site.pk}/captures"
    admin.goto(captures)
    admin.get_by_test_id("upload-project").select_option(str(cold.pk))
    expect(admin.get_by_test_id("upload-batch")).to_have_count(0)
    admin.get_by_test_id("upload-project").select_option(str(project.pk))
    admin.get_by_test_id("upload-batch").select_option("八月到货")
    admin.get_by_test_id("upload-input").set_input_files([photo(1), photo(2)])
    expect(admin.get_by_test_id("upload-summary")).to_contain_text("2 / 2")
    worker()
    assert Task.objects.filter(project=project, batch=batch).count() == 2
    factories.TaskFactory(project=cold)

    # Everything that narrows or orders the pictures stands in the address.
    admin.reload()
    tiles = admin.locator("[data-testid^=capture-]")
    expect(tiles).to_have_count(3)
    admin.get_by_test_id("captures-project").select_option("主项目")
    expect(tiles).to_have_count(2)
    admin.get_by_test_id("captures-state").select_option("done")
    admin.get_by_test_id("captures-sort").select_option("blurriest")
    expect(admin).to_have_url(re.compile(f"project={project.pk}&state=done&sort=blurriest$"))
    expect(tiles).to_have_count(2)
    admin.get_by_test_id("views").click()
    admin.get_by_test_id("view-save").click()
    admin.get_by_test_id("view-name").fill("最模糊的")
    admin.get_by_test_id("view-keep").click()
    expect(admin.get_by_test_id("views")).to_contain_text("最模糊的")
    shoot(admin, shots, "captures-filters")
    admin.goto(captures)
    admin.get_by_test_id("views").click()
    admin.get_by_test_id(f"view-{SavedView.objects.get().pk}").click()
    expect(admin.get_by_test_id("captures-sort")).to_have_value("blurriest")

    admin.goto(f"{live_server.url}/p/{project.pk}/tasks")
    rows = admin.locator("[data-testid^=task-row-]")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("八月到货")
    with admin.expect_response(lambda answer: f"batch={batch.pk}" in answer.url):
        admin.get_by_test_id("tasks-batch").select_option("八月到货")
    expect(admin).to_have_url(re.compile(f"batch={batch.pk}$"))
    expect(rows).to_have_count(2)
    at_rest(admin)
    admin.get_by_test_id("tick-page").check()
    admin.get_by_test_id("bulk-batch").click()
    expect(admin.get_by_test_id(f"bulk-batch-{batch.pk}")).to_be_visible()
    shoot(admin, shots, "tasks-batch")
    admin.get_by_test_id("bulk-batch-none").click()
    expect(admin.get_by_test_id("bulk-bar")).to_be_hidden()
    worker()
    assert not Task.objects.filter(batch=batch).exists()


def test_a_task_of_whichever_project_has_its_turn(
    sign_in: Callable[[str], Page], project: Project, live_server: Any, shots: Path
) -> None:
    cold, _ = accounts.ensure_project(site=project.site, slug="cold", name="冷藏")
    Project.objects.filter(pk=project.pk).update(share=0)
    ben = sign_in("ben")
    next_on_site = ben.get_by_test_id(f"site-next-{project.site_id}")
    expect(ben.get_by_test_id(f"home-project-{cold.pk}")).to_be_visible()
    expect(ben.locator(SKELETON)).to_have_count(0)
    at_rest(ben)
    expect(next_on_site).to_have_count(0)  # only one project takes turns
    Project.objects.filter(pk=project.pk).update(share=1)
    ben.reload()
    next_on_site.click()
    expect(ben.get_by_test_id("toast")).to_contain_text("没有可派给你的任务")
    task = factories.TaskFactory(project=cold)
    shoot(ben, shots, "home-site-next")
    next_on_site.click()
    expect(ben).to_have_url(re.compile(f"/p/{cold.pk}/label$"))
    at_work(ben)
    expect(ben.get_by_test_id("field-sku")).to_be_visible()
    held = Assignment.objects.filter(annotator=User.objects.get(username="ben"))
    assert [one.task_id for one in held] == [task.pk], "the page goes on with what was taken"
