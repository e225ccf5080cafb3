from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from conftest import encode, render_pack
from numpy.typing import NDArray
from PIL import Image

from inference.contracts import Description, Failure
from inference.describe import Describer
from inference.engines import Picture
from inference.local import LocalRecognizer
from inference.minigpt.reading import Reader
from inference.minigpt.sight import Sight
from inference.retrieval.backbone import DIMENSIONS, MODEL_PATH, ImageEmbedder, pack, unpack


def test_describes_what_is_printed(recognizer: LocalRecognizer) -> None:
    data = encode(render_pack("BRAVO", "Apple", "Juice"))
    (described,) = recognizer.describe([data])
    assert isinstance(described, Description)
    assert described.image_sha256 == hashlib.sha256(data).hexdigest()
    assert (described.width_px, described.height_px) == (400, 400)
    assert described.describer == recognizer.describer
    assert not described.missing
    words = " ".join(line.text for line in described.ocr_lines).lower()
    assert "bravo" in words and "apple" in words
    for line in described.ocr_lines:
        assert 0 <= line.confidence <= 1
        assert all(-5 <= x <= 405 and -5 <= y <= 405 for x, y in line.polygon)
    bravo = next(line for line in described.ocr_lines if "bravo" in line.text.lower())
    top = min(y for _, y in bravo.polygon)
    assert 50 < top < 160  # the first word stands in the upper third of the pack
    assert unpack(described.embedding).shape == (DIMENSIONS,)
    assert described.keypoints
    assert set(described.timings_ms) >= {"decode", "embedding", "barcode", "ocr", "keypoints"}


def test_survives_json(recognizer: LocalRecognizer) -> None:
    (described,) = recognizer.describe([encode(render_pack("ARLA"))])
    assert isinstance(described, Description)
    assert Description.from_json(described.to_json()) == described


def test_a_bad_picture_fails_alone(recognizer: LocalRecognizer) -> None:
    good = encode(render_pack("ARLA"))
    first, bad, last = recognizer.describe([good, b"nonsense", good])
    assert isinstance(bad, Failure) and bad.code == "unreadable"
    assert isinstance(first, Description) and isinstance(last, Description)
    assert first.embedding == last.embedding


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (1600, 40)])
def test_odd_shapes(recognizer: LocalRecognizer, size: tuple[int, int]) -> None:
    (described,) = recognizer.describe([encode(Image.new("RGB", size, "white"))])
    assert isinstance(described, Description)
    assert not described.missing


def test_a_reader_that_breaks_is_named(
    recognizer: LocalRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(picture: Image.Image) -> None:
        raise RuntimeError("no model")

    monkeypatch.setattr("inference.describe.read_barcodes", broken)
    (described,) = recognizer.describe([encode(render_pack("ARLA"))])
    assert isinstance(described, Description)
    assert described.missing == {"barcode": "no model"}
    assert described.ocr_lines


def test_no_text_is_read_where_none_is_wanted(recognizer: LocalRecognizer) -> None:
    describer = Describer(ocr=False)
    (described,) = describer.describe([encode(render_pack("ARLA"))])
    describer.close()
    assert isinstance(described, Description)
    assert not described.ocr_lines and not described.missing
    assert "ocr" not in described.timings_ms and described.keypoints
    assert described.describer != recognizer.describer


@pytest.mark.parametrize("together", [False, True])
def test_a_model_looks_at_all_pictures_at_once_where_it_gains_by_it(
    together: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from tests.models import tiny_model

    minigpt = Reader.open(tiny_model(tmp_path))
    encode_all, batches = minigpt.engine.encode, []

    def counted(pixels: NDArray[np.float32]) -> Picture:
        batches.append(len(pixels))
        return encode_all(pixels)

    monkeypatch.setattr(minigpt.engine, "encode", counted)
    monkeypatch.setattr(minigpt.engine, "together", together)
    pictures = [render_pack("ARLA"), render_pack("BRAVO", colour="lightgreen")]
    describer = Describer(ocr=False)
    first, bad, last = describer.describe(
        [encode(pictures[0]), b"nonsense", encode(pictures[1])], minigpt=minigpt
    )
    describer.close()
    assert batches == ([2] if together else [1, 1])
    assert isinstance(bad, Failure)
    for described, picture in zip((first, last), pictures, strict=True):
        assert isinstance(described, Description) and described.seen_by == minigpt.name
        (alone,) = minigpt.see([picture])
        seen = Sight.unpack(described.sight)
        np.testing.assert_allclose(seen.outputs, alone.outputs, atol=0.02)


def test_similar_pictures_have_similar_embeddings() -> None:
    embedder = ImageEmbedder()
    a, b, c = embedder.embed(
        [
            render_pack("ARLA", "Milk", colour="lightgreen"),
            render_pack("ARLA", "Milk", colour="lightgreen", turn=5),
            Image.effect_mandelbrot((300, 300), (-2, -1.5, 1, 1.5), 50).convert("RGB"),
        ]
    )
    assert np.linalg.norm(a) == pytest.approx(1, abs=1e-4)
    assert a @ b > a @ c + 0.2
    assert unpack(pack(a)) == pytest.approx(a, abs=1e-3)
    assert embedder.embed([]).shape == (0, DIMENSIONS)


def test_a_changed_model_file_is_refused(tmp_path: Path) -> None:
    data = bytearray(MODEL_PATH.read_bytes())
    data[1000] ^= 1
    damaged = tmp_path / "backbone.onnx"
    damaged.write_bytes(data)
    with pytest.raises(ValueError, match="SHA-256"):
        ImageEmbedder(path=damaged)
