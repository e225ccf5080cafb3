"""The catalog: reading tables, completing what is typed, editing without losing another's edit."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from annotator.accounts.models import Site
from annotator.accounts.states import Role
from annotator.catalog import importing, queries
from annotator.catalog.models import Category, ReferencePicture, Sku
from annotator.catalog.naming import pinyin_keys
from annotator.catalog.table import read_csv
from annotator.core.models import AuditEntry, OutboxEvent
from tests import factories
from tests.conftest import Api
from tests.factories import picture_bytes

pytestmark = pytest.mark.django_db

GOOD_EAN = "6901234567892"


@pytest.fixture
def site() -> Site:
    return factories.SiteFactory()


@pytest.fixture
def admin(site: Site) -> Api:
    return Api(factories.member(site, Role.ADMIN, language="en"))


def send(api: Api, table: str | bytes, **options: str) -> Any:
    data = table.encode() if isinstance(table, str) else table
    answer = api.upload("/catalog/import", file=SimpleUploadedFile("skus.csv", data), **options)
    assert answer.status_code == 200, answer.content
    return answer.json()


def counts(report: dict[str, Any]) -> tuple[int, int, int]:
    return report["created"], report["updated"], report["unchanged"]


# --- importing -------------------------------------------------------------------------------

BAD_TABLE = f"""\
code,name,spec,barcode,sales_volume,shelf
A-1,洗发水,500ml×6瓶/箱,{GOOD_EAN},12.5,A03
A 2,有空格,,,,
A-3,,,,,
a-1,同一个编码,,,,
A-4,规格坏,500ml×,,,
A-5,条码坏,,6901234567890,,
A-6,数字坏,,,很多,
A-7,无穷,,,inf,

