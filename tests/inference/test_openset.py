from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from inference import fitting
from inference.contracts import Description, SkuRecord
from inference.decided import Photo
from inference.evidence import fusion, openset
from inference.evidence.__main__ import main
from inference.evidence.shipped import PATH, SHIPPED, Shipped
from inference.gathering import MatchCache
from inference.retrieval.backbone import DIMENSIONS, pack

scored = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40)


@given(scored)
def test_auroc_is_that_of_scikit_learn(rows: list[tuple[int, bool]]) -> None:
    score = np.array([s for s, _ in rows], float)
    positive = np.array([p for _, p in rows])
    if positive.all() or not positive.any():
        assert np.isnan(openset.auroc(score, positive))
    else:
        assert openset.auroc(score, positive) == pytest.approx(roc_auc_score(positive, score))


@given(scored, st.sampled_from([0.5, 0.8, 0.98]))
def test_coverage_is_the_most_that_keeps_the_precision(
    rows: list[tuple[int, bool]], precision: float
) -> None:
    confidence = np.array([s for s, _ in rows], float)
    right = np.array([r for _, r in rows])
    threshold, coverage = openset.coverage_at(precision, confidence, right)
    good = [t for t in confidence if right[confidence >= t].mean() >= precision]
    assert threshold == min(good, default=float("inf"))
    assert coverage == pytest.approx((confidence >= threshold).mean())


def seen(none: bool, rng: np.random.Generator, *, learned: bool = True) -> dict[str, float]:
    explained = rng.normal(-1.0 if none else 1.0)
    rest = {"sure": 2 + explained, "agree": 0.5, "match": 4 + explained, "text": rng.normal()}
    return {**rest, "learned": 0.5 + 0.2 * explained} if learned else rest


def test_what_is_not_explained_is_none_of_these() -> None:
    rng = np.random.default_rng(0)
    none = rng.random(600) < 0.15
    model = openset.fit_none([seen(bool(n), rng) for n in none], none)
    held_out = rng.random(600) < 0.5
    asked = [seen(bool(n), rng) for n in held_out]
    odds = np.array([model.log_odds(one) for one in asked])
    assert openset.auroc(odds, held_out) > 0.9
    p = np.array([model.probability(one, 0.5) for one in asked])
    assert fusion.expected_calibration_error(p, held_out) < 0.08  # at even odds, as asked here
    rare = np.array([model.probability(one, 0.02) for one in asked])
    assert (rare < p).all() and (rare > 0).all()


def test_features_are_those_of_the_most_probable_sku() -> None:
    p = np.array([0.2, 0.8])
    parts = {"words": np.log([0.1, 0.9]), "picture": np.log([0.7, 0.3])}
    found = openset.features_of(p, parts, np.array([9.0, 4.0]), np.array([1.0, np.nan]), None)
    assert found == pytest.approx({"sure": np.log(4), "agree": 0.5, "match": 0.0, "text": 2.0})
    assert openset.features_of(p, parts, p, p, 0.3)["learned"] == 0.3


def test_what_is_shipped_is_whole() -> None:
    data = json.loads(PATH.read_text("utf-8"))
    assert Shipped.from_json(data).to_json() == data
    for model, learned in ((SHIPPED.none_untaught, False), (SHIPPED.none_taught, True)):
        rng = np.random.default_rng(0)
        p = model.probability(seen(False, rng, learned=learned), SHIPPED.none_prior)
        assert 0 < p < 1
        assert ("learned" in model.weights) == learned
    assert SHIPPED.fitted


def asked(count: int, decided_per_sku: float) -> list[fitting.Asked]:
    """``words`` is right in nine of ten, ``picture`` guesses, as ``neighbours`` does."""
    rng = np.random.default_rng(int(decided_per_sku))
    found = []
    for n in range(count):
        truth = int(rng.integers(6))
        told = truth if rng.random() < 0.9 else int(rng.integers(6))
        parts = {"words": fusion.log_softmax(3.0 * np.eye(6)[told])}
        for name in ("picture", "neighbours"):
            parts[name] = fusion.log_softmax(3.0 * np.eye(6)[int(rng.integers(6))])
        known = {name: np.ones(6, bool) for name in ("picture", "words")}
        found.append(fitting.Asked("few", n % 5, decided_per_sku, parts, known, truth, 6, {}))
    return found


def test_fitted_weights_trust_what_was_right() -> None:
    fitted = fitting.fit_shipped_weights(asked(150, 20.0), SHIPPED)
    assert fitted.taught["words"] > 5 * fitted.taught["picture"]
    assert fitted.taught["minigpt"] == SHIPPED.taught["minigpt"]  # it said nothing
    before = fitting.closed_figures([(SHIPPED, asked(150, 20.0))])
    after = fitting.closed_figures([(fitted, asked(150, 20.0))])
    assert after["nll"] < before["nll"] and after["top1"] >= before["top1"]


def test_minigpt_is_weighed_beside_the_others() -> None:
    """It agrees with the truth where ``words`` do not, in half of its answers; the others' weights are those
    of a site without one."""
    plain = asked(150, 20.0)
    rng = np.random.default_rng(3)
    heard = [
        replace(
            one,
            parts={
                **one.parts,
                "minigpt": fusion.log_softmax(
                    3.0 * np.eye(6)[one.truth if n % 2 else int(rng.integers(6))]
                ),
            },
            known={**one.known, "minigpt": np.ones(6, bool)},
        )
        for n, one in enumerate(plain)
    ]
    without = fitting.fit_shipped_weights(plain, SHIPPED)
    fitted = fitting.fit_shipped_weights(heard, SHIPPED)
    own = fitted.taught["minigpt"]
    assert 0.1 < own < 1.0 and fitted.untaught["minigpt"] == own
    assert {**fitted.taught, "minigpt": 0} == {**without.taught, "minigpt": 0}
    nll = [fitting.closed_figures([(one, heard)])["nll"] for one in (fitted, SHIPPED, without)]
    assert nll[0] == min(nll)


def photo(code: str, n: int) -> Photo:
    rng = np.random.default_rng(n)
    x = np.zeros(DIMENSIONS, np.float32)
    x[int(code)] = 1.0
    x += 0.02 * rng.normal(size=DIMENSIONS).astype(np.float32)
    vector = pack(x / np.linalg.norm(x))
    description = Description(f"{code}{n}", 10, 10, "d", vector)
    return Photo(f"cap:{code}:{n}", code, description, Path("none.jpg"))


def test_a_sku_that_is_left_out_is_told_from_one_that_is_known() -> None:
    skus = [SkuRecord(str(n), str(n)) for n in range(4)]
    decided = [photo(sku.code, n) for sku in skus for n in range(3)]
    case = fitting.Case("all", 0, decided, [photo("0", 9), photo("3", 9)], frozenset({"3"}))
    known, gone = fitting.ask(case, skus, [], SHIPPED, MatchCache())
    assert (known.truth, gone.truth, known.size) == (0, -1, 3)
    assert known.features["learned"] > gone.features["learned"]
    shipped = SHIPPED.none_taught
    assert shipped.log_odds(known.features) < shipped.log_odds(gone.features)


def test_the_command_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", str(tmp_path), "--out", str(tmp_path / "o.json")]) == 1
    assert "sku_catalog.csv" in capsys.readouterr().err
    assert not (tmp_path / "o.json").exists()
