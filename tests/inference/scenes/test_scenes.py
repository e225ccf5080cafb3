"""Rendered scenes: the truth they come with is true, and they are the same every time."""

import csv
import hashlib
import json

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from inference.captions import GRADES, parse
from inference.scenes import demo_catalog, render_reference, render_scene
from inference.scenes.barcodes import check_digit, draw_ean13
from inference.scenes.dataset import CATALOG_COLUMNS, write_dataset

CATALOG = demo_catalog()
BY_CODE = {sku.code: sku for sku in CATALOG}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes") / "out"
    return folder, write_dataset(folder, scenes=3, seed=5, size_px=(480, 360))


def barcodes_in(image):
    return {found.text for found in zxingcpp.read_barcodes(np.asarray(image))}


def test_the_catalog_has_distinct_skus_with_valid_codes_and_captions():
    assert len(CATALOG) >= 24
    assert len(BY_CODE) == len({sku.barcode for sku in CATALOG}) == len(CATALOG)
    for sku in CATALOG:
        assert 690 <= int(sku.barcode[:3]) <= 699
        assert check_digit(sku.barcode[:12]) == sku.barcode[12]
        text = f"【SKU】{sku.code}|【品类】{sku.category}|【规格】{sku.spec}|【数量】3{sku.unit}|【状态】破损"
        result = parse(text)
        assert result.ok
        assert result.canonical == text


@pytest.mark.parametrize("sku", CATALOG[::7], ids=lambda sku: sku.code)
def test_a_drawn_barcode_reads(sku):
    assert barcodes_in(draw_ean13(sku.barcode, 3, 120)) == {sku.barcode}


def test_a_wrong_check_digit_is_refused():
    wrong = CATALOG[0].barcode[:12] + str((int(CATALOG[0].barcode[12]) + 1) % 10)
    with pytest.raises(ValueError, match="check digit"):
        draw_ean13(wrong, 3, 120)


def test_barcodes_in_front_views_of_single_cartons_read():
    cartons = [sku for sku in CATALOG if sku.package_type == "carton"][:6]
    scenes = [render_scene(s, 40, cam_types=("front",), count=1, grade=0) for s in cartons]
    sharp = [scene for scene in scenes if scene.truth.views["front"].look.sharp]
    read = [s for s in sharp if s.truth.sku.barcode in barcodes_in(s.views["front"])]
    assert len(sharp) >= 3
    assert len(read) >= 0.8 * len(sharp)


@pytest.mark.parametrize("kind", ["carton", "bottle", "bag"])
@pytest.mark.parametrize(("count", "grade", "level"), [(1, 0, 1), (4, 2, 2), (12, 4, 3)])
def test_boxes_and_counts_are_true(kind, count, grade, level):
    sku = next(sku for sku in CATALOG if sku.package_type == kind)
    scene = render_scene(sku, 9, size_px=(480, 360), count=count, grade=grade, stack_level=level)
    truth = scene.truth
    assert (truth.count, truth.grade, truth.package_type) == (count, grade, kind)
    assert truth.stack_level == (min(level, 2) if kind != "carton" else level)
    assert len(truth.views["front"].boxes) == count
    values = parse(truth.caption).values
    assert values["quantity"] == f"{count}{sku.unit}"
    assert values["condition"] == GRADES[grade]
    for cam_type, view in truth.views.items():
        assert scene.views[cam_type].size == (480, 360)
        assert 0 <= view.occlusion_ratio < 1
        assert 1 <= len(view.boxes) <= count
        left, top, width, height = view.bbox
        for x, y, w, h in (*view.boxes, view.bbox):
            assert w > 0 < h
            assert 0 <= x <= x + w <= 480
            assert 0 <= y <= y + h <= 360
        for x, y, w, h in view.boxes:
            assert left <= x <= x + w <= left + width
            assert top <= y <= y + h <= top + height


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(ValueError, match="count"):
        render_scene(CATALOG[0], 1, count=25)


def test_damage_changes_the_picture_and_nothing_else():
    sku = CATALOG[0]
    sound, torn = (
        render_scene(sku, 3, cam_types=("front",), size_px=(480, 360), count=1, grade=grade)
        for grade in (0, 3)
    )
    difference = np.abs(
        np.asarray(sound.views["front"], int) - np.asarray(torn.views["front"], int)
    )
    assert difference.max() > 60
    assert sound.truth.count == torn.truth.count
    assert sound.truth.caption != torn.truth.caption


def test_the_same_seed_gives_the_same_pixels_and_another_seed_others():
    sku = CATALOG[13]
    pictures = [
        render_scene(sku, seed, cam_types=("side",), size_px=(320, 240)).views["side"].tobytes()
        for seed in (7, 7, 8)
    ]
    assert pictures[0] == pictures[1] != pictures[2]
    assert render_reference(sku, 1).tobytes() == render_reference(sku, 1).tobytes()


def test_a_dataset_has_the_layout_and_hashes_that_it_says(dataset):
    folder, manifest = dataset
    assert json.loads((folder / "manifest.json").read_text("utf-8")) == manifest
    assert manifest["counts"]["images"] == 9
    on_disk = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert on_disk == {*manifest["files"], "manifest.json"}
    for path, digest in manifest["files"].items():
        assert hashlib.sha256((folder / path).read_bytes()).hexdigest() == digest
    with (folder / "metadata/sku_catalog.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CATALOG_COLUMNS
    assert all((folder / row["reference_image"]).is_file() for row in rows)


def test_records_are_complete_and_scenes_stay_in_one_split(dataset):
    folder, manifest = dataset
    splits = {}
    total = 0
    for split in ("train", "val", "test"):
        for line in (folder / f"annotations/{split}.jsonl").read_text("utf-8").splitlines():
            record = json.loads(line)
            total += 1
            assert splits.setdefault(record["scene_id"], split) == split
            result = parse(record["caption"])
            assert result.ok
            assert result.canonical == record["caption"]
            sku = BY_CODE[result.values["sku"]]
            assert record["attributes"]["package_type"] == sku.package_type
            assert f"cam_{record['cam_type']}/" in record["image_path"]
            with Image.open(folder / record["image_path"]) as image:
                assert image.size == (480, 360)
    assert total == manifest["counts"]["images"]


def test_the_same_seed_writes_the_same_bytes(dataset, tmp_path):
    _, manifest = dataset
    again = write_dataset(tmp_path / "again", scenes=3, seed=5, size_px=(480, 360))
    assert again == manifest


def test_a_folder_in_use_is_left_alone(tmp_path):
    (tmp_path / "note").write_text("mine")
    with pytest.raises(FileExistsError):
        write_dataset(tmp_path, scenes=1, seed=1)
