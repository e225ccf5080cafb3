"""Agreement beyond chance. Units are tasks: what each of their annotators answered, in their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import krippendorff
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.metrics import cohen_kappa_score

from inference.captions import fold

RESAMPLES = 400


def counts_of(units: Sequence[Sequence[Any]]) -> NDArray[np.int64]:
    """How often each value was given in each unit [U, V]. Spellings of one thing are one value; an
    unknown is a value of its own."""
    labels: dict[str, int] = {}
    rows = [Counter(labels.setdefault(label_of(value), len(labels)) for value in u) for u in units]
    table = np.zeros((len(rows), len(labels)), np.int64)
    for n, row in enumerate(rows):
        for label, count in row.items():
            table[n, label] = count
    return table


def label_of(value: Any) -> str:
    """What a value counts as."""
    return fold(value) if isinstance(value, str) else "\0unknown"


def alpha(table: NDArray[np.int64]) -> float | None:
    """Krippendorff's alpha of nominal values; None where nothing could be told apart."""
    if table.size == 0 or table.shape[1] < 2:
        return None
    return float(krippendorff.alpha(value_counts=table, level_of_measurement="nominal"))


def alpha_interval(table: NDArray[np.int64], seed: int = 0) -> tuple[float, float] | None:
    """The 95% interval of alpha from the bootstrap over units (percentiles). Alpha is
    1 − observed/expected disagreement, both of which are sums over units (Krippendorff, 2011, C)."""
    if table.shape[0] < 2 or table.shape[1] < 2:
        return None
    given = table.sum(axis=1)
    table, given = table[given > 1], given[given > 1]
    disagreement = (given**2 - (table**2).sum(axis=1)) / (given - 1)
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(table), np.full(len(table), 1 / len(table)), size=RESAMPLES)
    values = np.asarray(csr_matrix(table).T.dot(weights.T)).T.astype(float)  # [R, V]
    n = values.sum(axis=1)
    expected = (n**2 - (values**2).sum(axis=1)) / (n - 1)
    told = expected > 0
    if not told.any():
        return None
    alphas = 1 - (weights @ disagreement)[told] / expected[told]
    low, high = np.percentile(alphas, [2.5, 97.5])
    return float(low), float(high)


def kappa(units: Sequence[Sequence[Any]]) -> float | None:
    """Cohen's kappa of the first two answers of each unit; None where nothing could be told apart."""
    pairs = [(label_of(unit[0]), label_of(unit[1])) for unit in units if len(unit) > 1]
    if len({value for pair in pairs for value in pair}) < 2:
        return None
    return float(cohen_kappa_score(*zip(*pairs, strict=True)))
