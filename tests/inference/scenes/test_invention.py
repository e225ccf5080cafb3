"""Invented catalogs: thousands of distinct SKUs whose captions are valid, the same every time."""

import pytest

from inference.captions import parse
from inference.scenes import demo_catalog, invented_catalog
from inference.scenes.assortment import LINES, REAL_BRANDS
from inference.scenes.barcodes import check_digit
from inference.scenes.fonts import CHINESE_STYLES, font

CATALOG = invented_catalog(4000, 7)


def test_thousands_have_codes_and_barcodes_of_their_own():
    taken = {sku.code for sku in demo_catalog()} | {sku.barcode for sku in demo_catalog()}
    assert len(CATALOG) == 4000
    assert len({sku.code for sku in CATALOG} | taken) == 4000 + len(taken)
    assert len({sku.barcode for sku in CATALOG} | taken) == 4000 + len(taken)
    assert all(check_digit(sku.barcode[:12]) == sku.barcode[12] for sku in CATALOG)
    assert all(690 <= int(sku.barcode[:3]) <= 699 for sku in CATALOG)


def test_every_caption_is_canonical():
    for sku in CATALOG:
        text = (
            f"【SKU】{sku.code}|【品类】{sku.category}|【规格】{sku.spec}"
            f"|【数量】3{sku.unit}|【状态】破损"
        )
        result = parse(text)
        assert result.ok, text
        assert result.canonical == text


def test_the_assortment_is_wide():
    assert len({line.leaf for line in LINES}) == len(LINES) >= 40
    assert {sku.category for sku in CATALOG} == {line.leaf for line in LINES}
    assert {sku.unit for sku in CATALOG} == set("箱盒瓶袋罐杯托")
    kinds = [sku.package_type for sku in CATALOG]
    for kind in ("carton", "bottle", "bag", "can", "cup", "tray"):
        assert kinds.count(kind) > 100, kind
    assert not {sku.brand for sku in CATALOG} & REAL_BRANDS


def test_families_look_alike_and_differ_by_a_word_or_a_size():
    families: dict[str, list] = {}
    for sku in CATALOG:
        families.setdefault(sku.family, []).append(sku)
    several = [members for members in families.values() if len(members) > 1]
    assert len(several) > 500
    for members in several:
        assert len({sku.brand for sku in members}) == 1
        assert len({sku.design.layout for sku in members}) == 1
        assert len({(sku.name, sku.spec) for sku in members}) == len(members)


def test_the_same_seed_invents_the_same_and_another_others():
    assert invented_catalog(300, 7) == invented_catalog(300, 7)
    assert invented_catalog(300, 7) != invented_catalog(300, 8)


@pytest.mark.parametrize("style", CHINESE_STYLES)
def test_every_style_has_every_character(style):
    face = font(24, style)
    missing = face.getmask("\U000e0fff").getbbox(), bytes(face.getmask("\U000e0fff"))
    characters = {c for sku in CATALOG for c in sku.pack_text + sku.brand_latin if c != " "}
    for character in sorted(characters):
        mask = face.getmask(character)
        assert (mask.getbbox(), bytes(mask)) != missing, f"{style} has no {character}"
