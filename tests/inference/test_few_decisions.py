"""Rendered packs of siblings that differ by one printed word, with hardly anything decided."""

from __future__ import annotations

import numpy as np
from conftest import encode
from hypothesis import given
from hypothesis import strategies as st

from inference.contracts import Change, Description, Example, SiteRef, SkuRecord
from inference.evidence.shipped import BARCODE_WEIGHT, SHIPPED
from inference.local import LocalRecognizer
from inference.retrieval import heads
from inference.scenes import SkuTruth, demo_catalog, render_reference, render_scene

JASMINE, LONG = "RICE-HG-JASMINE-5KG", "RICE-HG-LONG-5KG"
OTHERS = ("WASH-QL-SEA-6", "WASH-QL-MINT-6")
GOODS = {s.code: s for s in demo_catalog() if s.code in (JASMINE, LONG, *OTHERS)}


def describe(recognizer: LocalRecognizer, sku: SkuTruth, seed: int) -> Description:
    scene = render_scene(sku, seed, cam_types=("front",))
    (described,) = recognizer.describe([encode(scene.views["front"])])
    assert isinstance(described, Description)
    return described


def put(description: Description, sku: str, key: str, kind: str) -> Change:
    made = Example(
        key,
        sku,
        kind,  # type: ignore[arg-type]
        description.embedding,
        "\n".join(line.text for line in description.ocr_lines),
        keypoints=description.keypoints,
    )
    return Change(0, "put_example", example=made)


def test_a_printed_word_outweighs_heads_that_never_saw_its_sku(
    recognizer: LocalRecognizer,
) -> None:
    changes = []
    for code, sku in GOODS.items():
        record = SkuRecord(code, sku.name, sku.brand, sku.category, sku.spec, pack_text=sku.name)
        changes.append(Change(0, "put_sku", sku=record))
        (studio,) = recognizer.describe([encode(render_reference(sku, 0))])
        assert isinstance(studio, Description)
        changes.append(put(studio, code, f"ref:{code}", "reference"))
    for code, count in {LONG: 2, OTHERS[0]: 1, OTHERS[1]: 1}.items():
        changes += [
            put(describe(recognizer, GOODS[code], seed), code, f"cap:{code}:{seed}", "decided")
            for seed in range(count)
        ]
    recognizer.teach("few", changes)
    recognizer.settle("few")
    asked = [describe(recognizer, GOODS[JASMINE], seed) for seed in (0, 4)]
    for recognition in recognizer.rank(SiteRef("few", 0), asked):
        by_code = {c.sku_code: c for c in recognition.candidates}
        assert by_code[JASMINE].parts["pack_text"] > 0.7  # 茉莉 was read
        assert by_code[LONG].parts["picture"] > by_code[JASMINE].parts["picture"]
        assert recognition.candidates[0].sku_code == JASMINE, recognition.candidates[:2]


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_heads_gain_weight_with_what_is_decided(few: float, many: float) -> None:
    few, many = sorted((few, many))
    before, after = SHIPPED.weights(few), SHIPPED.weights(many)
    assert before["picture"] <= after["picture"] <= SHIPPED.taught["picture"]
    assert before["words"] <= after["words"] <= SHIPPED.taught["words"]
    assert before["pack_text"] >= after["pack_text"] >= SHIPPED.taught["pack_text"]


def test_heads_weigh_nothing_where_nothing_is_decided() -> None:
    weights = SHIPPED.weights(0)
    untaught = {"barcode": BARCODE_WEIGHT, **SHIPPED.untaught}
    assert {s: w for s, w in weights.items() if w} == untaught


def test_a_sku_with_few_pictures_is_not_held_back_by_one_with_many() -> None:
    rng = np.random.default_rng(5)
    centres = np.concatenate([np.full((2, 4), 2.0), 0.3 * rng.normal(size=(2, 60))], axis=1)
    labels = ["RARE"] * 2 + ["COMMON"] * 40

    def shots(labels: list[str]) -> np.ndarray:
        rows = [0 if label == "RARE" else 1 for label in labels]
        x = centres[rows] + 0.5 * rng.normal(size=(len(labels), 64))
        return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)

    head = heads.fit_picture_head(shots(labels), labels)
    assert head is not None
    asked = ["RARE"] * 100 + ["COMMON"] * 100
    told = [head.codes[i] for i in head.log_p(shots(asked)).argmax(axis=1)]
    shares = [np.mean([told[i] == s for i, a in enumerate(asked) if a == s]) for s in set(asked)]
    assert min(shares) > 0.6, shares
