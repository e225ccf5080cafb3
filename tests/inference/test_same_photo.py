"""Planted crops and recompressions are found, and other photos of the SKU are left apart."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import imagehash
import pytest
from PIL import Image

from annotator.datasets.leakage import overlie, same_photo, to_grey
from inference.retrieval.backbone import ImageEmbedder, pack
from tests.factories import picture_bytes


def saved(picture: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return Image.open(io.BytesIO(out.getvalue())).convert("RGB")


def cropped(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Sixty to ninety-five hundredths of each side, anywhere, recompressed, perhaps resized."""
    share = rng.uniform(0.6, 0.95)
    width, height = (round(side * share) for side in picture.size)
    x, y = rng.randint(0, picture.width - width), rng.randint(0, picture.height - height)
    part = picture.crop((x, y, x + width, y + height))
    if rng.random() < 0.5:
        part = part.resize((width * 3 // 4, height * 3 // 4))
    return saved(part, rng.choice([30, 60, 90]))


def found_of(originals: list[Image.Image], *, seed: int) -> tuple[int, int, int]:
    """How many of the planted copies were tied to their originals, how many were planted, and how
    many pairs of different originals were tied."""
    rng = random.Random(seed)
    pictures = list(originals)
    planted = []
    for n, original in enumerate(originals):
        for copy in (saved(original, rng.choice([20, 40, 60])), cropped(original, rng)):
            planted.append((n, len(pictures)))
            pictures.append(copy)
    embedder = ImageEmbedder()
    looks = {n: ("test", pack(embedder.embed([p])[0])) for n, p in enumerate(pictures)}
    hashes = {n: int(str(imagehash.phash(p)), 16) for n, p in enumerate(pictures)}
    pairs = same_photo(range(len(pictures)), hashes, looks, lambda n: to_grey(pictures[n]))
    together = {n: n for n in range(len(pictures))}
    for one, other in pairs:
        old, new = together[other], together[one]
        together = {n: new if root == old else root for n, root in together.items()}
    hits = sum(together[original] == together[copy] for original, copy in planted)
    mixed = sum(one < other < len(originals) for one, other in pairs)
    return hits, len(planted), mixed


def test_made_pictures() -> None:
    originals = [Image.open(io.BytesIO(picture_bytes(700 + n))).convert("RGB") for n in range(12)]
    hits, planted, mixed = found_of(originals, seed=5)
    assert hits >= 0.98 * planted
    assert mixed == 0


def test_real_photos_of_one_sku(grocery: Path) -> None:
    lines = (grocery / "annotations/train.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    caption = records[0]["caption"]
    paths = [grocery / r["image_path"] for r in records if r["caption"] == caption][:20]
    originals = [Image.open(path).convert("RGB") for path in paths]
    hits, planted, mixed = found_of(originals, seed=6)
    assert hits >= 0.98 * planted, (hits, planted)
    assert mixed <= 0.02 * len(originals) * (len(originals) - 1) / 2, mixed


@pytest.mark.parametrize("color", [0, 128, 255])
def test_blank_pictures_are_no_part_of_anything(color: int) -> None:
    blank = to_grey(Image.new("L", (320, 240), color))
    photo = to_grey(Image.open(io.BytesIO(picture_bytes(3))))
    assert not overlie(blank, photo)
