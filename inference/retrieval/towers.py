"""Texts and pictures in one space, so that pictures are found by what a text means.

Two ways, both :class:`inference.retrieval.search.TextTower`: heads learned from a site's captions over the
embeddings that there are anyway, and a :class:`~inference.retrieval.clip.Clip`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inference.contracts import Example, SkuRecord
from inference.evidence.fusion import log_softmax
from inference.retrieval.heads import MetricHead
from inference.retrieval.index import matrix
from inference.retrieval.words import ngrams

if TYPE_CHECKING:
    from inference.retrieval.clip import Clip

Float32Array = NDArray[np.float32]
FloatArray = NDArray[np.float64]

SPACE = 64
STEPS = 150
BATCH = 256
RATE = 0.01
TEMPERATURE = 0.07
DECAY = 1e-4
MAX_TERMS = 20_000
FEWEST_PICTURES = 8
_BETA1, _BETA2 = 0.9, 0.999


class Known:
    """Vectors of examples, searched one by one: a matrix product of a few megabytes."""

    def __init__(self, keys: Sequence[str], vectors: Float32Array) -> None:
        self._keys = np.asarray(keys)
        self._vectors = vectors

    def nearest(self, vector: Float32Array, count: int) -> list[tuple[str, float]]:
        """The keys of the ``count`` examples nearest to a vector [D], with their cosines."""
        if not len(self._keys):
            return []
        cosines = self._vectors @ vector
        order = np.lexsort((self._keys, -cosines))[:count]
        return [(str(self._keys[n]), float(cosines[n])) for n in order]


class LearnedTower(Known):
    """Linear heads over n-grams of texts and over learned embeddings of pictures."""

    def __init__(
        self,
        vectorizer: Any,
        text_head: FloatArray,
        picture_head: FloatArray,
        metric: MetricHead,
        examples: Sequence[Example],
    ) -> None:
        self._vectorizer = vectorizer
        self._text_head = text_head
        self._picture_head = picture_head
        self._metric = metric
        super().__init__([e.key for e in examples], self.pictures(_embeddings(examples)))

    def texts(self, texts: Sequence[str]) -> Float32Array:
        """Unit vectors [T, D] of texts; zero for one of which no term is known."""
        return _unit(np.asarray(self._vectorizer.transform(texts) @ self._text_head))

    def pictures(self, embeddings: Float32Array) -> Float32Array:
        """Unit vectors [B, D] of backbone embeddings."""
        return _unit(self._metric.embed(embeddings) @ self._picture_head)


class ClipTower(Known):
    """A CLIP over the examples that were described with it."""

    def __init__(self, clip: Clip, examples: Sequence[Example]) -> None:
        self._clip = clip
        seen = [example for example in examples if example.clip]
        vectors = matrix([e.clip for e in seen]) if seen else np.zeros((0, 1), np.float32)
        super().__init__([e.key for e in seen], vectors)

    def texts(self, texts: Sequence[str]) -> Float32Array:
        """Unit vectors [T, D] of texts."""
        return self._clip.texts(texts)


def fit_text_tower(
    examples: Sequence[Example],
    skus: Mapping[str, SkuRecord],
    metric: MetricHead | None,
    *,
    seed: int = 0,
) -> LearnedTower | None:
    """Heads that bring pictures and what is said of them together; None where too little is said.

    InfoNCE in both directions (van den Oord et al. 2018; Radford et al. 2021), with the pictures of a
    SKU in place of one: each step draws a text for each SKU of a batch, some of the fields of its
    catalog entry and caption. The same examples give the same heads.
    """
    taught = [e for e in examples if e.sku_code in skus]
    codes = sorted({e.sku_code for e in taught})
    if metric is None or len(taught) < FEWEST_PICTURES or len(codes) < 2:
        return None
    from sklearn.feature_extraction.text import TfidfVectorizer

    captions = {e.sku_code: e.caption for e in taught if e.caption}
    fields = [_said_of(skus[code], captions.get(code, "")) for code in codes]
    vectorizer = TfidfVectorizer(analyzer=ngrams, sublinear_tf=True, max_features=MAX_TERMS)
    vectorizer.fit([text for said in fields for text in said])
    if not len(vectorizer.vocabulary_):
        return None
    pictures = metric.embed(_embeddings(taught)).astype(np.float64)
    sku = np.asarray([codes.index(e.sku_code) for e in taught])
    rng = np.random.default_rng(seed)
    space = min(SPACE, pictures.shape[1])
    # the directions in which pictures differ are a good place to begin
    _, _, axes = np.linalg.svd(pictures - pictures.mean(axis=0), full_matrices=False)
    picture_head = np.zeros((pictures.shape[1], space))
    picture_head[:, : min(space, len(axes))] = axes[:space].T
    text_head = 0.1 * rng.normal(size=(len(vectorizer.vocabulary_), space))
    adams = [_Adam(text_head), _Adam(picture_head)]
    for step in range(STEPS):
        rows = rng.permutation(len(sku))[:BATCH]
        shown = np.unique(sku[rows])
        texts = [_some_of(fields[k], rng) for k in shown.tolist()]
        words = vectorizer.transform(texts)
        same = np.asarray(texts)[:, None] == np.asarray(texts)  # a category may be all that is said
        fits = same[np.searchsorted(shown, sku[rows])]
        for adam, gradient in zip(
            adams, _gradients(words, pictures[rows], text_head, picture_head, fits), strict=True
        ):
            adam.step(gradient, RATE * (1 - step / STEPS))
    return LearnedTower(vectorizer, text_head, picture_head, metric, taught)


def _said_of(sku: SkuRecord, caption: str) -> list[str]:
    said = (sku.name, sku.brand, sku.category, sku.spec, sku.pack_text, caption)
    return [text for text in said if text.strip()] or [sku.code]


def _some_of(fields: Sequence[str], rng: np.random.Generator) -> str:
    chosen = [text for text in fields if rng.random() < 0.5]
    return " ".join(chosen) or fields[int(rng.integers(len(fields)))]


def _gradients(
    words: Any,
    pictures: FloatArray,
    text_head: FloatArray,
    picture_head: FloatArray,
    fits: NDArray[np.bool_],
) -> tuple[FloatArray, FloatArray]:
    """Of the mean of both cross-entropies, by the two heads: words [T, F], pictures [B, D], and which
    texts fit which pictures [B, T]."""
    u, u_norm = _normed(np.asarray(words @ text_head))
    v, v_norm = _normed(pictures @ picture_head)
    logits = v @ u.T / TEMPERATURE
    by_picture = np.exp(log_softmax(logits)) - fits / fits.sum(axis=1, keepdims=True)
    by_text = np.exp(log_softmax(logits.T)) - fits.T / fits.T.sum(axis=1, keepdims=True)
    g = (by_picture / len(logits) + by_text.T / logits.shape[1]) / (2 * TEMPERATURE)
    to_u, to_v = g.T @ v, g @ u
    to_u = (to_u - (to_u * u).sum(axis=1, keepdims=True) * u) / u_norm
    to_v = (to_v - (to_v * v).sum(axis=1, keepdims=True) * v) / v_norm
    return np.asarray(words.T @ to_u), pictures.T @ to_v


class _Adam:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019), in place on one matrix."""

    def __init__(self, weights: FloatArray) -> None:
        self._weights = weights
        self._mean = np.zeros_like(weights)
        self._square = np.zeros_like(weights)
        self._count = 0

    def step(self, gradient: FloatArray, rate: float) -> None:
        self._count += 1
        self._mean += (1 - _BETA1) * (gradient - self._mean)
        self._square += (1 - _BETA2) * (gradient**2 - self._square)
        mean = self._mean / (1 - _BETA1**self._count)
        square = self._square / (1 - _BETA2**self._count)
        self._weights -= rate * (mean / (np.sqrt(square) + 1e-8) + DECAY * self._weights)


def _normed(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    norms = np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)
    return x / norms, norms


def _unit(x: FloatArray) -> Float32Array:
    return _normed(x)[0].astype(np.float32)


def _embeddings(examples: Sequence[Example]) -> Float32Array:
    return matrix([example.embedding for example in examples])
