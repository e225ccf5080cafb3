from __future__ import annotations

import dataclasses
import io
import time
from pathlib import Path

import barcode
import pytest
from barcode.writer import ImageWriter
from conftest import PACKS, catalog_changes, encode, example, render_pack, sku
from PIL import Image

from inference.contracts import (
    Change,
    Description,
    Recognition,
    RecognizerError,
    SiteRef,
    StaleMemory,
    write_segment,
)
from inference.local import LocalRecognizer

Packs = dict[str, list[Description]]


def rank(recognizer: LocalRecognizer, site: str, description: Description) -> Recognition:
    (recognition,) = recognizer.rank(SiteRef(site, 0), [description])
    return recognition


def barcoded(number: str) -> bytes:
    out = io.BytesIO()
    barcode.get("ean13", number, writer=ImageWriter()).write(out, {"write_text": False})
    picture = render_pack("ARLA", "Milk", "3%", side=900)
    picture.paste(Image.open(out).convert("RGB"), (40, 500))
    return encode(picture)


def test_a_site_of_which_nothing_is_known(
    recognizer: LocalRecognizer, described_packs: Packs
) -> None:
    recognition = rank(recognizer, "nothing", described_packs["MILK-LOW"][0])
    assert recognition.flags == ("empty_memory",)
    assert recognition.candidates == ()
    assert set(recognition.fields) == {"sku", "category", "spec", "quantity", "condition"}
    assert all(f.value is None for f in recognition.fields.values())
    assert Recognition.from_json(recognition.to_json()) == recognition


def test_one_sku(recognizer: LocalRecognizer, described_packs: Packs) -> None:
    recognizer.teach("single", [Change(1, "put_sku", sku=sku("MILK-LOW"))])
    recognition = rank(recognizer, "single", described_packs["JUICE-APPLE"][0])
    assert [c.sku_code for c in recognition.candidates] == ["MILK-LOW"]


def test_a_new_catalog_is_told_apart_by_references(
    recognizer: LocalRecognizer, described_packs: Packs
) -> None:
    recognizer.teach("references", catalog_changes(described_packs))
    for code, views in described_packs.items():
        recognition = rank(recognizer, "references", views[1])
        best = recognition.candidates[0]
        assert best.sku_code == code
        assert recognition.fields["sku"].value == code
        assert recognition.fields["sku"].source in {"neighbours", "pack_text"}
        assert recognition.fields["category"].source == "catalog"
        assert recognition.fields["category"].confidence >= recognition.fields["sku"].confidence
        assert recognition.fields["spec"].value == "1L"
        assert recognition.fields["quantity"].source == "not_available"
        assert sum(c.confidence for c in recognition.candidates) == pytest.approx(1, abs=0.01)
        assert recognition.neighbours[0].sku_code == code
        assert best.words


def test_a_catalog_without_pictures_is_told_apart_by_print(
    recognizer: LocalRecognizer, described_packs: Packs
) -> None:
    recognizer.teach("words-only", catalog_changes(described_packs, references=False))
    for code in ("JUICE-APPLE", "JUICE-ORANGE"):
        recognition = rank(recognizer, "words-only", described_packs[code][1])
        assert recognition.candidates[0].sku_code == code
        assert recognition.neighbours == ()


def test_a_sku_without_a_picture_competes_with_those_that_have_many(
    recognizer: LocalRecognizer, described_packs: Packs
) -> None:
    changes = [Change(1, "put_sku", sku=sku(code)) for code in PACKS]
    for code in ("MILK-LOW", "MILK-FULL", "JUICE-APPLE"):
        for i, view in enumerate(described_packs[code]):
            changes.append(Change(1, "put_example", example=example(f"cap:{code}{i}", code, view)))
    recognizer.teach("open", changes)
    recognizer.settle("open")
    recognition = rank(recognizer, "open", described_packs["JUICE-ORANGE"][0])
    places = [c.sku_code for c in recognition.candidates]
    assert places.index("JUICE-ORANGE") <= 1
    known = rank(recognizer, "open", described_packs["MILK-LOW"][1])
    assert known.candidates[0].sku_code == "MILK-LOW"
    assert "picture" in known.candidates[0].parts


