"""The Chinese font that is printed on packs."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Final

from PIL import ImageFont

_PACKAGE: Final = ("cvttf_NotoSansCJK_Bold", "NotoSansCJKtc-Bold.otf")
_SYSTEM: Final = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
)


class FontMissing(RuntimeError):
    """No font with Chinese characters could be found."""


@cache
def font_path() -> Path:
    """The font file: the Python package's, so that every machine prints alike, else the system's.

    Raises :class:`FontMissing` saying what to install.
    """
    module, name = _PACKAGE
    spec = importlib.util.find_spec(module)
    if spec is not None and spec.origin is not None:
        path = Path(spec.origin).parent / name
        if path.is_file():
            return path
    for candidate in map(Path, _SYSTEM):
        if candidate.is_file():
            return candidate
    raise FontMissing(
        "No Chinese font found to print on packs. Install the Python package "
        "cvttf-notosanscjk-bold, or the Debian package fonts-noto-cjk."
    )


@cache
def font(size_px: int) -> ImageFont.FreeTypeFont:
    """The font at a height of ``size_px``. Raises :class:`FontMissing`."""
    return ImageFont.truetype(font_path(), max(6, size_px), layout_engine=ImageFont.Layout.BASIC)


def fitting_font(text: str, width_px: float, height_px: float) -> ImageFont.FreeTypeFont:
    """The largest font in which ``text`` takes at most ``width_px`` × ``height_px``."""
    probe = font(100).getlength(text) / 100
    return font(int(min(height_px, width_px / max(probe, 0.1))))
