"""Read barcodes and QR codes, and compare them with the catalog's."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import zxingcpp
from PIL import Image

from inference.contracts import Barcode, Point

_MAX_SIDE_PX = 2400
_GTIN_LENGTHS = (8, 12, 13, 14)

Back = Callable[[float, float], Point]
"""From a place in what was read to the place in the picture."""


def read_barcodes(picture: Image.Image) -> tuple[Barcode, ...]:
    """Every symbol found, its polygon in pixels of ``picture``.

    A picture without any symbol is looked at again: twice as large if it is small, for the bars of small
    print run into each other; then turned by 45°, for linear codes near it are missed by a scan
    along rows and columns.
    """
    gray = picture.convert("L")
    longest = max(gray.size)
    scales = [min(1.0, _MAX_SIDE_PX / longest)]
    if 2 * longest <= _MAX_SIDE_PX:
        scales.append(2.0)
    for scale in scales:
        if found := _read(*_scaled(gray, scale)):
            return found
    return _read(*_turned(*_scaled(gray, scales[0])))


def _scaled(gray: Image.Image, scale: float) -> tuple[Image.Image, Back]:
    size = (max(1, round(gray.width * scale)), max(1, round(gray.height * scale)))
    resample = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    return gray.resize(size, resample), lambda x, y: (x / scale, y / scale)


def _turned(gray: Image.Image, back: Back) -> tuple[Image.Image, Back]:
    """By 45°. Pillow turns counter-clockwise about the centre: the way back is clockwise."""
    turned = gray.rotate(45, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    cos, sin = math.cos(math.pi / 4), math.sin(math.pi / 4)

    def upright(x: float, y: float) -> Point:
        dx, dy = x - turned.width / 2, y - turned.height / 2
        return back(cos * dx - sin * dy + gray.width / 2, sin * dx + cos * dy + gray.height / 2)

    return turned, upright


def _read(gray: Image.Image, back: Back) -> tuple[Barcode, ...]:
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
