"""EAN-13 symbols (ISO/IEC 15420)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw

from .fonts import font

_LEFT_ODD: Final = [
    "0001101",
    "0011001",
    "0010011",
    "0111101",
    "0100011",
    "0110001",
    "0101111",
    "0111011",
    "0110111",
    "0001011",
]
_PARITY: Final = [
    "OOOOOO",
    "OOEOEE",
    "OOEEOE",
    "OOEEEO",
    "OEOOEE",
    "OEEOOE",
    "OEEEOO",
    "OEOEOE",
    "OEOEEO",
    "OEEOEO",
]

QUIET_MODULES: Final = 9
SYMBOL_MODULES: Final = 95 + 2 * QUIET_MODULES


def check_digit(first_twelve: str) -> str:
    """The check digit of an EAN-13: digits weighted 1, 3, 1, 3, … sum up to a multiple of 10."""
    total = sum(int(digit) * (3 if i % 2 else 1) for i, digit in enumerate(first_twelve))
    return str(-total % 10)


def modules(code: str) -> str:
    """The 95 modules of ``code``, 1 for a bar. Raises :class:`ValueError` for a wrong code."""
    if len(code) != 13 or not code.isdigit() or check_digit(code[:12]) != code[12]:
        raise ValueError(f"{code} is not an EAN-13 with a valid check digit")
    left = "".join(
        _LEFT_ODD[int(digit)]
        if parity == "O"
        else _LEFT_ODD[int(digit)].translate({48: 49, 49: 48})[::-1]
        for digit, parity in zip(code[1:7], _PARITY[int(code[0])], strict=True)
    )
    right = "".join(_LEFT_ODD[int(digit)].translate({48: 49, 49: 48}) for digit in code[7:])
    return f"101{left}01010{right}101"


@lru_cache(maxsize=64)
def draw_ean13(code: str, module_px: int, height_px: int) -> Image.Image:
    """The symbol on white with its quiet zones and digits, ``module_px`` a module (mode RGB)."""
    width = SYMBOL_MODULES * module_px
    image = Image.new("RGB", (width, height_px), "white")
    draw = ImageDraw.Draw(image)
    digits_px = max(8, int(height_px * 0.2))
    margin = max(2, height_px // 20)
    for place, module in enumerate(modules(code)):
        if module == "1":
            x = (QUIET_MODULES + place) * module_px
            draw.rectangle(
                (x, margin, x + module_px - 1, height_px - digits_px - margin), fill="#101010"
            )
    spaced = f"{code[0]} {code[1:7]} {code[7:]}"
    draw.text(
        (width / 2, height_px - digits_px / 2 - 1),
        spaced,
        font=font(digits_px),
        fill="#101010",
        anchor="mm",
    )
    return image
