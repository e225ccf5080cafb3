"""Light heads that learn a site's SKUs from its decided pictures, in seconds on one core."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inference.evidence.fusion import log_softmax
from inference.evidence.text import normalise

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

Float32Array = NDArray[np.float32]
FloatArray = NDArray[np.float64]

SHRINKAGE = 0.5
METRIC_SHRINKAGE = 0.15
"""Recall of the nearest pictures lies on a plateau from 0.05 to 0.2 (bench/retrieval.py)."""
MAX_TEMPERATURE = 0.05
TEMPERATURE_HALF = 2.0
"""Discriminants in 1280 dimensions are far too sure of themselves: their logits are scaled by
``MAX_TEMPERATURE · n / (n + TEMPERATURE_HALF)`` at n pictures a SKU (harmonic mean), chosen by cross-validation."""
WORDS_C = 10.0
MAX_WORDS_SKUS = 1000
MAX_WORDS_WEIGHTS = 4_000_000
"""Bounds on the words head: its solver holds some twenty copies of the weights [K, F]. With more
SKUs there is none, and the match against pack text stands alone."""
_TYPICAL_VARIANCE = 4e-4
"""Within-SKU variance per dimension of unit embeddings, where none can be measured."""
_LEAST_VARIANCE = 1e-9
_MAX_ITERATIONS = 60
NEAR_DUPLICATE_COSINE = 0.9


@dataclass(frozen=True, slots=True)
class PictureHead:
    """Linear discriminant with a shrunken covariance: ``x · weights + bias``; weights [D, K]."""

    codes: tuple[str, ...]
    weights: FloatArray
    bias: FloatArray

    def log_p(self, embeddings: Float32Array) -> FloatArray:
        """Log-probabilities [B, K] over ``codes`` for embeddings [B, D]."""
        return np.maximum(log_softmax(embeddings @ self.weights + self.bias), -50.0)


@dataclass(frozen=True, slots=True)
class WordsHead:
    """Logistic regression on TF-IDF of the character 2- to 5-grams of the OCR text."""

    codes: tuple[str, ...]
    vectorizer: TfidfVectorizer
    model: LogisticRegression

    def log_p(self, texts: Sequence[str]) -> FloatArray:
        """Log-probabilities [B, K] over ``codes`` for OCR texts."""
        features = self.vectorizer.transform([normalise(t) for t in texts])
        p: FloatArray = self.model.predict_log_proba(features)
        return np.maximum(p, -50.0)


@dataclass(frozen=True, slots=True)
class MetricHead:
    """A space in which pictures of one SKU lie close, SKUs that it never saw among them:
    ``(x − mean) · weights``, normalised; weights [D, D]."""

    mean: Float32Array
    weights: Float32Array

    def embed(self, embeddings: Float32Array) -> Float32Array:
        """Learned unit embeddings [B, D] of backbone embeddings [B, D]."""
        moved = (embeddings - self.mean) @ self.weights
        norms = np.linalg.norm(moved, axis=-1, keepdims=True)
        learned: Float32Array = moved / np.maximum(norms, 1e-12)
        return learned


def fit_metric_head(embeddings: Float32Array, labels: Sequence[str]) -> MetricHead | None:
    """Fit on embeddings [N, D]; None where fewer than two SKUs are present, or none has two pictures.

    Discriminative whitening (Mikolajczyk and Matas 2007): what differs between pictures of one SKU,
    such as the shelf and the light, is scaled down, Σ_within^(−1/2) with a shrunken Σ.
    """
    if len(set(labels)) < 2 or len(set(labels)) == len(labels):
        return None
    x = embeddings.astype(np.float64)
    scatter, level = _scatter(x, labels)
    if level < _LEAST_VARIANCE:
        return None
    scatter *= 1 - METRIC_SHRINKAGE
    scatter[np.diag_indices_from(scatter)] += METRIC_SHRINKAGE * level
    variance, axes = np.linalg.eigh(scatter)
    weights = axes * np.sqrt(level / variance)
    return MetricHead(x.mean(axis=0).astype(np.float32), weights.astype(np.float32))


def _scatter(x: FloatArray, labels: Sequence[str]) -> tuple[FloatArray, float]:
    """How pictures [N, D] differ about the mean of their SKU [D, D], and the mean variance."""
    _, y = np.unique(np.asarray(labels), return_inverse=True)
    counts = np.bincount(y)
    means = np.zeros((len(counts), x.shape[1]))
    np.add.at(means, y, x)
    residual = x - (means / counts[:, None])[y]
    scatter: FloatArray = residual.T @ residual / max(1, len(x) - len(counts))
    return scatter, float(np.trace(scatter)) / x.shape[1]


def fit_picture_head(embeddings: Float32Array, labels: Sequence[str]) -> PictureHead | None:
    """Fit on embeddings [N, D]; None when fewer than two SKUs are present.

    Linear discriminant analysis with equal priors, Σ = (1 − λ) S + λ (tr S / D) I (Friedman 1989).
    With a handful of pictures a SKU it beats logistic regression, for it learns from all SKUs
    together how pictures of one SKU differ. With one picture each it is the nearest mean.

    A mean of n pictures is off by Σ/n, which lengthens m′Σ⁻¹m by tr(Σ⁻¹S)/n and would speak against
    SKUs with few pictures, siblings with many taking their place: that much is given back.
    """
    codes = tuple(sorted(set(labels)))
    if len(codes) < 2:
        return None
    x = embeddings.astype(np.float64)
    row_of = {code: i for i, code in enumerate(codes)}
    y = np.asarray([row_of[label] for label in labels])
    counts = np.bincount(y, minlength=len(codes))
    means = np.zeros((len(codes), x.shape[1]))
    np.add.at(means, y, x)
    means /= counts[:, None]
    scatter, level = _scatter(x, labels)
    if level < _LEAST_VARIANCE:  # one picture a SKU: no spread to learn from
        scatter, level = np.eye(x.shape[1]) * _TYPICAL_VARIANCE, _TYPICAL_VARIANCE
    covariance = (1 - SHRINKAGE) * scatter
    covariance[np.diag_indices_from(covariance)] += SHRINKAGE * level
    pictures = harmonic_mean(counts)
    temperature = MAX_TEMPERATURE * pictures / (pictures + TEMPERATURE_HALF)
    solved = np.linalg.solve(covariance, np.hstack([means.T, scatter]))
    weights = np.asarray(solved[:, : len(codes)] * temperature, np.float64)
    excess = float(np.trace(solved[:, len(codes) :])) * temperature / counts
    bias = -0.5 * (np.einsum("kd,dk->k", means, weights) - excess)
    return PictureHead(codes, weights, bias)


def harmonic_mean(counts: Sequence[int] | NDArray[np.intp]) -> float:
    """Of pictures per SKU: a few SKUs with many pictures make the others no better known."""
    return float(len(counts) / np.sum(1 / np.asarray(counts, np.float64))) if len(counts) else 0.0


def fit_words_head(texts: Sequence[str], labels: Sequence[str]) -> WordsHead | None:
    """Fit on OCR texts; None when fewer than two or too many SKUs have any text."""
    with_text = [(normalise(t), label) for t, label in zip(texts, labels, strict=True) if t.strip()]
    taught = len({label for _, label in with_text})
    if not 2 <= taught <= MAX_WORDS_SKUS:
        return None
    # Two seconds of import that processes which only describe do without.
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(2, 5),
        sublinear_tf=True,
        max_features=MAX_WORDS_WEIGHTS // taught,
    )
    features = vectorizer.fit_transform([t for t, _ in with_text])
    model = LogisticRegression(
        C=WORDS_C,
        max_iter=_MAX_ITERATIONS,
        # balanced: how often a SKU was decided says what was photographed, not what is shown
        class_weight="balanced",
    ).fit(features, [label for _, label in with_text])
    return WordsHead(tuple(str(c) for c in model.classes_), vectorizer, model)


def near_duplicate_groups(
    embeddings: Float32Array, labels: Sequence[str], groups: Sequence[str]
) -> NDArray[np.intp]:
    """Group numbers [N] for cross-validation without leakage.

    Two pictures are in one group when they share a non-empty ``groups`` name, or when they show
    the same SKU and look the same (cosine of :data:`NEAR_DUPLICATE_COSINE` or more, chained).
    """
    parent = list(range(len(labels)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first_of: dict[str, int] = {}
    for i, name in enumerate(groups):
        if name:
            parent[root(i)] = root(first_of.setdefault(name, i))
    by_label: dict[str, list[int]] = {}
    for i, label in enumerate(labels):
        by_label.setdefault(label, []).append(i)
    for members in by_label.values():
        cosine = embeddings[members] @ embeddings[members].T
        for a, b in np.argwhere(np.triu(cosine, 1) >= NEAR_DUPLICATE_COSINE):
            parent[root(members[a])] = root(members[b])
    return np.asarray([root(i) for i in range(len(labels))], dtype=np.intp)


def grouped_folds(
    labels: Sequence[str], groups: NDArray[np.intp], *, folds: int = 3
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Train and test rows of up to ``folds`` folds that keep groups whole.

    The groups of each SKU are dealt to the folds in turn. A row is tested only where its SKU also
    has a row to train on: what a head says of a SKU that it never saw tells nothing of its worth.
    """
    fold_of: dict[int, int] = {}
    dealt: dict[str, int] = {}
    for start, label in enumerate(sorted(set(labels))):
        dealt[label] = start  # not all SKUs with few groups in the same fold
    for label, group in zip(labels, groups.tolist(), strict=True):
        if group not in fold_of:
            fold_of[group] = dealt[label] % folds
            dealt[label] += 1
    fold = np.asarray([fold_of[group] for group in groups.tolist()], dtype=np.intp)
    names = np.asarray(labels)
    splits = []
    for number in range(folds):
        train = np.flatnonzero(fold != number)
        taught = set(names[train].tolist())
        test = np.flatnonzero(fold == number)
        test = test[[name in taught for name in names[test]]] if len(test) else test
        if len(taught) > 1 and len(test):
            splits.append((train, test))
    return splits
