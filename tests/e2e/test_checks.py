"""What the annotator is held against: the catalog, the boxes drawn, the barcodes read, and a guess that
comes later, in the browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotator.accounts.models import Project
from annotator.captures.models import Capture
from annotator.labeling.models import Annotation, Assignment
from annotator.suggestions.models import PictureDescription

from .canvas import SKUS, add_task
from .waiting import at_work, eventually, still

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_mismatch_with_the_catalog_or_a_barcode_is_mended_by_a_key(
    open_page: Callable[[], Page], project: Project, shots: Path
) -> None:
    (chosen, *_), (other, _, barcode), *_ = SKUS
    add_task(project)
    square = [[10, 10], [90, 10], [90, 60], [10, 60]]
    PictureDescription.objects.create(
        image=Capture.objects.get().image, describer="fixed", embedding=b"",
        barcodes=[{"text": barcode, "format": "EAN13", "polygon": square}],
    )  # fmt: skip
    project.site.skus.filter(code=other).update(spec="750ml/盒")
    page = open_page()
    expect(page.get_by_test_id("field-sku")).to_have_value(chosen)
    expect(page.get_by_test_id("finding-barcode_differs")).to_contain_text(other)
    page.get_by_test_id("field-spec").fill("250ml/盒")
    expect(page.get_by_test_id("finding-catalog_differs")).to_contain_text("1L/盒")
    still(page)
    page.screenshot(path=shots / "world.png")
    # The other SKU comes with its own record: what it brings agrees with the catalog.
    page.keyboard.press("F6")
    expect(page.get_by_test_id("field-sku")).to_have_value(other)
    expect(page.get_by_test_id("field-spec")).to_have_value("750ml/盒")
    expect(page.get_by_test_id("finding-barcode_differs")).to_have_count(0)
    expect(page.get_by_test_id("finding-catalog_differs")).to_have_count(0)
    page.get_by_test_id("field-spec").fill("250ml/盒")
    expect(page.get_by_test_id("finding-catalog_differs")).to_be_visible()
    page.keyboard.press("F6")
    expect(page.get_by_test_id("field-spec")).to_have_value("750ml/盒")


def test_a_delayed_suggestion_comes_with_the_first_entry(
    open_page: Callable[[], Page], project: Project, shots: Path
) -> None:
    Project.objects.filter(pk=project.pk).update(withhold_rate=1.0, withhold_mode="delayed")
    add_task(project)
    page = open_page()
    at_work(page)
    expect(page.get_by_test_id("suggestion-later")).to_be_visible()
    expect(page.get_by_test_id("field-sku")).to_have_value("")
    page.get_by_test_id("field-quantity").fill("2盒")
    expect(page.get_by_test_id("field-sku")).to_have_value(SKUS[0][0], timeout=15_000)
    expect(page.get_by_test_id("suggestion-later")).to_have_count(0)
    expect(page.get_by_test_id("field-quantity")).to_have_value("2盒")
    still(page)
    page.screenshot(path=shots / "delayed.png")
    page.get_by_test_id("condition-1").click()
    page.keyboard.press("Control+Enter")
    eventually(lambda: Annotation.objects.count() == 1, "the answer", page)
    answer = Annotation.objects.get()
    assert (answer.suggestion_shown, answer.suggestion_delayed) == (True, True)
    assert answer.suggestion_used["sku"]


def test_a_suggestion_delayed_by_seconds_comes_after_them(
    open_page: Callable[[], Page], project: Project
) -> None:
    delay_s = 4
    Project.objects.filter(pk=project.pk).update(
        withhold_rate=1.0, withhold_mode="delayed", withhold_delay_s=delay_s
    )
    add_task(project)
    page = open_page()
    at_work(page)
    expect(page.get_by_test_id("suggestion-later")).to_be_visible()
    # An entry does not bring it before its time.
    page.get_by_test_id("field-quantity").fill("2盒")
    expect(page.get_by_test_id("field-sku")).to_have_value("")
    expect(page.get_by_test_id("field-sku")).to_have_value(SKUS[0][0], timeout=15_000)
    handed_out = Assignment.objects.get()
    assert timezone.now() >= handed_out.created_at + timedelta(seconds=delay_s)
    assert (handed_out.suggestion_shown, handed_out.suggestion_delayed) == (True, True)
    expect(page.get_by_test_id("suggestion-later")).to_have_count(0)
    expect(page.get_by_test_id("field-quantity")).to_have_value("2盒")
