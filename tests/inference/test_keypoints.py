from __future__ import annotations

import numpy as np
import pytest
from conftest import render_pack
from PIL import Image

from inference.retrieval import keypoints


def points(picture: Image.Image) -> keypoints.Keypoints:
    return keypoints.unpack(keypoints.extract(picture))


def test_round_trip_and_bounds() -> None:
    data = keypoints.extract(render_pack("ARLA", "Milk"))
    found = keypoints.unpack(data)
    assert 20 < len(found) <= keypoints.MAX_POINTS
    assert len(data) == 72 * len(found)
    assert found.descriptors.shape == (len(found), 128)
    assert np.linalg.norm(found.descriptors, axis=1) == pytest.approx(1, abs=1e-5)
    assert found.xy.min() >= 0 and found.xy.max() <= 1
    assert data == keypoints.extract(render_pack("ARLA", "Milk"))


@pytest.mark.parametrize("turn", [0, 10, 35, 90, 180])
def test_the_same_print_is_found_turned(turn: float) -> None:
    known = points(render_pack("ARLA", "Milk", "1,5%"))
    same = keypoints.match_score(known, points(render_pack("ARLA", "Milk", "1,5%", turn=turn)))
    other = keypoints.match_score(known, points(render_pack("OATLY", "Havre", "Ekol", turn=turn)))
    assert same > 15
    assert same > 3 * other


def test_tint_counts() -> None:
    known = points(render_pack("ARLA", "Milk", colour="lightgreen"))
    same = keypoints.match_score(known, points(render_pack("ARLA", "Milk", colour="lightgreen")))
    tinted = keypoints.match_score(known, points(render_pack("ARLA", "Milk", colour="orange")))
    assert tinted < 0.8 * same


def test_pictures_without_features() -> None:
    blank = keypoints.extract(Image.new("RGB", (300, 200), "white"))
    assert blank == b""
    empty = keypoints.unpack(blank)
    known = points(render_pack("ARLA"))
    assert keypoints.match_score(empty, known) == 0
    assert keypoints.match_score(known, empty) == 0


def test_wrong_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="size"):
        keypoints.unpack(b"123")
