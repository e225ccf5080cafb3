"""Flat pictures of print that know where their words stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from PIL import Image, ImageDraw, ImageFont

Span = tuple[float, float, float, float]
"""Left, top, right, bottom in shares of the picture's width and height."""

WORDS: Final = ("brand", "name", "variant", "spec", "barcode", "code")
"""Groups of print whose places are known; ``code`` is the SKU's code on a shipping label."""


@dataclass(frozen=True, slots=True, eq=False)
class Print:
    """A flat picture (mode RGB) and where each group of words is on it."""

    image: Image.Image
    words: Mapping[str, Span]


@dataclass(slots=True)
class Inker:
    """Draws text on a picture and keeps where each group of words came to stand."""

    image: Image.Image
    draw: ImageDraw.ImageDraw = field(init=False)
    _boxes: dict[str, tuple[float, float, float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.draw = ImageDraw.Draw(self.image)

    def text(
        self,
        group: str,
        place: tuple[float, float],
        text: str,
        face: ImageFont.FreeTypeFont,
        fill: tuple[int, int, int],
        anchor: str = "la",
        stroke_width: int = 0,
        stroke_fill: tuple[int, int, int] | None = None,
    ) -> None:
        self.draw.text(
            place,
            text,
            font=face,
            fill=fill,
            anchor=anchor,
            stroke_width=stroke_width,
            stroke_fill=stroke_fill,
        )
        self.note(group, self.draw.textbbox(place, text, font=face, anchor=anchor))

    def note(self, group: str, box: tuple[float, float, float, float]) -> None:
        """``box`` (left, top, right, bottom in pixels) belongs to ``group``."""
        old = self._boxes.get(group, box)
        self._boxes[group] = (
            min(old[0], box[0]),
            min(old[1], box[1]),
            max(old[2], box[2]),
            max(old[3], box[3]),
        )

    def print(self) -> Print:
        return Print(self.image, spans(self._boxes, self.image.size))


def spans(
    boxes: Mapping[str, tuple[float, float, float, float]], size: tuple[int, int]
) -> dict[str, Span]:
    """Boxes in pixels as shares of a picture of ``size``, cut at its edges."""
    width, height = size

    def share(value: float, side: int) -> float:
        return min(1.0, max(0.0, value / side))

    return {
        group: (share(x0, width), share(y0, height), share(x1, width), share(y1, height))
        for group, (x0, y0, x1, y1) in boxes.items()
    }
