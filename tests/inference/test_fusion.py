from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inference.evidence import fusion

logits = arrays(np.float64, st.integers(1, 12), elements=st.floats(-40, 40))
weights = st.floats(0, 3)


def in_turn(parts: dict[str, list[float]], known: dict[str, list[int]], size: int) -> np.ndarray:
    """What comes of probabilities [S] by source, where learned sources know some SKUs; all weigh 1."""
    weights = dict.fromkeys(fusion.SOURCES, 1.0)
    return fusion.fuse_in_turn(
        {source: np.log(p) for source, p in parts.items()},
        weights,
        weights,
        {source: np.isin(np.arange(size), rows) for source, rows in known.items()},
        size,
    )


def test_what_was_taught_some_skus_says_nothing_of_the_others() -> None:
    text = [0.6, 0.3, 0.1]
    p = in_turn({"pack_text": text, "picture": [0.01, 0.9, 0.09]}, {"picture": [1, 2]}, 3)
    assert p[0] == pytest.approx(0.6), "a new SKU is as probable as the print makes it"
    assert p.sum() == pytest.approx(1.0)
    assert p[1] / p[2] == pytest.approx(0.3 / 0.1 * 0.9 / 0.09), "the others by both"


def test_where_all_are_taught_it_is_one_pool() -> None:
    parts = {"pack_text": [0.6, 0.3, 0.1], "picture": [0.2, 0.7, 0.1], "minigpt": [0.3, 0.5, 0.2]}
    everything = {source: [0, 1, 2] for source in ("picture", "minigpt")}
    pooled = np.prod(list(parts.values()), axis=0)
    np.testing.assert_allclose(in_turn(parts, everything, 3), pooled / pooled.sum())


def test_a_model_that_is_older_than_a_sku_does_not_speak_against_it() -> None:
    parts = {
        "pack_text": [0.5, 0.4, 0.1],
        "picture": [0.9, 0.05, 0.05],
        "minigpt": [0.02, 0.9, 0.08],
    }
    known = {"picture": [0, 1, 2], "minigpt": [1, 2]}
    without = in_turn({k: parts[k] for k in ("pack_text", "picture")}, known, 3)
    p = in_turn(parts, known, 3)
    assert p[0] == pytest.approx(without[0]) and p.argmax() == 0
    assert p[1] / p[2] == pytest.approx(0.4 * 0.05 * 0.9 / (0.1 * 0.05 * 0.08))


@given(logits)
def test_log_softmax_is_a_distribution_and_keeps_the_order(z: np.ndarray) -> None:
    p = np.exp(fusion.log_softmax(z))
    assert p.sum() == pytest.approx(1)
    assert p[z.argmax()] == p.max()


@given(logits, weights, weights)
def test_fused_is_a_distribution(z: np.ndarray, a: float, b: float) -> None:
    parts = {"picture": fusion.log_softmax(z), "words": fusion.log_softmax(-z)}
    p = fusion.fuse(parts, {"picture": a, "words": b}, len(z))
    assert p.shape == z.shape
    assert p.sum() == pytest.approx(1)
    assert (p >= 0).all()


@given(logits, weights)
def test_evidence_that_is_indifferent_changes_nothing(z: np.ndarray, w: float) -> None:
    log_p = fusion.log_softmax(z)
    flat = np.full(len(z), -np.log(len(z)))
    alone = fusion.fuse({"picture": log_p}, {"picture": 1, "words": w}, len(z))
    both = fusion.fuse({"picture": log_p, "words": flat}, {"picture": 1, "words": w}, len(z))
    assert both == pytest.approx(alone, abs=1e-9)


