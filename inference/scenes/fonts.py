"""The fonts that are printed on packs.

Demo scenes are printed in one font from a Python package, so that every machine prints alike.
Invented packs are printed in several styles, whose fonts come from the Debian packages of
:data:`DEBIAN_PACKAGES`; a style whose font is not installed falls back to the house font, and
:func:`fonts_in_use` says which files did print.
"""

from __future__ import annotations

import hashlib
import importlib.util
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from PIL import ImageFont

_PACKAGE: Final = ("cvttf_NotoSansCJK_Bold", "NotoSansCJKtc-Bold.otf")
_SYSTEM: Final = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
)

DEBIAN_PACKAGES: Final = (
    "fonts-noto-cjk",
    "fonts-wqy-zenhei",
    "fonts-wqy-microhei",
    "fonts-arphic-ukai",
    "fonts-arphic-uming",
    "fonts-lxgw-wenkai",
    "fonts-liberation2",
    "fonts-dejavu-core",
)
"""Where the fonts of the styles come from. None is needed; each adds variety to training data."""

HOUSE: Final = "house"

_NOTO: Final = "/usr/share/fonts/opentype/noto"
_TRUETYPE: Final = "/usr/share/fonts/truetype"
# The collections of Noto hold Japanese, Korean and, as number 2, simplified Chinese glyphs.
_STYLES: Final[dict[str, tuple[tuple[str, int], ...]]] = {
    "sans": ((f"{_NOTO}/NotoSansCJK-Regular.ttc", 2),),
    "black": ((f"{_NOTO}/NotoSansCJK-Bold.ttc", 2),),
    "serif": ((f"{_NOTO}/NotoSerifCJK-Bold.ttc", 2),),
    "ming": ((f"{_TRUETYPE}/arphic/uming.ttc", 0), (f"{_NOTO}/NotoSerifCJK-Regular.ttc", 2)),
    "kai": ((f"{_TRUETYPE}/arphic/ukai.ttc", 0),),
    "script": ((f"{_TRUETYPE}/lxgw-wenkai/LXGWWenKai-Bold.ttf", 0),),
    "hei": ((f"{_TRUETYPE}/wqy/wqy-zenhei.ttc", 0),),
    "round": ((f"{_TRUETYPE}/wqy/wqy-microhei.ttc", 0),),
    "mono": (
        (f"{_TRUETYPE}/liberation2/LiberationMono-Bold.ttf", 0),
        (f"{_TRUETYPE}/dejavu/DejaVuSansMono-Bold.ttf", 0),
    ),
    "grotesque": (
        (f"{_TRUETYPE}/liberation2/LiberationSans-Bold.ttf", 0),
        (f"{_TRUETYPE}/dejavu/DejaVuSans-Bold.ttf", 0),
    ),
}

CHINESE_STYLES: Final = ("sans", "black", "serif", "ming", "kai", "script", "hei", "round", HOUSE)
"""Styles that have Chinese characters."""

LATIN_STYLES: Final = ("mono", "grotesque")
"""Styles for codes, which have Latin letters and digits only."""


class FontMissing(RuntimeError):
    """No font with Chinese characters could be found."""


@cache
def font_path() -> Path:
    """The house font's file: the Python package's, so that every machine prints alike, else the
    system's.

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
def _file_of(style: str) -> tuple[Path, int]:
    """The file of a style and the font's number in it; the house font's where none is installed."""
    for path, number in _STYLES.get(style, ()):
        if Path(path).is_file():
            return Path(path), number
    return font_path(), 0


def fonts_in_use() -> dict[str, dict[str, str]]:
    """Style → the file that prints it and its SHA-256."""
    files = {style: _file_of(style)[0] for style in (HOUSE, *_STYLES)}
    digests = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in set(files.values())}
    return {style: {"file": path.name, "sha256": digests[path]} for style, path in files.items()}


# A face of a large collection takes a megabyte or two and a millisecond to load.
@lru_cache(maxsize=64)
def font(size_px: int, style: str = HOUSE) -> ImageFont.FreeTypeFont:
    """The font of ``style`` at a height of ``size_px``. Raises :class:`FontMissing`."""
    path, number = _file_of(style)
    return ImageFont.truetype(
        path, max(6, size_px), index=number, layout_engine=ImageFont.Layout.BASIC
    )


def fitting_font(
    text: str, width_px: float, height_px: float, style: str = HOUSE
) -> ImageFont.FreeTypeFont:
    """The largest font in which ``text`` takes at most ``width_px`` × ``height_px``."""
    probe = font(100, style).getlength(text) / 100
    return font(int(min(height_px, width_px / max(probe, 0.1))), style)
