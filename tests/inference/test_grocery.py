"""A few real photos; bench/recognition.py measures all of them."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from inference.contracts import Change, Description, Example, SiteRef, SkuRecord
from inference.local import LocalRecognizer

ROOT = Path(__file__).resolve().parents[2]
GROCERY = Path(os.environ.get("WAREVISION_GROCERY", ROOT.parent / "shared/data/grocery"))
SKUS = 8
PHOTOS = 8

pytestmark = pytest.mark.skipif(
    not (GROCERY / "metadata/sku_catalog.csv").is_file(),
    reason=f"NOT MEASURED ON REAL PHOTOS: no data set in {GROCERY}; set WAREVISION_GROCERY",
)


def sku_of(record: dict[str, str]) -> str:
    return record["caption"].split("|", 1)[0].removeprefix("【SKU】")


def test_real_photos_by_reference_pictures_alone(recognizer: LocalRecognizer) -> None:
    with (GROCERY / "metadata/sku_catalog.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))[::3][:SKUS]
    changes: list[Change] = []
    for row in rows:
        image = row.pop("reference_image")
        changes.append(Change(0, "put_sku", sku=SkuRecord(**row)))  # type: ignore[arg-type]
        (described,) = recognizer.describe([(GROCERY / image).read_bytes()])
        assert isinstance(described, Description)
        text = " ".join(line.text for line in described.ocr_lines)
        made = Example(
            f"ref:{row['code']}",
            row["code"],
            "reference",
            described.embedding,
            text,
            keypoints=described.keypoints,
        )
        changes.append(Change(0, "put_example", example=made))
    recognizer.teach("grocery", changes)
    lines = (GROCERY / "annotations/train.jsonl").read_text(encoding="utf-8").splitlines()
    known = {row["code"] for row in rows}
    records = [r for r in map(json.loads, lines) if sku_of(r) in known]
    records = records[:: len(records) // PHOTOS][:PHOTOS]
    described_photos = recognizer.describe(
        [(GROCERY / record["image_path"]).read_bytes() for record in records]
    )
    right = first_five = 0
    for record, described in zip(records, described_photos, strict=True):
        assert isinstance(described, Description)
        (recognition,) = recognizer.rank(SiteRef("grocery", 0), [described])
        codes = [candidate.sku_code for candidate in recognition.candidates]
        truth = sku_of(record)
        right += codes[0] == truth
        first_five += truth in codes[:5]
    assert right >= 0.7 * PHOTOS
    assert first_five >= 0.9 * PHOTOS
