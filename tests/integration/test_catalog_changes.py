"""Changing a catalog at large: workbooks, mirrors, differences, merges, the category tree, and that
completion and suggestions follow."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.utils import timezone
from tablib import Dataset

from annotator.accounts.models import Site
from annotator.accounts.states import Role
from annotator.catalog import completion, importing, queries, services
from annotator.catalog.models import Category, ReferencePicture, Sku
from annotator.catalog.table import MAX_XLSX_BYTES, read_table
from annotator.core import outbox
from annotator.core.models import AuditEntry, Job, OutboxEvent
from annotator.suggestions.merging import merged_candidates
from annotator.suggestions.models import CaptureSuggestion, SiteChange, SiteMemory, Suggestion
from inference.contracts import Example
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)

HEADER = ["code", "name", "category", "barcode", "sales_volume"]


@pytest.fixture
def site() -> Site:
    made: Site = factories.SiteFactory()
    return made


@pytest.fixture
def admin(site: Site) -> Api:
    return Api(factories.member(site, Role.ADMIN))


def workbook(*rows: list[Any]) -> bytes:
    content: bytes = Dataset(*rows, headers=HEADER).export("xlsx")
    return content


def table(*rows: list[Any]) -> bytes:
    return "\n".join(",".join(map(str, row)) for row in [HEADER, *rows]).encode()


def send(api: Api, data: bytes, status: int = 200, **options: str) -> Any:
    answer = api.upload("/catalog/import", file=SimpleUploadedFile("skus", data), **options)
    assert answer.status_code == status, answer.content
    return answer.json()


# --- files ----------------------------------------------------------------------------------


def test_a_workbook_reads_like_a_csv() -> None:
    rows = [["A-1", "洗发水", "个人护理", 4006381333931, 12.5], ["A 2", None, "", "", "x"]]
    sheet, text = read_table(workbook(*rows)), read_table(table(rows[0], ["A 2", "", "", "", "x"]))
    assert (sheet.rows, sheet.errors) == (text.rows, text.errors)
    assert sheet.rows[0].values["barcode"] == "4006381333931"
    assert {error.code for error in sheet.errors} == {"bad_code", "required", "bad_number"}


def test_what_is_no_workbook_is_told() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "no sheet")
    assert [e.code for e in read_table(out.getvalue()).errors] == ["bad_xlsx"]
    assert [e.code for e in read_table(b"PK\x03\x04broken").errors] == ["bad_xlsx"]


def test_a_workbook_that_unpacks_to_too_much_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotator.catalog.table.MAX_XLSX_BYTES", 1000)
    assert MAX_XLSX_BYTES > 1000
    report = read_table(workbook(["A-1", "x", "", "", ""]))
    assert [e.code for e in report.errors] == ["bad_xlsx"]


# --- differences and mirrors ------------------------------------------------------------------


def test_a_dry_run_shows_old_and_new_values(site: Site, admin: Api) -> None:
    send(admin, table(["A-1", "洗发水", "护理", "", 1], ["A-2", "牙膏", "护理", "", 1]))
    report = send(
        admin,
        table(["A-1", "洗发露", "护理/洗发", "", 1], ["A-3", "肥皂", "", "", 1]),
        dry_run="true",
        mirror="true",
    )
    changes = [(c["line"], c["code"], c["action"], c["fields"]) for c in report["changes"]]
    assert changes == [
        (2, "A-1", "update", {"name": ["洗发水", "洗发露"], "category": ["护理", "护理/洗发"]}),
        (3, "A-3", "create", {}),
        (None, "A-2", "deactivate", {}),
    ]
    assert report["deactivated"] == 1
    assert Sku.objects.get(code="A-1").name == "洗发水"


def test_a_mirror_deactivates_what_is_left_out(site: Site, admin: Api) -> None:
    send(admin, table(["A-1", "洗发水", "", "", 1], ["A-2", "牙膏", "", "", 1]))
    OutboxEvent.objects.all().delete()
    report = send(admin, table(["A-1", "洗发水", "", "", 1]), mirror="true")
    assert (report["unchanged"], report["deactivated"]) == (1, 1)
    assert not Sku.objects.get(code="A-2").active
    changed = [event.payload["sku"] for event in OutboxEvent.objects.filter(handler="learn_skus")]
    assert changed == [Sku.objects.get(code="A-2").pk]


def test_a_mirror_wants_good_rows(site: Site, admin: Api) -> None:
    send(admin, table(["A-1", "洗发水", "", "", 1]))
    refused = send(admin, table(["A-2", "", "", "", 1]), status=400, mirror="true", skip_bad="true")
    assert refused["errors"][0]["code"] == "mirror_needs_good_rows"
    assert Sku.objects.get().active


def test_a_large_file_is_imported_by_a_job(
    site: Site, admin: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "JOB_FROM_ROWS", 3)
    monkeypatch.setattr(importing, "SLICE", 2)
    rows = [[f"A-{n}", f"商品{n}", f"品类{n % 2}", "", n] for n in range(5)]
    started = send(admin, table(*rows), status=202)
    assert not Sku.objects.exists()
    outbox.drain("bulk")
    job = Job.objects.get(pk=started["job"])
    assert (job.state, job.total, job.done) == ("done", 5, 5)
    assert job.result["created"] == 5
    assert Sku.objects.count() == 5 and Category.objects.count() == 2
    assert not default_storage.exists(job.params["file"])
    # dry runs answer at once, whatever the size
    assert send(admin, table(*rows), dry_run="true")["unchanged"] == 5


def test_an_import_leaves_alone_what_others_changed_meanwhile(site: Site) -> None:
    importing.import_catalog(site=site, table=read_table(table(["A-1", "a", "", "", 1])))
    sku = Sku.objects.get()
    plan = importing._Planned(sku, None, {"name": "b"}, [])
    Sku.objects.filter(pk=sku.pk).update(brand="theirs", version=7)
    importing._write(site, [plan], None)
    sku.refresh_from_db()
    assert (sku.name, sku.brand, sku.version) == ("b", "theirs", 8)


def test_the_command_mirrors_too(site: Site, tmp_path: Any) -> None:
    path = tmp_path / "c.xlsx"
    path.write_bytes(workbook(["A-1", "x", "", "", 1], ["A-2", "y", "", "", 1]))
    call_command("import_catalog", str(path), "--json", stdout=io.StringIO())
    path.write_bytes(workbook(["A-2", "y", "", "", 1]))
    out = io.StringIO()
    call_command("import_catalog", str(path), "--mirror", "--json", stdout=out)
    assert json.loads(out.getvalue())["deactivated"] == 1
    path.write_bytes(workbook(["A 2", "y", "", "", 1]))
    with pytest.raises(CommandError, match="镜像"):
        call_command("import_catalog", str(path), "--mirror")


# --- completion follows -----------------------------------------------------------------------


def codes(site: Site, text: str) -> list[str]:
    return [one.sku.code for one in queries.complete(site_id=site.pk, text=text)]


def test_what_changes_is_found_at_once(site: Site, admin: Api) -> None:
    send(admin, table(["A-1", "洗发水", "", "", 1], ["A-2", "洗衣液", "", "", 2]))
    assert codes(site, "洗") == ["A-2", "A-1"]
    kept = completion._kept[site.pk].lexicon
    sku = Sku.objects.get(code="A-2")
    assert admin.patch(f"/skus/{sku.pk}", {"name": "柔顺剂"}).status_code == 200
    send(admin, table(["A-3", "洗手液", "", "", 9]))
    assert codes(site, "洗") == ["A-3", "A-1"]
    assert codes(site, "rsj") == ["A-2"]
    admin.patch(f"/skus/{sku.pk}", {"active": False})
    assert codes(site, "rsj") == []
    assert completion._kept[site.pk].lexicon is kept, "only what is new was read"


def test_many_changes_make_a_new_lexicon(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "NEW_AT_MOST", 1)
    factories.SkuFactory(site=site, code="A-1", name="洗发水")
    assert codes(site, "洗") == ["A-1"]
    factories.SkuFactory.create_batch(2, site=site, name="洗衣液")
    assert len(codes(site, "洗")) == 3
    assert len(completion._kept[site.pk].lexicon.entries) == 3


def test_what_was_decided_lately_comes_first(site: Site) -> None:
    factories.SkuFactory(site=site, code="A-1", name="洗发水", sales_volume=100)
    used = factories.SkuFactory(site=site, code="A-2", name="洗衣液", sales_volume=1)
    assert codes(site, "洗") == ["A-1", "A-2"]
    for _ in range(5):
        services.count_uses(site_id=site.pk, codes=["a-2"])
    completion._kept.clear()
    assert codes(site, "洗") == ["A-2", "A-1"]
    used.refresh_from_db()
    later = timezone.now() + timedelta(days=70)
    assert completion.decayed(used.uses, used.used_at, later) < 0.01
    with time_machine.travel(later, tick=False):
        completion._kept.clear()
        assert codes(site, "洗") == ["A-1", "A-2"]


def test_misspelt_names_are_found_through_the_api(site: Site, admin: Api) -> None:
    factories.SkuFactory(site=site, code="OAT-1", name="Oatly Haverdryck")
    found = admin.get(f"/skus/autocomplete?site={site.pk}&q=haverdrikc").json()["results"]
    assert [(row["code"], row["match"]) for row in found] == [("OAT-1", "typo")]


# --- merging ----------------------------------------------------------------------------------


def candidate(code: str, confidence: float) -> dict[str, Any]:
    return {"sku_code": code, "confidence": confidence, "parts": {}, "words": []}


def suggested(site: Site, *candidates: dict[str, Any]) -> Suggestion:
    capture = factories.CaptureFactory(site=site)
    first = candidates[0]
    row = Suggestion.objects.create(
        capture=capture,
        model_version="m",
        site_number=1,
        fields={
            "sku": {"value": first["sku_code"], "confidence": first["confidence"], "source": "x"},
            "spec": {"value": "1L", "confidence": 0.5, "source": "catalog"},
            "quantity": None,
        },
        candidates=list(candidates),
        neighbours=[{"key": "ref:1", "sku_code": first["sku_code"], "similarity": 1.0}],
        flags=[],
        timings_ms={},
    )
    CaptureSuggestion.objects.create(capture=capture, state="done", current=row)
    return row


@pytest.fixture
def pair(site: Site) -> tuple[Sku, Sku]:
    old = factories.SkuFactory(site=site, code="OLD", name="旧名", sales_volume=3, spec="1L")
    new = factories.SkuFactory(site=site, code="NEW", name="新名", sales_volume=4, spec="500ml")
    return old, new


def test_a_merge_moves_pictures_and_leads_codes_on(
    site: Site, admin: Api, pair: tuple[Sku, Sku]
) -> None:
    old, new = pair
    both, only = factories.StoredImageFactory.create_batch(2, site=site)
    ReferencePicture.objects.create(sku=new, image=both)
    for image in (both, only):
        ReferencePicture.objects.create(sku=old, image=image)
    answer = admin.post(f"/skus/{old.pk}/merge", {"into": new.pk})
    assert answer.status_code == 200, answer.content
    assert len(answer.json()["pictures"]) == 2
    old.refresh_from_db(), new.refresh_from_db()
    assert (old.active, old.merged_into_id, new.sales_volume) == (False, new.pk, 7)
    assert queries.skus_by_code(site_id=site.pk, codes=["old"])["old"] == new
    assert codes(site, "old") == [] and codes(site, "xm") == ["NEW"]
    assert AuditEntry.objects.get(action="sku.merged").data["target"] == "NEW"
    again = admin.post(f"/skus/{new.pk}/merge", {"into": old.pk})
    assert (again.status_code, again.json()["code"]) == (409, "cannot_merge")
    assert admin.post(f"/skus/{new.pk}/merge", {"into": new.pk}).status_code == 409
    foreign = factories.SkuFactory()
    assert admin.post(f"/skus/{new.pk}/merge", {"into": foreign.pk}).status_code == 404


def test_suggestions_are_rewritten_and_history_is_not(site: Site, pair: tuple[Sku, Sku]) -> None:
    old, new = pair
    shown = suggested(site, candidate("OLD", 0.6), candidate("NEW", 0.3), candidate("X", 0.1))
    other = suggested(site, candidate("X", 0.9))
    SiteMemory.objects.create(site=site, last_number=1)
    example = Example("cap:1", "OLD", "decided", b"\0" * 8).to_json()
    SiteChange.objects.create(
        site=site, number=1, op="put_example", key="cap:1", payload={"example": example}
    )
    services.merge_skus(source=old, target=new, actor=factories.UserFactory())
    outbox.drain("bulk")
    job = Job.objects.get(kind="rewrite_suggestions")
    assert (job.state, job.counts) == ("done", {"changed": 1, "left_alone": 1}), job.error
    status = CaptureSuggestion.objects.get(capture=shown.capture)
    assert status.current is not None and status.current != shown
    assert [(c["sku_code"], round(c["confidence"], 2)) for c in status.current.candidates] == [
        ("NEW", 0.9),
        ("X", 0.1),
    ]
    assert status.current.fields["sku"]["value"] == "NEW"
    assert status.current.fields["spec"]["value"] == "500ml"
    assert status.current.neighbours[0]["sku_code"] == "NEW"
    shown.refresh_from_db()
    assert shown.candidates[0]["sku_code"] == "OLD", "what was shown to somebody stays"
    assert CaptureSuggestion.objects.get(capture=other.capture).current == other
    last = SiteChange.objects.filter(key="cap:1").latest("number")
    assert last.payload["example"]["sku_code"] == "NEW"


def test_merging_candidates_keeps_their_order() -> None:
    merged = merged_candidates([candidate("A", 0.5), candidate("B", 0.4)], "B", "C")
    assert [(c["sku_code"], c["confidence"]) for c in merged] == [("A", 0.5), ("C", 0.4)]
    assert merged_candidates([candidate("A", 0.7), candidate("B", 0.6)], "B", "A")[0][
        "confidence"
    ] == pytest.approx(1.0)


def test_a_merged_sku_that_is_active_again_stands_alone(admin: Api, pair: tuple[Sku, Sku]) -> None:
    old, new = pair
    services.merge_skus(source=old, target=new, actor=factories.UserFactory())
    assert admin.patch(f"/skus/{old.pk}", {"active": True}).json()["merged_into"] is None


# --- the tree ---------------------------------------------------------------------------------


def test_renaming_and_moving_takes_everything_below_along(site: Site, admin: Api) -> None:
    send(admin, table(["A-1", "x", "食品/饮料/茶", "", 1], ["A-2", "y", "日用", "", 1]))
    OutboxEvent.objects.all().delete()
    drinks = Category.objects.get(path="食品/饮料")
    home = Category.objects.get(path="日用")
    answer = admin.patch(f"/categories/{drinks.pk}", {"name": "饮品", "parent": home.pk})
    assert (answer.status_code, answer.json()["path"]) == (200, "日用/饮品")
    assert Sku.objects.get(code="A-1").category.path == "日用/饮品/茶"  # type: ignore[union-attr]
    told = [event.payload["sku"] for event in OutboxEvent.objects.filter(handler="learn_skus")]
    assert told == [Sku.objects.get(code="A-1").pk]
    below = admin.patch(f"/categories/{home.pk}", {"parent": drinks.pk})
    assert below.json()["errors"][0]["code"] == "below_itself"
    taken = admin.post("/categories", {"site": site.pk, "name": "饮品", "parent": home.pk})
    assert taken.status_code == 409
    bad = admin.patch(f"/categories/{home.pk}", {"name": "a/b"})
    assert bad.json()["errors"][0]["code"] == "bad_category_name"


def test_a_category_is_removed_only_when_nothing_is_lost(site: Site, admin: Api) -> None:
    send(admin, table(["A-1", "x", "食品/茶", "", 1]))
    food, tea = Category.objects.get(path="食品"), Category.objects.get(path="食品/茶")
    assert admin.delete(f"/categories/{food.pk}").json()["code"] == "category_has_children"
    assert admin.delete(f"/categories/{tea.pk}").json()["code"] == "category_has_skus"
    assert admin.delete(f"/categories/{tea.pk}?into={food.pk}").status_code == 204
    assert Sku.objects.get().category == food
    made = admin.post("/categories", {"site": site.pk, "name": "空的"})
    assert made.status_code == 201
    assert admin.delete(f"/categories/{made.json()['id']}").status_code == 204
