"""What MiniGPT says of packs besides the caption: package type and stack level, where it was calibrated for that."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import encode, render_pack, sku

from inference.bundles import seal
from inference.contracts import PACKAGE_TYPES, Change, Description, Recognition, SiteRef
from inference.local import LocalRecognizer
from inference.minigpt.reading import Facts, Reader, place_of
from inference.minigpt.sight import Sight
from inference.minigpt.vocabulary import Vocabulary
from inference.scenes.dataset import write_dataset


def reader(temperatures: dict[str, float]) -> Reader:
    facts = Facts(64, (1.0,), 6, attribute_temperatures=temperatures)
    return Reader(None, Vocabulary.default(), facts, "of-heads")  # type: ignore[arg-type]


def sight(package: str, level: int) -> Sight:
    """Of heads that are twice as sure, in log-odds, of one class as of the others."""
    heads = {"package_type": np.zeros(8, np.float32), "stack_level": np.zeros(5, np.float32)}
    heads["package_type"][PACKAGE_TYPES.index(package)] = 4.0
    heads["stack_level"][level - 1] = 4.0
    return Sight(np.zeros((6, 48), np.float32), np.zeros((6, 4), np.float32), heads)


def test_heads_say_it_as_surely_as_they_were_calibrated() -> None:
    calibrated = reader({"package_type": 1.0, "stack_level": 2.0})
    said = calibrated.attributes(sight("tray", 3))
    assert {name: one.value for name, one in said.items()} == {
        "package_type": "tray",
        "stack_level": "3",
    }
    assert said["package_type"].p == pytest.approx(np.exp(4) / (np.exp(4) + 7))
    assert said["stack_level"].p == pytest.approx(np.exp(2) / (np.exp(2) + 4))
    assert reader({}).attributes(sight("tray", 3)) == {}, "nothing where it was not"
    bare = replace(sight("tray", 3), heads={})
    assert calibrated.attributes(bare) == {}


def test_of_the_highest_stacks_it_does_not_say_how_high_they_are() -> None:
    said = reader({"package_type": 1.0, "stack_level": 1.0}).attributes(sight("can", 5))
    assert set(said) == {"package_type"}
    assert [place_of("stack_level", level) for level in (1, 4, 5, 12)] == [0, 3, 4, 4]
    assert [place_of("stack_level", odd) for odd in (0, -1, None, "3")] == [None] * 4
    assert place_of("package_type", "cup") == 4
    assert [place_of("package_type", odd) for odd in ("barrel", None, 3)] == [None] * 3


def test_it_is_calibrated_on_photos_that_say_it(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="making a model wants torch: pip install -e '.[train]'")
    from inference.training.judge import calibrated
    from inference.training.snapshot import read_snapshot
    from tests.models import tiny_model

    write_dataset(
        tmp_path / "scenes", scenes=30, seed=3, cam_types=("front",), size_px=(120, 90), catalog=3
    )
    snapshot = read_snapshot(tmp_path / "scenes")
    records = list(snapshot.splits["train"])
    silent = [replace(record, attributes={"stack_level": 2}) for record in records[:19]]
    model = Reader.open(tiny_model(tmp_path / "model"))
    found = calibrated(model, records, snapshot.catalog)["attribute_temperatures"]
    assert set(found) == {"package_type", "stack_level"} and min(found.values()) > 0
    assert calibrated(model, silent, snapshot.catalog)["attribute_temperatures"] == {}


def test_it_comes_with_the_caption(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="making a model wants torch: pip install -e '.[train]'")
    from tests.models import tiny_model

    model = tiny_model(tmp_path / "model")
    kept = json.loads((model / "calibration.json").read_text("utf-8"))
    kept["attribute_temperatures"] = {"package_type": 0.001}
    (model / "calibration.json").write_text(json.dumps(kept), "utf-8")
    seal(model)
    recognizer = LocalRecognizer(tmp_path / "sites", model=model)
    try:
        (described,) = recognizer.describe([encode(render_pack("MILK"))])
        assert isinstance(described, Description)
        recognizer.teach("site", [Change(1, "put_sku", sku=sku("MILK"))])
        (answer,) = recognizer.rank(SiteRef("site", 1), [described])
    finally:
        recognizer.close()
    assert set(answer.attributes) == {"package_type"}
    proposed = answer.attributes["package_type"]
    assert proposed.value in PACKAGE_TYPES and proposed.source == "minigpt"
    assert Recognition.from_json(json.loads(json.dumps(answer.to_json()))) == answer
