"""Rendered packs and one recognizer for the whole room: its models take seconds to load."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from inference.contracts import Change, Description, Example, SkuRecord
from inference.local import LocalRecognizer

PackMaker = Callable[..., Image.Image]


def render_pack(
    *words: str, colour: str = "white", turn: float = 0.0, side: int = 400, ink: str = "black"
) -> Image.Image:
    """A carton with printed words on a grey shelf, turned by ``turn`` degrees."""
    shelf = Image.new("RGB", (side, side), (120, 120, 125))
    pack = Image.new("RGBA", (side // 2, side * 3 // 4), colour)
    draw = ImageDraw.Draw(pack)
    for row, word in enumerate(words):
        font = ImageFont.load_default(size=side // (11 if len(word) < 9 else 16))
        draw.text((side // 20, side // 10 + row * side // 6), word, fill=ink, font=font)
    draw.rectangle((0, 0, side // 2 - 1, side * 3 // 4 - 1), outline="black", width=3)
    # a drawing that depends on the words, as packs carry pictures
    seed = sum(ord(c) * (i + 1) for i, c in enumerate("".join(words)))
    for i in range(12):
        x, y = (seed * (i + 3)) % (side // 2 - 30), side // 2 + (seed * (i + 7)) % (side // 5)
        shade = ((seed * (i + 1)) % 200, (seed * (i + 5)) % 200, (seed * (i + 11)) % 200)
        draw.ellipse((x, y, x + 10 + i, y + 6 + 2 * i), fill=shade)
    turned = pack.rotate(turn, expand=True, resample=Image.Resampling.BICUBIC)
    shelf.paste(turned, ((side - turned.width) // 2, (side - turned.height) // 2), turned)
    return shelf


def encode(picture: Image.Image, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue()


@pytest.fixture(scope="session")
def sites_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sites")


@pytest.fixture(scope="session")
def recognizer(sites_dir: Path) -> Iterator[LocalRecognizer]:
    made = LocalRecognizer(sites_dir, minigpt=False, debounce_s=0.05)
    yield made
    made.close()


PACKS = {
    "MILK-LOW": ("ARLA", "Milk", "1,5%"),
    "MILK-FULL": ("ARLA", "Milk", "3%"),
    "JUICE-APPLE": ("BRAVO", "Apple", "Juice"),
    "JUICE-ORANGE": ("BRAVO", "Orange", "Juice"),
}
COLOURS = {"MILK-LOW": "lightgreen", "MILK-FULL": "lightpink"}


@pytest.fixture(scope="session")
def described_packs(recognizer: LocalRecognizer) -> dict[str, list[Description]]:
    """Per SKU: its pack upright, and turned by 8 and by -12 degrees."""
    pictures = [
        encode(render_pack(*words, colour=COLOURS.get(code, "white"), turn=turn))
        for code, words in PACKS.items()
        for turn in (0, 8, -12)
    ]
    described = recognizer.describe(pictures)
    assert all(isinstance(d, Description) for d in described)
    return {
        code: described[3 * i : 3 * i + 3]  # type: ignore[misc]
        for i, code in enumerate(PACKS)
    }


def sku(code: str, **more: str) -> SkuRecord:
    words = PACKS.get(code, ())
    values = {"brand": words[0] if words else "", "pack_text": " ".join(words[1:])}
    category = "milk" if code.startswith("MILK") else "juice"
    return SkuRecord(code, code.title(), category=category, spec="1L", **{**values, **more})


def example(
    key: str, code: str, description: Description, kind: str = "decided", group: str = ""
) -> Example:
    return Example(
        key=key,
        sku_code=code,
        kind=kind,  # type: ignore[arg-type]
        embedding=description.embedding,
        ocr_text=" ".join(line.text for line in description.ocr_lines),
        group=group,
        keypoints=description.keypoints,
    )


def catalog_changes(
    described: dict[str, list[Description]], *, references: bool = True
) -> list[Change]:
    changes: list[Change] = []
    for code in PACKS:
        changes.append(Change(len(changes) + 1, "put_sku", sku=sku(code)))
        if references:
            reference = example(f"ref:{code}", code, described[code][0], "reference")
            changes.append(Change(len(changes) + 1, "put_example", example=reference))
    return changes