A-8,"两行
的名称",,,3,B01
A|9,竖线,×6,{GOOD_EAN[:-1]}0,x,
"""

BAD_CELLS = [
    (3, "code", "bad_code"),
    (4, "name", "required"),
    (5, "code", "duplicate_code"),
    (6, "spec", "bad_spec"),
    (7, "barcode", "bad_barcode"),
    (8, "sales_volume", "bad_number"),
    (9, "sales_volume", "bad_number"),
    (13, "code", "bad_code"),
    (13, "spec", "bad_spec"),
    (13, "barcode", "bad_barcode"),
    (13, "sales_volume", "bad_number"),
]


def test_a_dry_run_lists_every_bad_cell(admin: Api, site: Site) -> None:
    report = send(admin, BAD_TABLE, dry_run="true")
    assert [(e["line"], e["column"], e["code"]) for e in report["errors"]] == BAD_CELLS
    words = {(e["line"], e["column"]): e["message"] for e in report["errors"]}
    assert words[5, "code"] == "Repeats the code of line 2"
    assert words[6, "spec"] == "The spec cannot be read: 500ml×"
    assert words[8, "sales_volume"] == "Not a number: 很多"
    assert report["columns"]["extra"] == ["shelf"]
    assert counts(report) == (2, 0, 0)
    assert not Sku.objects.exists()


def test_nothing_is_written_while_a_row_is_bad(admin: Api, site: Site) -> None:
    report = send(admin, BAD_TABLE)
    assert len(report["errors"]) == len(BAD_CELLS)
    assert not Sku.objects.exists() and not Category.objects.exists()
    assert not OutboxEvent.objects.exists()
    assert not AuditEntry.objects.filter(action="catalog.imported").exists()


def test_bad_rows_can_be_left_out(admin: Api, site: Site) -> None:
    assert counts(send(admin, BAD_TABLE, skip_bad="true")) == (2, 0, 0)
    first = Sku.objects.get(code="A-1")
    assert (first.name, first.barcode, first.sales_volume) == ("洗发水", GOOD_EAN, 12.5)
    assert (first.extra, first.pinyin, first.initials) == ({"shelf": "A03"}, "xifashui", "xfs")
    assert Sku.objects.get(code="A-8").name == "两行\n的名称"
    entry = AuditEntry.objects.get(action="catalog.imported")
    assert (entry.data["created"], entry.data["errors"]) == (2, len(BAD_CELLS))
    assert OutboxEvent.objects.filter(handler="learn_skus").count() == 2


def test_a_missing_column_is_named(admin: Api, site: Site) -> None:
    report = send(admin, "spec,code\n500ml,A-1\n", skip_bad="true")
    assert [(e["line"], e["column"], e["code"]) for e in report["errors"]] == [
        (1, "name", "missing_column")
    ]
    assert report["columns"]["missing"] == ["name"]
    assert not Sku.objects.exists()
    assert send(admin, "\n")["columns"]["missing"] == ["code", "name"]


ROWS = [["编码", "名称", "规格", "备注"], ["A-1", "洗发水，大瓶", "500ml", "易碎"]]


def written(delimiter: str, order: tuple[int, ...] = (0, 1, 2, 3)) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([[row[n] for n in order] for row in ROWS])
    return out.getvalue()


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_tables_come_in_many_shapes(
    site: Site, encoding: str, delimiter: str, order: tuple[int, ...]
) -> None:
    table = read_csv(written(delimiter, order).encode(encoding))
    assert (table.errors, table.extra) == ([], ["备注"])
    importing.import_catalog(site=site, table=table)
    sku = Sku.objects.get()
    assert (sku.code, sku.name, sku.spec) == ("A-1", "洗发水，大瓶", "500ml")
    assert sku.extra == {"备注": "易碎"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'code,name\nA-1,"never closed\n', "bad_csv"),
        (b"\xff\xff\xff\xff", "bad_csv"),
        (b"code,name\nA-1,N\x00UL\n", "bad_record"),
        (f"code,name\nA-1,{'长' * 257}\n".encode(), "bad_record"),
    ],
)
def test_what_is_no_table_is_reported_and_not_raised(
    site: Site, admin: Api, data: bytes, code: str
) -> None:
    report = send(admin, data, skip_bad="true")
    assert [e["code"] for e in report["errors"]] == [code]
    assert not Sku.objects.exists()


def test_a_second_import_counts_what_changed(admin: Api, site: Site) -> None:
    table = "code,name,spec,category\nA-1,一,1L,饮料/果汁\nA-2,二,2L,饮料/茶\nA-3,三,3L,\n"
    assert counts(send(admin, table)) == (3, 0, 0)
    versions = dict(Sku.objects.values_list("code", "version"))
    changed = table.replace("二,2L", "二号,2L").replace("三,3L,", "三,3L,饮料") + "A-4,四,,\n"
    assert counts(send(admin, changed, dry_run="true")) == (1, 2, 1)
    assert counts(send(admin, changed)) == (1, 2, 1)
    assert counts(send(admin, changed)) == (0, 0, 4)
    now = dict(Sku.objects.values_list("code", "version"))
    assert [now[c] - versions[c] for c in ("A-1", "A-2", "A-3")] == [0, 1, 1]
    assert Sku.objects.get(code="A-2").pinyin == "erhao"


def test_a_column_that_is_absent_keeps_its_values(admin: Api, site: Site) -> None:
    send(admin, "code,name,brand,shelf,row\nA-1,一,牌子,A03,7\n")
    # The code in another spelling is the same SKU; the catalog's spelling stays.
    send(admin, "code,name,shelf\na－1,一,B01\n")
    sku = Sku.objects.get()
    assert (sku.code, sku.brand, sku.extra) == ("A-1", "牌子", {"shelf": "B01", "row": "7"})
    send(admin, "code,name,brand\nA-1,一,\n")
    sku.refresh_from_db()
    assert sku.brand == ""


def test_a_sku_that_comes_again_is_active_again(admin: Api, site: Site) -> None:
    sku = factories.SkuFactory(site=site, code="A-1", name="一", active=False)
    assert counts(send(admin, "code,name\nA-1,一\n")) == (0, 1, 0)
    sku.refresh_from_db()
    assert sku.active


def test_the_category_tree_grows_from_paths(admin: Api, site: Site) -> None:
    send(
        admin,
        "code,name,category\nA-1,一,饮料/果汁/橙汁\nA-2,二, 饮料 > 果汁 \nA-3,三,饮料/茶\nA-4,四,\n",
    )
    rows = admin.get(f"/categories?site={site.pk}").json()["results"]
    by_id = {row["id"]: row["path"] for row in rows}
    tree = {row["path"]: (by_id.get(row["parent"]), row["depth"], row["sku_count"]) for row in rows}
    assert tree == {
        "饮料": (None, 0, 0),
        "饮料/果汁": ("饮料", 1, 1),
        "饮料/果汁/橙汁": ("饮料/果汁", 2, 1),
        "饮料/茶": ("饮料", 1, 1),
    }
    juice = next(row["id"] for row in rows if row["path"] == "饮料/果汁")
    found = admin.get(f"/skus?category={juice}").json()["results"]
    assert [row["code"] for row in found] == ["A-1", "A-2"]
    assert Sku.objects.get(code="A-4").category is None
    assert queries.category_parents(site.pk) == {"果汁": "饮料", "橙汁": "果汁", "茶": "饮料"}


# --- reference pictures and the command --------------------------------------------------------


def catalog_folder(tmp_path: Path, *cells: str) -> Path:
    root = tmp_path / "set"
    (root / "metadata/reference").mkdir(parents=True)
    for n in range(2):
        (root / f"metadata/reference/{n}.png").write_bytes(picture_bytes(n, format="PNG"))
    (root / "metadata/reference/bad.png").write_bytes(b"no picture")
    (tmp_path / "outside.png").write_bytes(picture_bytes(9))
    rows = "".join(f"A-{n},商品{n},{cell}\n" for n, cell in enumerate(cells, start=1))
    path = root / "metadata/sku_catalog.csv"
    path.write_text(f"code,name,reference_image\n{rows}", encoding="utf-8")
    return path


def run_import(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    call_command("import_catalog", *arguments, "--json")
    (line,) = capsys.readouterr().out.splitlines()
    answer: dict[str, Any] = json.loads(line)
    return answer


def test_reference_pictures_come_along(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = catalog_folder(
        tmp_path, "metadata/reference/0.png;metadata/reference/1.png", "metadata/reference/1.png"
    )
    said = run_import(capsys, str(path))
    assert (said["created"], said["pictures"], said["errors"]) == (2, 3, [])
    assert list(Sku.objects.order_by("code").values_list("pictures__image__sha256").distinct())
    assert ReferencePicture.objects.count() == 3
    assert OutboxEvent.objects.filter(handler="learn_reference").count() == 3
    run_import(capsys, str(path))
    assert ReferencePicture.objects.count() == 3
    assert OutboxEvent.objects.filter(handler="learn_reference").count() == 3


def test_bad_reference_pictures_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = ["metadata/absent.png", "../outside.png", "metadata/reference/bad.png", ""]
    path = catalog_folder(tmp_path, *cells)
    with pytest.raises(CommandError, match="nothing was imported, 3 errors") as error:
        call_command("import_catalog", str(path))
    assert str(error.value).count("reference_image") == 3
    assert not Sku.objects.exists()
    said = run_import(capsys, str(path), "--dry-run")
    assert [(e["line"], e["code"]) for e in said["errors"]] == [
        (2, "missing_picture"),
        (3, "outside_root"),
        (4, "not_a_picture"),
    ]
    said = run_import(capsys, str(path), "--skip-bad")
    assert (said["created"], Sku.objects.get().code) == (1, "A-4")


def test_the_grocery_catalog(grocery: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = grocery / "metadata/sku_catalog.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    said = run_import(capsys, str(path))
    assert (said["created"], said["errors"]) == (len(rows), [])
    assert said["pictures"] == ReferencePicture.objects.count() == len(rows)
    again = run_import(capsys, str(path), "--root", str(grocery))
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, len(rows))
    assert ReferencePicture.objects.count() == len(rows)


def test_pictures_are_added_and_removed_by_hand(admin: Api, site: Site) -> None:
    sku = factories.SkuFactory(site=site)
    for _ in range(2):
        file = SimpleUploadedFile("a.jpg", picture_bytes(1))
        answer = admin.upload(f"/skus/{sku.pk}/pictures", file=file)
        assert (answer.status_code, len(answer.json()["pictures"])) == (201, 1)
    bad = admin.upload(f"/skus/{sku.pk}/pictures", file=SimpleUploadedFile("a.jpg", b"text"))
    assert (bad.status_code, bad.json()["errors"][0]["code"]) == (400, "not_a_picture")
    picture = ReferencePicture.objects.get()
    assert admin.delete(f"/skus/{sku.pk}/pictures/{picture.pk}").status_code == 204
    assert not ReferencePicture.objects.exists()
    assert set(OutboxEvent.objects.values_list("handler", flat=True)) == {
        "learn_reference",
        "forget_reference",
    }


# --- completion -------------------------------------------------------------------------------


@pytest.fixture
def shelves(site: Site) -> None:
    for code, name, brand, barcode, sales in [
        ("WASH-2024-BLUE", "海盐洗发水", "清澜", GOOD_EAN, 10),
        ("WASH-2024-GREEN", "薄荷洗发水", "清澜", "", 90),
        ("WASH", "洗衣液", "沐白", "", 1),
        ("TEA-1", "乌龙茶", "云岭", "4006381333931", 50),
        ("XFS-9", "纸巾", "拾味", "", 5),
    ]:
        sku = factories.SkuFactory(
            site=site, code=code, name=name, brand=brand, barcode=barcode, sales_volume=sales
        )
        sku.pinyin, sku.initials = pinyin_keys(f"{name} {brand}")
        sku.save()
    factories.SkuFactory(site=site, code="WASH-OLD", name="旧洗发水", active=False)
    factories.SkuFactory(code="WASH-ELSEWHERE", name="别处的洗发水")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        # the whole code first, then what sells best
        ("wash", [("WASH", "code"), ("WASH-2024-GREEN", "code"), ("WASH-2024-BLUE", "code")]),
        ("ＷＡＳＨ－２０２４－ｂ", [("WASH-2024-BLUE", "code")]),
        ("2024", [("WASH-2024-GREEN", "code"), ("WASH-2024-BLUE", "code")]),
        (GOOD_EAN, [("WASH-2024-BLUE", "barcode")]),
        ("400638", [("TEA-1", "barcode")]),
        ("洗发水", [("WASH-2024-GREEN", "name"), ("WASH-2024-BLUE", "name")]),
        ("云岭", [("TEA-1", "brand")]),
        ("wulong", [("TEA-1", "pinyin")]),
        ("wu long cha", [("TEA-1", "pinyin")]),
        ("wlc", [("TEA-1", "initials")]),
        # a code that starts so comes before initials
        (
            "xfs",
            [("XFS-9", "code"), ("WASH-2024-GREEN", "initials"), ("WASH-2024-BLUE", "initials")],
        ),
        ("%", []),
        ("_", []),
        ("   ", []),
        ("没有这个", []),
    ],
)
def test_completion(shelves: None, site: Site, typed: str, expected: list[tuple[str, str]]) -> None:
    found = queries.complete(site_id=site.pk, text=typed)
    assert [(c.sku.code, c.match) for c in found] == expected


def test_completion_through_the_api(shelves: None, site: Site) -> None:
    api = Api(factories.member(site, Role.ANNOTATOR))
    answer = api.get("/skus/autocomplete?q=wash&limit=2").json()["results"]
    assert [row["code"] for row in answer] == ["WASH", "WASH-2024-GREEN"]
    assert answer[0] | {"id": 0, "code": "", "name": ""} == {
        "id": 0,
        "code": "",
        "name": "",
        "brand": "沐白",
        "category": "",
        "spec": "500ml/瓶",
        "unit": "瓶",
        "weight_g": None,
        "barcode": "",
        "match": "code",
        "thumb": None,
    }
    assert api.get("/skus/autocomplete?q=wash&limit=0").status_code == 400


# --- editing ----------------------------------------------------------------------------------


def test_an_edit_of_an_old_version_is_refused(admin: Api, site: Site) -> None:
    sku = factories.SkuFactory(site=site, name="旧名")
    seen = admin.get(f"/skus/{sku.pk}").json()["version"]
    first = admin.patch(f"/skus/{sku.pk}", {"name": "新名", "version": seen})
    assert (first.status_code, first.json()["name"]) == (200, "新名")
    assert first.json()["version"] == seen + 1
    stale = admin.patch(f"/skus/{sku.pk}", {"name": "另一个名", "version": seen})
    assert (stale.status_code, stale.json()["code"]) == (412, "edit_conflict")
    sku.refresh_from_db()
    assert (sku.name, sku.pinyin) == ("新名", "xinming")
    entry = AuditEntry.objects.get(action="sku.saved")
    assert (entry.object_id, entry.data["changes"]) == (sku.pk, {"name": "新名"})


def test_a_new_sku_is_checked_whole(admin: Api, site: Site) -> None:
    bad = {
        "site": site.pk,
        "code": "A B",
        "name": "x",
        "spec": "500ml×",
        "barcode": "6901234567890",
    }
    answer = admin.post("/skus", bad)
    assert (answer.status_code, {e["field"] for e in answer.json()["errors"]}) == (
        400,
        {"code", "spec", "barcode"},
    )
    good = {"site": site.pk, "code": "A-1", "name": "茶", "category": "饮料/茶", "spec": "1L"}
    made = admin.post("/skus", good)
    assert (made.status_code, made.json()["category"]["path"]) == (201, "饮料/茶")
    taken = admin.post("/skus", {**good, "code": "a－1"})
    assert (taken.status_code, taken.json()["code"]) == (409, "conflict")
    elsewhere = admin.post("/skus", {**good, "site": factories.SiteFactory().pk})
    assert elsewhere.status_code == 404
