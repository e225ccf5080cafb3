"""None of these: the probability that a picture shows nothing of the catalog.

A logistic model of how well the most probable SKU explains what was seen. Two sets of coefficients, for
sites without and with a learned space, fitted by leaving SKUs out of the catalog whose photos are then asked
about. Pure functions of values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

FloatArray = NDArray[np.float64]

FEATURES = ("sure", "agree", "match", "text", "learned")
"""``sure``: log-odds of the most probable SKU; ``agree``: share of the sources that put it first; ``match``
and ``text``: square roots of its scores of points that agree and of words that are on the pack; ``learned``: its
best cosine in the learned space."""
RIDGE = 1.0
_MOST_SURE = 7.0


@dataclass(frozen=True, slots=True)
class NoneModel:
    """``bias + Σ weights · feature`` are the log-odds of none at even odds beforehand."""

    bias: float
    weights: Mapping[str, float]

    def log_odds(self, features: Mapping[str, float]) -> float:
        """For one picture; its features must be those of the weights."""
        return self.bias + sum(w * features[name] for name, w in self.weights.items())

    def probability(self, features: Mapping[str, float], prior: float) -> float:
        """That the picture shows none, where a share ``prior`` of pictures does, in 0…1 exclusive."""
        z = self.log_odds(features) + float(np.log(prior / (1 - prior)))
        return float(1 / (1 + np.exp(-z)))


def features_of(
    p: FloatArray,
    parts: Mapping[str, FloatArray],
    text: FloatArray,
    matches: FloatArray,
    learned: float | None,
) -> dict[str, float]:
    """The features of one picture: fused probabilities [S], log-probabilities [S] by source, pack text and
    point scores [S] (NaN where nothing was compared), and the best learned cosine, if there is a
    learned space."""
    best = int(p.argmax())
    top = float(np.clip(p[best], 1e-6, 1 - 1e-6))
    agree = [int(log_p.argmax()) == best for log_p in parts.values()]
    found = {
        "sure": min(_MOST_SURE, float(np.log(top / (1 - top)))),
        "agree": sum(agree) / max(1, len(agree)),
        "match": float(np.sqrt(np.nan_to_num(matches[best]))),
        "text": float(np.sqrt(text[best])),
    }
    return found if learned is None else {**found, "learned": learned}


def fit_none(features: Sequence[Mapping[str, float]], none: NDArray[np.bool_]) -> NoneModel:
    """Ridge logistic regression on pictures of which ``none`` [N] says whether they show none. Both kinds
    weigh the same in total, so that the result is one at even odds."""
    names = [name for name in FEATURES if name in features[0]]
    x = np.array([[one[name] for name in names] for one in features])
    mean, spread = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
    z = np.column_stack([np.ones(len(x)), (x - mean) / spread])
    share = np.where(none, 0.5 / max(1, none.sum()), 0.5 / max(1, (~none).sum())) * len(none)
    sign = np.where(none, 1.0, -1.0)

    def loss(w: FloatArray) -> tuple[float, FloatArray]:
        margin = sign * (z @ w)
        gradient = -(share * sign / (1 + np.exp(margin))) @ z
        ridge = RIDGE * np.concatenate([[0.0], w[1:]])
        return float((share * np.logaddexp(0, -margin)).sum() + ridge @ w / 2), gradient + ridge

    w = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B").x
    weights = w[1:] / spread
    return NoneModel(float(w[0] - weights @ mean), dict(zip(names, weights.tolist(), strict=True)))


def auroc(score: FloatArray, positive: NDArray[np.bool_]) -> float:
    """The probability that a positive scores higher than another, ties counting half (Mann and Whitney
    1947); NaN where there is only one kind."""
    pairs = int(positive.sum()) * int((~positive).sum())
    if not pairs:
        return float("nan")
    order = np.argsort(score, kind="stable")
    _, first, counts = np.unique(score[order], return_index=True, return_counts=True)
    rank = np.empty(len(score))
    rank[order] = np.repeat(first + (counts + 1) / 2, counts)
    above = rank[positive].sum() - positive.sum() * (positive.sum() + 1) / 2
    return float(above / pairs)


def coverage_at(
    precision: float, confidence: FloatArray, right: NDArray[np.bool_]
) -> tuple[float, float]:
    """The lowest confidence from which at least a share ``precision`` is right, and the share of all
    that reach it: (infinity, 0) where none does."""
    order = np.argsort(-confidence, kind="stable")
    correct = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    # a threshold takes all of equal confidence or none
    last = np.append(np.diff(confidence[order]) != 0, True)
    good = np.flatnonzero((correct >= precision) & last)
    if not len(good):
        return float("inf"), 0.0
    return float(confidence[order][good[-1]]), float((good[-1] + 1) / len(order))
