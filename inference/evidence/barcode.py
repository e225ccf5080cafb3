"""Read barcodes and QR codes, and compare them with the catalog's."""

from __future__ import annotations

import math

import numpy as np
import zxingcpp
from PIL import Image

from inference.contracts import Barcode, Point

_MAX_SIDE_PX = 2400
_GTIN_LENGTHS = (8, 12, 13, 14)


def read_barcodes(picture: Image.Image) -> tuple[Barcode, ...]:
    """Every symbol found, its polygon in pixels of ``picture``.

    Linear codes near 45° are missed by a scan along rows and columns, so a picture without any
    symbol gets a second look, turned by 45°.
    """
    scale = min(1.0, _MAX_SIDE_PX / max(picture.size))
    gray = picture.convert("L")
    if scale < 1:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        gray = gray.resize(size, Image.Resampling.LANCZOS)
    found = _read(gray, lambda x, y: (x / scale, y / scale))
    if found:
        return found
    turned = gray.rotate(45, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    # Pillow turns counter-clockwise about the centre: undo by turning the points clockwise
    cos, sin = math.cos(math.pi / 4), math.sin(math.pi / 4)

    def back(x: float, y: float) -> Point:
        dx, dy = x - turned.width / 2, y - turned.height / 2
        u = cos * dx - sin * dy + gray.width / 2
        v = sin * dx + cos * dy + gray.height / 2
        return u / scale, v / scale

    return _read(turned, back)


def _read(gray: Image.Image, back) -> tuple[Barcode, ...]:  # type: ignore[no-untyped-def]
    symbols = []
    for result in zxingcpp.read_barcodes(np.asarray(gray)):
        corners = result.position
        polygon = tuple(
            back(float(p.x), float(p.y))
            for p in (
                corners.top_left,
                corners.top_right,
                corners.bottom_right,
                corners.bottom_left,
            )
        )
        name = str(result.format).removeprefix("BarcodeFormat.")
        symbols.append(Barcode(text=result.text, format=name, polygon=polygon))
    return tuple(symbols)


def canonical(code: str) -> str:
    """The form in which two codes are compared.

    GTIN-8, -12, -13 and -14 differ by leading zeros only (GS1 General Specifications, 3.3.2), so
    numeric codes of those lengths are padded to 14 digits; others compare as stripped text.
    """
    text = code.strip()
    if text.isdigit() and len(text) in _GTIN_LENGTHS:
        return text.zfill(14)
    return text
