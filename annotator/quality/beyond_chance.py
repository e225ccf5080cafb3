"""Agreement beyond chance. Units are tasks: what each of their annotators answered, in their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.metrics import cohen_kappa_score

from inference.captions import fold

RESAMPLES = 400


def counts_of(units: Sequence[Sequence[Any]]) -> csr_matrix:
    """How often each value was given in each unit [U, V]. Spellings of one thing are one value; an
    unknown is a value of its own."""
    labels: dict[str, int] = {}
    rows = [Counter(labels.setdefault(label_of(value), len(labels)) for value in u) for u in units]
    places = [(n, label, count) for n, row in enumerate(rows) for label, count in row.items()]
    units_, labels_, counts = zip(*places, strict=True) if places else ((), (), ())
    shape = (len(rows), len(labels))
    return csr_matrix((counts, (units_, labels_)), shape=shape, dtype=np.int64)


def label_of(value: Any) -> str:
    """What a value counts as."""
    return fold(value) if isinstance(value, str) else "\0unknown"


def alpha(table: csr_matrix) -> float | None:
    """Krippendorff's alpha of nominal values; None where nothing could be told apart. Takes time in
    proportion to the answers, where the coincidences of thousands of SKUs would not fit in memory."""
    disagreement, table = _disagreements(table)
    found = _alphas(table, disagreement, np.ones((1, len(disagreement))))
    return float(found[0]) if len(found) else None


def alpha_interval(table: csr_matrix, seed: int = 0) -> tuple[float, float] | None:
    """The 95% interval of alpha from the bootstrap over units (percentiles)."""
    disagreement, table = _disagreements(table)
    if len(disagreement) < 2:
        return None
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(
        len(disagreement), np.full(len(disagreement), 1 / len(disagreement)), size=RESAMPLES
    )
    found = _alphas(table, disagreement, weights.astype(float))
    if not len(found):
        return None
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def _disagreements(table: csr_matrix) -> tuple[NDArray[np.float64], csr_matrix]:
    """The observed disagreement in each unit that was answered more than once, and those units."""
    given = np.asarray(table.sum(axis=1)).ravel()
    table, given = table[given > 1], given[given > 1]
    same = np.asarray(table.multiply(table).sum(axis=1)).ravel()
    return (given**2 - same) / (given - 1), table


def _alphas(
    table: csr_matrix, disagreement: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """1 − observed/expected disagreement for each weighting [R, U] of the units, where something was
    told apart. Both are sums over units (Krippendorff, 2011, "Computing Krippendorff's
    Alpha-Reliability", C)."""
    values = np.asarray((table.T @ weights.T).T)  # [R, V]
    n = values.sum(axis=1)
    apart = n**2 - (values**2).sum(axis=1)
    told = apart > 0
    found: NDArray[np.float64] = 1 - (weights @ disagreement)[told] * (n[told] - 1) / apart[told]
    return found


def kappa(units: Sequence[Sequence[Any]]) -> float | None:
    """Cohen's kappa of the first two answers of each unit; None where nothing could be told apart."""
    pairs = [(label_of(unit[0]), label_of(unit[1])) for unit in units if len(unit) > 1]
    if len({value for pair in pairs for value in pair}) < 2:
        return None
    return float(cohen_kappa_score(*zip(*pairs, strict=True)))
