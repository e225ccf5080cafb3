"""A model proposes nothing on photos of another kind than those that taught it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import encode, render_pack, sku

from inference.bundles import SHIPPED, seal
from inference.contracts import Change, Description, SiteRef
from inference.local import LocalRecognizer
from inference.minigpt.familiar import Familiar
from inference.minigpt.reading import Reader
from inference.minigpt.sight import Sight
from inference.pictures import decode
from inference.scenes.dataset import write_dataset

GROCERY = Path(
    os.environ.get(
        "WAREVISION_GROCERY", Path(__file__).resolve().parents[3] / "shared/data/grocery"
    )
)
shipped = pytest.mark.skipif(not SHIPPED.is_dir(), reason="NOT TESTED: no MiniGPT is shipped yet")


def sights(count: int, off: float, seed: int) -> list[Sight]:
    """Of features that vary by 1 along some axes and by 0.1 along others, in which they are ``off``."""
    rng = np.random.default_rng(seed)
    outputs = rng.normal(size=(count, 4, 16)).astype(np.float32)
    outputs[..., 8:] = off + 0.1 * outputs[..., 8:]
    return [Sight(one, np.ones((4, 9), np.float32) / 9, {}) for one in outputs]


def test_others_are_told_by_what_varies_little(tmp_path: Path) -> None:
    familiar = Familiar.fit(sights(600, 0.0, 1), sights(300, 0.0, 4))
    familiar.save(tmp_path)
    loaded = Familiar.load(tmp_path)
    assert loaded is not None
    alike, others = sights(200, 0.0, 2), sights(200, 0.2, 3)
    assert np.mean([one in loaded for one in alike]) > 0.88
    assert np.mean([one in loaded for one in others]) < 0.05
    np.testing.assert_allclose(loaded.distances(alike), familiar.distances(alike), rtol=1e-5)
    assert Familiar.load(tmp_path / "elsewhere") is None


def test_nothing_is_proposed_on_a_picture_of_another_kind(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="making a model wants torch: pip install -e '.[train]'")
    from tests.models import tiny_model

    model = tiny_model(tmp_path / "model")
    (seen,) = Reader.open(model).see([render_pack("MILK")])
    dimensions = seen.outputs.shape[1]
    root = np.eye(dimensions, dtype=np.float32)
    pictures = [encode(render_pack("MILK")), encode(render_pack("JUICE", colour="red", side=200))]
    sources, flagged = {}, {}
    for name, limit in (("all", 1e9), ("none", -1.0)):
        folder = tmp_path / name
        shutil.copytree(model, folder)
        Familiar(np.zeros(dimensions, np.float32), root, limit).save(folder)
        seal(folder)
        recognizer = LocalRecognizer(tmp_path / "sites", model=folder, ocr=False)
        recognizer.teach("one", [Change(1, "put_sku", sku=sku("MILK"))])
        described = [d for d in recognizer.describe(pictures) if isinstance(d, Description)]
        answers = recognizer.rank(SiteRef("one", 1), described)
        recognizer.close()
        fields = [answer.fields[key] for answer in answers for key in ("quantity", "condition")]
        sources[name] = {field.source for field in fields}
        flagged[name] = any("unfamiliar" in answer.flags for answer in answers)
        assert [bool(answer.attributes) for answer in answers] == [name == "all"] * 2
        if name == "none":
            assert all(field.value is None and field.confidence is None for field in fields)
    assert sources["none"] == {"unfamiliar"}
    assert flagged == {"all": False, "none": True}
    assert sources["all"] <= {"minigpt", "low_confidence"}


@shipped
def test_the_shipped_one_knows_rendered_photos(tmp_path: Path) -> None:
    write_dataset(tmp_path, scenes=8, seed=815, cam_types=("front", "top"), size_px=(640, 480))
    assert share(sorted((tmp_path / "images").rglob("*.jpg"))) >= 0.75


@shipped
@pytest.mark.skipif(not GROCERY.is_dir(), reason=f"NOT MEASURED: no data set in {GROCERY}")
def test_the_shipped_one_does_not_take_a_shop_for_a_rendered_scene() -> None:
    assert share(sorted((GROCERY / "images").rglob("*.jpg"))[::60]) <= 0.2


def share(paths: list[Path]) -> float:
    reader = Reader.open(SHIPPED)
    assert len(paths) > 10
    found = reader.see([decode(path.read_bytes()) for path in paths])
    return float(np.mean([reader.is_familiar(one) for one in found]))
