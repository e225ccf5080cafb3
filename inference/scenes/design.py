"""How an invented pack looks: layout, bands, type, marks, colours, all drawn from a seed."""

from __future__ import annotations

import colorsys
import math
import random
from dataclasses import dataclass, replace
from typing import Final

from .fonts import CHINESE_STYLES

LAYOUTS: Final = ("left", "centre", "right", "banner", "badge", "vertical")
BANDS: Final = (
    "none",
    "top",
    "bottom",
    "both",
    "side",
    "diagonal",
    "wave",
    "frame",
    "split",
    "stripe",
)
LOGOS: Final = ("disc", "shield", "tile", "leaf", "hexagon", "ring", "diamond", "plain")
GROUNDS: Final = ("flat", "fade", "halves", "dots", "rays")


@dataclass(frozen=True, slots=True)
class Design:
    """A family of look-alikes shares all of it but the colours, which may be tinted.

    ``name_type``, ``text_type`` are styles of :mod:`.fonts`; ``second`` is a third colour of print;
    ``shape`` numbers the outline of a bottle or cup; ``name_scale`` is the size of the name's slot.
    """

    family: str
    layout: str
    band: str
    ground: str
    logo: str
    motif: str
    motif_seed: int
    name_type: str
    text_type: str
    second: str
    cap: str
    shape: int
    gloss: float
    name_scale: float
    upright_barcode: bool


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as RGB hex."""

    base: str
    accent: str
    ink: str
    second: str
    cap: str


def _hex(hue: float, saturation: float, value: float) -> str:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def luminance(colour: str) -> float:
    """Relative luminance in 0…1 (WCAG 2.2, gamma taken as 2.2)."""
    parts = [math.pow(int(colour[k : k + 2], 16) / 255, 2.2) for k in (1, 3, 5)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two colours, 1…21 (WCAG 2.2)."""
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def random_palette(rng: random.Random, *, kraft: bool = False) -> Palette:
    """Colours in which the ink can be read on the base."""
    hue = rng.random()
    other = hue + rng.choice((0.08, -0.08, 0.33, 0.42, 0.5, 0.58))
    scheme = "kraft" if kraft else rng.choice(("deep", "deep", "pale", "pale", "vivid", "dark"))
    if scheme == "kraft":
        base = _hex(rng.uniform(0.075, 0.1), rng.uniform(0.35, 0.5), rng.uniform(0.62, 0.78))
        accent, ink = _hex(hue, 0.75, 0.45), _hex(hue, 0.8, rng.uniform(0.15, 0.35))
    elif scheme == "deep":
        base = _hex(hue, rng.uniform(0.6, 0.9), rng.uniform(0.45, 0.75))
        accent, ink = _hex(other, rng.uniform(0.15, 0.7), rng.uniform(0.85, 1)), "#fdfbf4"
    elif scheme == "pale":
        base = _hex(hue, rng.uniform(0.02, 0.22), rng.uniform(0.88, 0.98))
        accent, ink = (
            _hex(other, rng.uniform(0.55, 0.9), rng.uniform(0.4, 0.8)),
            _hex(hue, 0.8, 0.3),
        )
    elif scheme == "vivid":
        base = _hex(hue, rng.uniform(0.45, 0.75), rng.uniform(0.82, 0.96))
        accent, ink = (
            _hex(other, rng.uniform(0.5, 0.9), rng.uniform(0.35, 0.6)),
            _hex(other, 0.7, 0.2),
        )
    else:
        base = _hex(hue, rng.uniform(0.2, 0.7), rng.uniform(0.12, 0.28))
        accent, ink = _hex(other, rng.uniform(0.35, 0.8), rng.uniform(0.75, 0.98)), "#f3e7c4"
    ink = _readable(ink, base)
    second = _hex(
        other + rng.choice((0.0, 0.12, 0.5)), rng.uniform(0.3, 0.9), rng.uniform(0.4, 0.95)
    )
    cap = rng.choice((accent, second, "#f4f4f0", "#26262a", "#d4af37", base))
    return Palette(base, accent, ink, second, cap)


def _readable(ink: str, base: str) -> str:
    if contrast(ink, base) >= 4:
        return ink
    return max(("#1b1b1e", "#fbfaf5"), key=lambda colour: contrast(colour, base))


def tinted(palette: Palette, rng: random.Random, step: int) -> Palette:
    """The palette of a look-alike: another hue where the family shows its flavour."""
    shift = step * rng.choice((0.06, 0.1, 0.17, 0.31))

    def turn(colour: str) -> str:
        red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
        hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
        return _hex(hue + shift, saturation, value)

    if rng.random() < 0.5:
        return replace(palette, accent=turn(palette.accent), second=turn(palette.second))
    base = turn(palette.base)
    return replace(
        palette, base=base, ink=_readable(palette.ink, base), second=turn(palette.second)
    )


def random_design(rng: random.Random, family: str, motif: str, palette: Palette) -> Design:
    return Design(
        family=family,
        layout=rng.choice(LAYOUTS),
        band=rng.choice(BANDS),
        ground=rng.choice(("flat", *GROUNDS)),
        logo=rng.choice(LOGOS),
        motif=motif,
        motif_seed=rng.randrange(10**6),
        name_type=rng.choice(CHINESE_STYLES),
        text_type=rng.choice(("sans", "hei", "round", "black", "house")),
        second=palette.second,
        cap=palette.cap,
        shape=rng.randrange(6),
        gloss=rng.uniform(0.2, 1.0),
        name_scale=rng.uniform(0.85, 1.15),
        upright_barcode=rng.random() < 0.25,
    )
