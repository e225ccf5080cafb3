from __future__ import annotations

import io

import barcode
import numpy as np
import pytest
import zxingcpp
from barcode.writer import ImageWriter
from PIL import Image, ImageFilter

from inference.evidence.barcode import canonical, read_barcodes

NUMBER = "4006381333931"


def ean13(turn: float) -> Image.Image:
    """An EAN-13 label on a large grey picture, off centre, turned counter-clockwise."""
    out = io.BytesIO()
    barcode.get("ean13", NUMBER, writer=ImageWriter()).write(out, {"module_width": 0.35})
    label = (
        Image.open(out).convert("RGBA").rotate(turn, expand=True, resample=Image.Resampling.BICUBIC)
    )
    picture = Image.new("RGB", (1400, 1200), (150, 150, 150))
    picture.paste(label, (700, 100), label)
    return picture


@pytest.mark.parametrize("turn", [0, 15, 45, 90, 135, 180])
def test_reads_a_linear_code_and_says_where(turn: float) -> None:
    (symbol,) = read_barcodes(ean13(turn))
    assert symbol.text == NUMBER
    assert "EAN" in symbol.format.upper()
    label_box = (700, 100, 1400, 900)
    assert len(symbol.polygon) == 4
    for x, y in symbol.polygon:
        assert label_box[0] <= x <= label_box[2]
        assert label_box[1] <= y <= label_box[3]


def test_the_polygon_of_the_second_look_lies_on_the_bars() -> None:
    picture = ean13(45)
    (symbol,) = read_barcodes(picture)
    x = round(sum(x for x, _ in symbol.polygon) / 4)
    y = round(sum(y for _, y in symbol.polygon) / 4)
    around = picture.convert("L").crop((x - 40, y - 40, x + 40, y + 40))
    darkest, lightest = around.getextrema()
    assert darkest < 60 and lightest > 200


def test_small_print_is_looked_at_twice_as_large() -> None:
    label = ean13(0).convert("L").crop((680, 80, 1400, 420)).resize((360, 170))
    small = Image.new("L", (640, 480), 150)
    small.paste(label, (20, 20))
    small = small.filter(ImageFilter.GaussianBlur(0.5))
    assert not zxingcpp.read_barcodes(np.asarray(small)), "it can be read as it is"
    (symbol,) = read_barcodes(small)
    assert symbol.text == NUMBER
    assert all(20 <= x <= 380 and 20 <= y <= 190 for x, y in symbol.polygon)


def test_nothing_to_read() -> None:
    assert read_barcodes(Image.new("RGB", (200, 150), "white")) == ()


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("4006381333931", "04006381333931", True),
        ("036000291452", "0036000291452", True),
        (" 4006381333931 ", "4006381333931", True),
        ("ABC-1", "ABC-1", True),
        ("ABC-1", "abc-1", False),
        ("0123", "123", False),
    ],
)
def test_canonical(a: str, b: str, same: bool) -> None:
    assert (canonical(a) == canonical(b)) is same