@given(logits, st.randoms(use_true_random=False))
def test_fusion_follows_a_permutation_of_the_skus(z: np.ndarray, random: object) -> None:
    order = list(range(len(z)))
    random.shuffle(order)  # type: ignore[attr-defined]
    weights_ = {"picture": 0.7}
    p = fusion.fuse({"picture": fusion.log_softmax(z)}, weights_, len(z))
    q = fusion.fuse({"picture": fusion.log_softmax(z[order])}, weights_, len(z))
    assert q == pytest.approx(p[order], abs=1e-9)


def test_no_evidence_is_uniform() -> None:
    assert fusion.fuse({}, {}, 4) == pytest.approx([0.25] * 4)


@given(logits, st.integers(0, 20))
def test_spread_is_a_distribution_that_rules_nothing_out(z: np.ndarray, unseen: int) -> None:
    size = len(z) + unseen
    log_p = fusion.spread(fusion.log_softmax(z), range(len(z)), size)
    assert np.exp(log_p).sum() == pytest.approx(1)
    assert np.exp(log_p).min() >= fusion.UNSEEN_SHARE / size * 0.999


def test_spread_gives_more_to_the_unseen_when_more_is_unseen() -> None:
    sure = np.log(np.asarray([0.98, 0.02]))
    few = np.exp(fusion.spread(sure, [0, 1], 3))
    many = np.exp(fusion.spread(sure, [0, 1], 30))
    assert many[2:].sum() > few[2:].sum()


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_barcode_shares_between_skus_that_carry_it(hits: list[bool]) -> None:
    log_p = fusion.barcode_log_p(hits)
    if not any(hits):
        assert log_p is None
        return
    assert log_p is not None
    p = np.exp(log_p)
    assert p.sum() == pytest.approx(1)
    assert len({round(float(v), 12) for v, hit in zip(p, hits, strict=True) if hit}) == 1
    if not all(hits):
        assert p[hits].sum() == pytest.approx(fusion.BARCODE_TRUST)


def labelled(reliable: float, seed: int = 0, count: int = 200) -> fusion.LabelledParts:
    """One source right in a share of the pictures, another one that guesses."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 6, count)
    told = np.where(rng.random(count) < reliable, truth, rng.integers(0, 6, count))
    good = fusion.log_softmax(6.0 * np.eye(6)[told])
    noise = fusion.log_softmax(6.0 * np.eye(6)[rng.integers(0, 6, count)])
    return fusion.LabelledParts({"picture": good, "words": noise}, truth)


def test_fitted_weights_trust_what_was_right() -> None:
    fitted = fusion.fit_weights(labelled(0.9), {"barcode": 1.0, "picture": 0.5, "words": 0.5})
    assert fitted["picture"] > 2 * fitted["words"]
    assert fitted["barcode"] == 1.0


def test_few_decisions_leave_the_shipped_weights_nearly_alone() -> None:
    prior = {"picture": 0.5, "words": 0.5}
    fitted = fusion.fit_weights(labelled(0.9, count=2), prior)
    assert fitted == pytest.approx(prior, rel=0.25)
    assert fusion.fit_weights(labelled(0.9, count=0), prior) == prior


def test_fitting_lowers_the_calibration_error() -> None:
    fit, held_out = labelled(0.7, 1, 600), labelled(0.7, 2, 600)
    prior = {"picture": 2.0}  # far too sure of itself

    def error(weights: dict[str, float]) -> float:
        rows = [
            fusion.fuse({"picture": held_out.parts["picture"][i]}, weights, 6)
            for i in range(len(held_out.truth))
        ]
        p = np.stack(rows)
        return fusion.expected_calibration_error(p.max(1), p.argmax(1) == held_out.truth)

    assert error(fusion.fit_weights(fit, prior)) < 0.5 * error(prior)


def test_expected_calibration_error() -> None:
    confidence = np.asarray([0.95, 0.95, 0.55, 0.55])
    assert fusion.expected_calibration_error(
        confidence, np.asarray([True, True, True, False])
    ) == pytest.approx(0.05)
    assert fusion.expected_calibration_error(np.zeros(0), np.zeros(0, bool)) == 0
