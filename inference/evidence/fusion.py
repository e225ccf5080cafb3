"""Fuse pieces of evidence into one calibrated distribution over a site's SKUs.

Each source gives log-probabilities over all SKUs [S]. They are pooled log-linearly,

    log p(s) = Σ_k w_k · log p_k(s) − log Z,

the logarithmic opinion pool (Genest and Zidek 1986). Some sources were taught some of the SKUs only. What the pool of
the others gives those SKUs together is divided among them anew by a pool in which the learned source has a say; of SKUs
that it does not know it changes nothing. The weights are also the temperature: small
ones flatten the result. They are fitted on decided pictures by minimum negative log-likelihood, on
predictions of heads that did not see the picture, and drawn towards shipped weights, so that few
decisions change them little. Pure functions of values; no state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

FloatArray = NDArray[np.float64]

SOURCES = ("barcode", "pack_text", "neighbours", "picture", "words", "minigpt")
LEARNED = (("picture", "words"), ("minigpt",))
"""Sources that know only SKUs that they were taught: those that learn with every decision, then those that
learn seldom."""
UNSEEN_SHARE = 0.02
BARCODE_TRUST = 0.995


def log_softmax(logits: FloatArray) -> FloatArray:
    """Normalised log-probabilities along the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    normalised: FloatArray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return normalised


def spread(log_p: FloatArray, known: Sequence[int], size: int) -> FloatArray:
    """Log-probabilities over ``known`` SKUs [..., K] as ones over all of them [..., S].

    A head trained on some SKUs knows nothing of the others: each of them keeps its even share 1/S,
    and what the head says divides the rest. A head that knows next to nothing says next to nothing.
    """
    log_p = np.asarray(log_p)
    unseen = 1 - len(known) / size if size else 0.0
    p = np.full((*log_p.shape[:-1], size), 1 / max(size, 1))
    p[..., list(known)] = (1 - unseen) * (
        (1 - UNSEEN_SHARE) * np.exp(log_p) + UNSEEN_SHARE / max(len(known), 1)
    )
    spread_out: FloatArray = np.log(p)
    return spread_out


def barcode_log_p(matches: Sequence[bool]) -> FloatArray | None:
    """Log-probabilities given which SKUs [S] carry a barcode that was read; None when none does.

    SKUs with the same barcode share its probability.
    """
    hit = np.asarray(matches, dtype=bool)
    count = int(hit.sum())
    if count == 0:
        return None
    others = hit.size - count
    p = np.where(hit, BARCODE_TRUST / count, (1 - BARCODE_TRUST) / max(others, 1))
    return log_softmax(np.log(p))


def fuse(parts: Mapping[str, FloatArray], weights: Mapping[str, float], size: int) -> FloatArray:
    """Probabilities [S] from the log-probabilities of the sources that have something to say."""
    logits = np.zeros(size)
    for source, log_p in parts.items():
        logits = logits + weights.get(source, 0.0) * log_p
    p: FloatArray = np.exp(log_softmax(logits))
    return p


def fuse_in_turn(
    parts: Mapping[str, FloatArray],
    weights: Mapping[str, float],
    untaught: Mapping[str, float],
    known: Mapping[str, NDArray[np.bool_]],
    size: int,
) -> FloatArray:
    """Probabilities [S] where the :data:`LEARNED` sources know some of the SKUs, ``known`` [S] by source. Sources
    that need no teaching have the ``untaught`` weights by themselves, and the others beside those that do."""
    learned = {source for kind in LEARNED for source in kind}
    heard = {source: log_p for source, log_p in parts.items() if source not in learned}
    p = fuse(heard, untaught, size)
    for kind in LEARNED:
        here = [source for source in kind if source in parts]
        theirs = (
            np.any([known[source] for source in here], axis=0) if here else np.zeros(size, bool)
        )
        if theirs.any():
            heard |= {source: parts[source] for source in here}
            anew = np.where(theirs, fuse(heard, weights, size), 0.0)
            p = np.where(theirs, p[theirs].sum() * anew / anew.sum(), p)
    return p


@dataclass(frozen=True, slots=True)
class LabelledParts:
    """Out-of-fold evidence on decided pictures: log-probabilities [N, S] a source; truth [N]."""

    parts: Mapping[str, FloatArray]
    truth: NDArray[np.intp]


def fit_weights(
    labelled: LabelledParts, prior: Mapping[str, float], *, prior_pictures: float = 8.0
) -> dict[str, float]:
    """Weights that make the decided SKUs most probable, drawn towards ``prior``.

    The prior counts as ``prior_pictures`` decided pictures. Weights stay positive: they are fitted
    as logarithms. Sources that ``prior`` lacks, or that were not seen, keep their prior weight.
    """
    sources = [s for s in SOURCES if s in labelled.parts and prior.get(s, 0.0) > 0]
    count = len(labelled.truth)
    if not sources or count == 0:
        return dict(prior)
    x = np.stack([labelled.parts[s] for s in sources], axis=-1)  # [N, S, K]
    start = np.log([prior[s] for s in sources])
    rows = np.arange(count)

    def loss(log_w: FloatArray) -> tuple[float, FloatArray]:
        w = np.exp(log_w)
        log_p = log_softmax(x @ w)
        p = np.exp(log_p)
        expected = np.einsum("ns,nsk->nk", p, x)
        gradient = (expected - x[rows, labelled.truth]).sum(axis=0) * w
        drift = log_w - start
        nll = -log_p[rows, labelled.truth].sum()
        return nll + prior_pictures * (drift**2).sum(), gradient + 2 * prior_pictures * drift

    fitted = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(-5.0, 3.0)] * len(start))
    return {**prior, **{s: float(np.exp(v)) for s, v in zip(sources, fitted.x, strict=True)}}


def expected_calibration_error(
    confidence: FloatArray, correct: NDArray[np.bool_], *, bins: int = 10
) -> float:
    """ECE over equal-width bins (Guo et al. 2017, On Calibration of Modern Neural Networks)."""
    if len(confidence) == 0:
        return 0.0
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[bin_of == b].mean() - correct[bin_of == b].mean()) * (bin_of == b).mean()
        for b in range(bins)
        if (bin_of == b).any()
    ]
    return float(sum(gaps))
