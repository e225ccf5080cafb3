"""The main job in the browser: photos in, two annotators, one agreed and one disputed task, a
reviewer, a data set out."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotator.accounts.models import Project
from annotator.catalog.models import Sku
from annotator.labeling.models import Annotation, Task
from annotator.quality import services as quality
from annotator.review.models import Decision
from inference.scenes import demo_catalog, render_reference, render_scene

from .waiting import at_work, no_dialog

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def jpeg(image: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def import_catalog(page: Page, skus: list[Any], folder: Path) -> None:
    """The admin imports a CSV that has one bad row at first."""
    good = [["code", "name", "brand", "category", "spec", "unit", "barcode", "pack_text"]]
    good += [
        [s.code, s.name, s.brand, s.category, s.spec, s.unit, s.barcode, s.pack_text] for s in skus
    ]
    bad = [*good, ["BAD CODE", "坏行", "", "", "看不懂的规格??", "", "", ""]]
    for name, rows in (("bad.csv", bad), ("good.csv", good)):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
    page.get_by_test_id("import-open").click()
    page.get_by_test_id("import-file").set_input_files(folder / "bad.csv")
    page.get_by_test_id("import-dry-run").click()
    expect(page.get_by_test_id("import-error").first).to_contain_text("BAD CODE")
    assert Sku.objects.count() == 0
    page.get_by_test_id("import-file").set_input_files(folder / "good.csv")
    page.get_by_test_id("import-dry-run").click()
    expect(page.get_by_test_id("import-report")).to_be_visible()
    expect(page.get_by_test_id("import-error")).to_have_count(0)
    page.get_by_test_id("import-apply").click()
    expect(page.get_by_test_id(f"sku-row-{skus[0].code}")).to_be_visible()


def label(page: Page, sku: str, quantity: str, *, condition: int = 1) -> None:
    """Fill what is not filled yet and submit with the keyboard."""
    field = page.get_by_test_id("field-sku")
    expect(field).to_be_visible()
    if field.input_value() != sku:
        field.fill(sku)
        page.get_by_test_id("field-sku-option-1").click()
    expect(page.get_by_test_id("field-category")).not_to_have_value("")
    expect(page.get_by_test_id("field-spec")).not_to_have_value("")
    page.get_by_test_id("field-quantity").fill(quantity)
    page.get_by_test_id("field-quantity").press("Tab")
    page.get_by_test_id(f"condition-{condition}").click()
    expect(page.get_by_test_id("caption-line")).to_contain_text(sku)
    page.keyboard.press("Control+Enter")


def test_from_photos_to_a_data_set(
    sign_in: Callable[[str], Page],
    worker: Callable[[], None],
    project: Project,
    live_server: Any,
    tmp_path: Path,
    shots: Path,
) -> None:
    skus = demo_catalog()[:2]
    admin = sign_in("adam")
    admin.goto(f"{live_server.url}/s/{project.site_id}/catalog")
    import_catalog(admin, skus, tmp_path)
    for sku in skus:
        admin.get_by_test_id(f"sku-row-{sku.code}").get_by_role("button").click()
        picture = {
            "name": "ref.jpg",
            "mimeType": "image/jpeg",
            "buffer": jpeg(render_reference(sku, 1)),
        }
        with admin.expect_response("**/pictures") as added:
            admin.get_by_test_id("sku-picture").set_input_files([picture])
        assert added.value.ok
        expect(admin.locator('[role=dialog] img[src*="/api/v1/images/"]').first).to_be_visible()
        admin.keyboard.press("Escape")
        no_dialog(admin)
    # The recognizer has learnt of them: what it says of the photos is no matter of speed.
    worker()

    # Photos come in, a corrupt one among them; it stops nobody.
    admin.goto(f"{live_server.url}/s/{project.site_id}/captures")
    photos = {
        sku.code: jpeg(render_scene(sku, 5, cam_types=("front",), count=2, grade=0).views["front"])
        for sku in skus
    }
    files = [
        {"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": data}
        for n, data in enumerate(photos.values())
    ]
    files.insert(
        1, {"name": "broken.jpg", "mimeType": "image/jpeg", "buffer": files[0]["buffer"][:900]}
    )
    admin.get_by_test_id("upload-project").select_option(str(project.pk))
    admin.get_by_test_id("upload-input").set_input_files(files)
    expect(admin.get_by_test_id("upload-row")).to_have_count(3)
    expect(admin.locator('[data-testid="upload-row"][data-state="quarantined"]')).to_have_count(1)
    expect(admin.locator('[data-testid="upload-row"][data-state="created"]')).to_have_count(2)
    admin.screenshot(path=shots / "captures.png")
    admin.get_by_test_id("tab-quarantine").click()
    expect(admin.get_by_test_id("quarantine-row")).to_contain_text("broken.jpg")
    worker()
    assert Task.objects.filter(state="ready").count() == 2

    # Two people, each in a browser of their own. They agree on the first SKU, not on the second.
    for person, second_count in (("anna", "2箱"), ("ben", "3箱")):
        page = sign_in(person)
        page.goto(f"{live_server.url}/p/{project.pk}/label")
        for turn in range(2):
            at_work(page)
            expect(page.get_by_test_id("photo").locator("img, image").first).to_be_visible()
            expect(page.get_by_test_id("field-quantity")).to_have_value("")
            sku = page.get_by_test_id("field-sku").input_value()
            if turn == 0:
                page.screenshot(path=shots / f"label-{person}.png")
            assert sku in photos, "the evidence should have named the SKU of a clean front view"
            with page.expect_response("**/submit") as sent:
                label(page, sku, "2箱" if sku == skus[0].code else second_count)
            assert sent.value.ok
            expect(page.get_by_test_id("undo").last).to_be_visible()
        expect(page.get_by_test_id("empty-state")).to_be_visible()
    worker()
    assert Annotation.objects.count() == 4
    assert sorted(Task.objects.values_list("state", flat=True)) == ["decided", "disputed"]

    reviewer = sign_in("rita")
    disputed = Task.objects.get(state="disputed")
    reviewer.goto(f"{live_server.url}/p/{project.pk}/review")
    reviewer.get_by_test_id(f"review-row-{disputed.pk}").get_by_role("link").first.click()
    expect(reviewer.get_by_test_id("pick-b-quantity")).to_contain_text("3箱")
    expect(reviewer.locator("body")).not_to_contain_text("小本")
    reviewer.screenshot(path=shots / "review.png")
    reviewer.get_by_test_id("pick-b-quantity").click()
    expect(reviewer.get_by_test_id("caption-line")).to_contain_text("3箱")
    reviewer.keyboard.press("Control+Enter")
    reviewer.wait_for_function(f"() => !location.pathname.endsWith('/{disputed.pk}')")
    worker()
    decision = Decision.objects.get(task=disputed, superseded_at=None)
    assert (decision.source, decision.fields["quantity"]) == ("arbitrated", "3箱")

    quality.rebuild(project)  # events would have it there in a quarter of a minute
    admin.goto(f"{live_server.url}/p/{project.pk}/quality")
    expect(admin.get_by_test_id("metric-completeness")).to_contain_text("100")
    admin.screenshot(path=shots / "quality.png")
    admin.goto(f"{live_server.url}/s/{project.site_id}/admin")
    with admin.expect_download() as download:
        admin.get_by_test_id("dataset-export").first.click()
    with zipfile.ZipFile(download.value.path()) as archive:
        captions = {
            json.loads(line)["caption"]
            for name in archive.namelist()
            if name.startswith("annotations/")
            for line in archive.read(name).decode().splitlines()
        }
        assert "manifest.json" in archive.namelist()
    assert captions == set(
        Decision.objects.filter(superseded_at=None).values_list("caption", flat=True)
    )
    assert len(captions) == 2
