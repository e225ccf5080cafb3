"""Data sets of invented SKUs: the same bytes by any number of workers, and unseen SKUs unseen."""

import csv
import json

import pytest

from inference.captions import parse
from inference.scenes.__main__ import main
from inference.scenes.dataset import Plan, write_dataset

OPTIONS = {"scenes": 24, "seed": 5, "size_px": (320, 240), "catalog": 12, "unseen": 0.4}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training") / "out"
    return folder, write_dataset(folder, **OPTIONS)


def records(folder, split):
    text = (folder / f"annotations/{split}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_two_workers_write_the_same_bytes(dataset, tmp_path):
    _, manifest = dataset
    again = write_dataset(tmp_path / "again", **OPTIONS, workers=2)
    assert again == manifest


def test_unseen_skus_are_in_no_training_photo(dataset):
    folder, manifest = dataset
    plan = Plan(**{**OPTIONS, "size_px": (320, 240)})
    homes = {sku.code: plan.home(sku) for sku in plan.skus()}
    assert manifest["counts"]["unseen_skus"] == sum(home is not None for home in homes.values()) > 0
    families = {}
    for sku in plan.skus():
        families.setdefault(sku.family, set()).add(homes[sku.code])
    assert all(len(home) == 1 for home in families.values())
    for split in ("train", "val", "test"):
        for record in records(folder, split):
            code = parse(record["caption"]).values["sku"]
            assert record["truth"]["unseen"] == (homes[code] is not None)
            assert homes[code] in (None, split)


def test_records_tell_what_each_photo_shows(dataset):
    folder, _ = dataset
    for split in ("train", "val", "test"):
        for record in records(folder, split):
            truth = record["truth"]
            assert 1 <= truth["units_shown"] <= truth["count"] <= 24
            assert all(len(box) == 4 for box in truth["words"].values())
            if "code" in truth["words"]:
                assert truth["labelled"]
            values = parse(record["caption"]).values
            assert values["quantity"].startswith(str(truth["count"]))


def test_the_catalog_and_the_fonts_are_told(dataset):
    folder, manifest = dataset
    with (folder / "metadata/sku_catalog.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == manifest["counts"]["skus"] == 12
    assert all((folder / row["reference_image"]).is_file() for row in rows)
    assert manifest["catalog"] == {"kind": "invented", "seed": 1}
    assert all(len(used["sha256"]) == 64 for used in manifest["fonts"].values())


def test_the_command_takes_a_catalog(tmp_path, capsys):
    words = [str(tmp_path / "set"), "--scenes", "2", "--catalog", "3", "--size", "160x120"]
    assert main([*words, "--views", "front", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["skus"] == 3
    with pytest.raises(SystemExit):
        main([str(tmp_path / "other"), "--unseen", "2"])


def test_a_sheet_is_drawn(tmp_path):
    out = tmp_path / "sheet.png"
    assert main(["sheet", str(out), "--by", "words", "--columns", "2", "--rows", "1"]) == 0
    assert out.stat().st_size > 10_000