def test_a_decision_counts_at_once_and_teaches_later(
    recognizer: LocalRecognizer, described_packs: Packs
) -> None:
    recognizer.teach("at-once", catalog_changes(described_packs, references=False))
    asked = described_packs["MILK-FULL"][2]
    before = rank(recognizer, "at-once", asked)
    changes = [
        Change(9, "put_example", example=example(f"cap:{code}{i}", code, view))
        for code, views in described_packs.items()
        for i, view in enumerate(views[:2])
    ]
    recognizer.teach("at-once", changes)
    after = rank(recognizer, "at-once", asked)
    assert not before.neighbours
    assert after.neighbours[0].sku_code == "MILK-FULL"
    deadline = time.monotonic() + 120
    while "picture" not in rank(recognizer, "at-once", asked).candidates[0].parts:
        assert time.monotonic() < deadline, "the background fit did not happen"
        time.sleep(0.05)
    assert rank(recognizer, "at-once", asked).candidates[0].sku_code == "MILK-FULL"


def test_a_barcode_decides(recognizer: LocalRecognizer, described_packs: Packs) -> None:
    changes = catalog_changes(described_packs)
    changes.append(Change(20, "put_sku", sku=sku("JUICE-APPLE", barcode="4006381333931")))
    recognizer.teach("barcodes", changes)
    (described,) = recognizer.describe([barcoded("4006381333931")])
    assert isinstance(described, Description)
    recognition = rank(recognizer, "barcodes", described)
    assert recognition.fields["sku"].value == "JUICE-APPLE"
    assert recognition.fields["sku"].source == "barcode"
    (unknown,) = recognizer.describe([barcoded("7310865004703")])
    assert isinstance(unknown, Description)
    assert "barcode_unknown" in rank(recognizer, "barcodes", unknown).flags


def test_published_segments_are_pulled_on_demand(
    recognizer: LocalRecognizer, sites_dir: Path, described_packs: Packs
) -> None:
    changes = catalog_changes(described_packs)
    write_segment(sites_dir / "pulled", "log", changes[:4], first=1, last=4)
    asked = [described_packs["MILK-LOW"][1]]
    assert recognizer.rank(SiteRef("pulled", 4), asked)[0].site_number == 4
    with pytest.raises(StaleMemory) as caught:
        recognizer.rank(SiteRef("pulled", 8), asked)
    assert caught.value.retry_after_s
    write_segment(sites_dir / "pulled", "log", changes[4:], first=5, last=8)
    recognition = recognizer.rank(SiteRef("pulled", 8), asked)[0]
    assert recognition.site_number == 8
    assert recognition.candidates[0].sku_code == "MILK-LOW"


def test_the_same_log_gives_the_same_answers(
    recognizer: LocalRecognizer, described_packs: Packs
) -> None:
    changes = catalog_changes(described_packs) + [
        Change(9, "put_example", example=example(f"cap:{code}{i}", code, view))
        for code, views in described_packs.items()
        for i, view in enumerate(views)
    ]
    answers = []
    for site, log in (("same-1", changes), ("same-2", changes), ("same-3", changes[::-1])):
        recognizer.teach(site, log)
        recognizer.settle(site)
        recognition = rank(recognizer, site, described_packs["MILK-LOW"][1])
        answers.append((recognition.candidates, recognition.neighbours, recognition.fields))
    assert answers[0] == answers[1] == answers[2]


def test_descriptions_of_another_describer_are_refused(
    recognizer: LocalRecognizer, described_packs: Packs
) -> None:
    other = dataclasses.replace(described_packs["MILK-LOW"][0], describer="older")
    with pytest.raises(RecognizerError, match="describe the picture again"):
        recognizer.rank(SiteRef("any", 0), [other])


@pytest.mark.parametrize("name", ["", "../etc", "a/b", ".hidden"])
def test_site_names_stay_inside_the_folder(recognizer: LocalRecognizer, name: str) -> None:
    with pytest.raises(RecognizerError, match="not a site name"):
        recognizer.rank(SiteRef(name, 0), [])
