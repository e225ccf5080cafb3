"""Fit what fusion starts from on decided photos, each asked about by what was learned of others.

Folds keep a SKU's photos of one shoot together. A site is tried in five states: nothing decided, the first photos
as they come, one and five photos a SKU, all photos. For 'none of these', a fifth of the SKUs is left out of the
catalog in turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from inference.contracts import SkuRecord
from inference.decided import FOLDS, Photo, changes_of, draw, shoot_folds
from inference.evidence import fusion, openset
from inference.evidence.shipped import Shipped
from inference.gathering import MatchCache, fuse, gather, see
from inference.learning import fit_heads
from inference.minigpt.reading import Reader
from inference.ranking import none_features
from inference.retrieval.heads import harmonic_mean
from inference.retrieval.memory import SiteMemory

FloatArray = NDArray[np.float64]
SHOTS: Final = {"none": 0, "one": 1, "few": 5, "all": 10**9}
"""Decided photos a SKU."""
FIRST, FIRST_PER_SKU = "first", 3
"""A site at its beginning: so many photos a SKU in the mean, and of some SKUs none."""
STATES = (*SHOTS, FIRST)
_BETWEEN = ("one", FIRST)
"""States by which it is fitted where a site stands half-way between the two kinds."""
_WITH_MINIGPT = ("few", "all")
_LEAST_NLL = 0.01
_NEVER = -1e4
_LEAST_WEIGHT, _MOST_WEIGHT = np.log(0.02), np.log(3.0)
_HALF = (np.log(0.1), np.log(20.0))


@dataclass(frozen=True, slots=True)
class Asked:
    """A photo that was asked about, and what was said: log-probabilities [S] by source, the SKUs
    ``known`` [S] to each that was taught, the row of the truth in the catalog (−1: it is none of these), and
    the features of that."""

    state: str
    fold: int
    decided_per_sku: float
    parts: dict[str, FloatArray]
    known: Mapping[str, NDArray[np.bool_]]
    truth: int
    size: int
    features: dict[str, float]

    @property
    def taught(self) -> NDArray[np.bool_]:
        """The SKUs [S] that some source was taught; all, where none was."""
        some = np.zeros(self.size, bool)
        for known in self.known.values():
            some |= known
        return some if some.any() else ~some


@dataclass(frozen=True)
class Case:
    """What a site knows, and which photos it is asked about. The SKUs ``gone`` are not in its catalog."""

    state: str
    fold: int
    decided: Sequence[Photo]
    asked: Sequence[Photo]
    gone: frozenset[str] = frozenset()


def cases(photos: Sequence[Photo], *, leave_out: bool) -> Iterator[Case]:
    """All of them; with ``leave_out`` each fold lacks another fifth of the SKUs, whose photos in all
    folds but the training ones are asked about."""
    fold = shoot_folds(photos)
    codes = sorted({p.sku_code for p in photos})
    shuffled = np.random.default_rng(0).permutation(len(codes))
    for number in range(FOLDS):
        gone = frozenset(codes[i] for i in shuffled[number::FOLDS]) if leave_out else frozenset()
        rest = [p for p, f in zip(photos, fold, strict=True) if f != number]
        asked = [p for p, f in zip(photos, fold, strict=True) if f == number]
        for state, shots in SHOTS.items():
            yield Case(state, number, draw(rest, shots, number), asked, gone)
        first = np.random.default_rng(number).permutation(len(rest))[: FIRST_PER_SKU * len(codes)]
        yield Case(FIRST, number, [rest[i] for i in first], asked, gone)


def ask(
    case: Case,
    skus: Sequence[SkuRecord],
    references: Sequence[Photo],
    shipped: Shipped,
    cache: MatchCache,
    readers: Mapping[str, Reader] | None = None,
) -> Iterator[Asked]:
    """What a site that knows ``case.decided`` says of the photos asked about, with shipped weights.
    ``readers`` are the MiniGPTs that are heard on photos, by their keys, where so much is decided that a site
    would have one."""
    memory = SiteMemory("fitting")
    memory.apply(
        changes_of(
            [s for s in skus if s.code not in case.gone],
            [p for p in references if p.sku_code not in case.gone],
            [p for p in case.decided if p.sku_code not in case.gone],
        )
    )
    known = Counter(p.sku_code for p in case.decided if p.sku_code not in case.gone)
    per_sku = harmonic_mean(list(known.values()))
    weights = shipped.weights(per_sku)
    heads = fit_heads(memory, cache, weights=weights)
    catalog = memory.catalog()
    heard = (readers or {}) if case.state in _WITH_MINIGPT else {}
    for photo in case.asked:
        seen = see(photo.description)
        evidence = gather(memory, catalog, heads, cache, seen, minigpt=heard.get(photo.key))
        p = fuse(evidence, weights, shipped.weights(0.0))
        yield Asked(
            case.state,
            case.fold,
            per_sku,
            dict(evidence.parts),
            evidence.known,
            catalog.row_of.get(photo.sku_code, -1),
            len(catalog.codes),
            none_features(memory, catalog, heads, seen, evidence, p),
        )


def fit_shipped_weights(asked: Sequence[Asked], start: Shipped) -> Shipped:
    """The weights of both kinds of site that make the truths most probable where nothing or several
    photos a SKU have been decided, then from how many on it stands half-way, where few have, then that of
    MiniGPT beside the others. SKUs of which nothing is decided, though there is of others, take no part.

    They have the least mean logarithm of the negative log-likelihoods of those states, so that one that
    leaves little to be learned counts as much as another. Sources of which nothing was heard keep
    their weights. That of MiniGPT hangs on no decisions, and theirs not on whether there is one.
    """
    found = _fit_without_minigpt([_without_minigpt(one) for one in asked], start)
    some = [one for one in asked if "minigpt" in one.parts]
    if not some:
        return found
    loss = _Loss(some, start)

    def weighed(log_w: float) -> Shipped:
        own = {"minigpt": float(np.exp(log_w))}
        return replace(found, taught={**found.taught, **own}, untaught={**found.untaught, **own})

    bounds = (_LEAST_WEIGHT, _MOST_WEIGHT)
    return weighed(minimize_scalar(lambda v: loss(weighed(v)), bounds=bounds, method="bounded").x)


def _without_minigpt(one: Asked) -> Asked:
    parts = {source: log_p for source, log_p in one.parts.items() if source != "minigpt"}
    known = {source: theirs for source, theirs in one.known.items() if source != "minigpt"}
    return replace(one, parts=parts, known=known)


def _fit_without_minigpt(asked: Sequence[Asked], start: Shipped) -> Shipped:
    heard = {source for one in asked for source in one.parts} - {"barcode"}
    taught = [s for s in fusion.SOURCES if s in heard]
    untaught = [s for s in taught if s in start.untaught]

    def weighed(v: FloatArray) -> Shipped:
        e = np.exp(v)
        fitted = dict(zip(taught, e[: len(taught)].tolist(), strict=True))
        before = dict(zip(untaught, e[len(taught) : -1].tolist(), strict=True))
        return replace(
            start,
            taught={**start.taught, **fitted},
            untaught={**start.untaught, **before},
            half_taught=float(e[-1]),
        )

    first = [start.taught[s] for s in taught] + [start.untaught[s] for s in untaught]
    bounds = [(_LEAST_WEIGHT, _MOST_WEIGHT)] * len(first)
    several = _Loss([one for one in asked if one.state not in _BETWEEN], start)
    found = minimize(
        lambda v: several(weighed(v)),
        np.log([*first, start.half_taught]),
        method="L-BFGS-B",
        bounds=[*bounds, _HALF],
    ).x
    between = [one for one in asked if one.state in _BETWEEN]
    if between:
        few = _Loss(between, start)
        half = minimize_scalar(
            lambda h: few(weighed(np.append(found[:-1], h))), bounds=_HALF, method="bounded"
        )
        found[-1] = half.x
    return weighed(found)


class _Loss:
    """Of shipped weights on photos: the mean over states of the logarithm of what they lose."""

    def __init__(self, asked: Sequence[Asked], start: Shipped) -> None:
        asked = [one for one in asked if one.taught[one.truth]]
        self._sources = list(start.taught)
        self._x = np.stack([_stacked(one, self._sources) for one in asked])  # [N, S, K]
        self._truth = np.array([one.truth for one in asked])
        self._n, self._place = np.unique(
            [one.decided_per_sku for one in asked], return_inverse=True
        )
        _, self._state = np.unique([one.state for one in asked], return_inverse=True)

    def __call__(self, shipped: Shipped) -> float:
        w = np.array([[shipped.weights(n)[s] for s in self._sources] for n in self._n])
        log_p = fusion.log_softmax(np.einsum("nsk,nk->ns", self._x, w[self._place]))
        of_truth = log_p[np.arange(len(self._truth)), self._truth]
        nll = -np.bincount(self._state, of_truth) / np.bincount(self._state)
        return float(np.log(nll + _LEAST_NLL).mean())


def _stacked(one: Asked, sources: Sequence[str]) -> FloatArray:
    silent = np.full(one.size, -np.log(one.size))
    found = np.stack([one.parts.get(source, silent) for source in sources], axis=-1)
    return np.where(one.taught[:, None], found, _NEVER)


def fit_shipped_none(asked: Sequence[Asked], start: Shipped) -> Shipped:
    """The models of none of these, for sites without and with a learned space."""
    models: dict[str, Any] = {}
    for name, taught in (("none_untaught", False), ("none_taught", True)):
        kind = [one for one in asked if ("learned" in one.features) == taught]
        none = np.array([one.truth < 0 for one in kind])
        if none.any() and not none.all():
            models[name] = openset.fit_none([one.features for one in kind], none)
    return replace(start, **models)


def crossed(
    asked: Sequence[Asked], fit: Callable[[Sequence[Asked]], Shipped]
) -> Iterator[tuple[Shipped, list[Asked]]]:
    """For each fold, what is fitted on the others, and its photos."""
    for number in range(FOLDS):
        yield (
            fit([one for one in asked if one.fold != number]),
            [one for one in asked if one.fold == number],
        )


def closed_figures(pairs: Sequence[tuple[Shipped, list[Asked]]]) -> dict[str, float]:
    """How good the fused probabilities are: first, among five, calibration, likelihood."""
    rank, confidence, nll = [], [], []
    for shipped, asked in pairs:
        for one in asked:
            weights, untaught = shipped.weights(one.decided_per_sku), shipped.weights(0.0)
            p = fusion.fuse_in_turn(one.parts, weights, untaught, one.known, one.size)
            rank.append(int((p > p[one.truth]).sum()))
            confidence.append(float(p.max()))
            nll.append(-float(np.log(max(p[one.truth], 1e-12))))
    right = np.array(rank) == 0
    threshold, coverage = openset.coverage_at(0.98, np.array(confidence), right)
    return {
        "top1": float(right.mean()),
        "top5": float((np.array(rank) < 5).mean()),
        "ece": fusion.expected_calibration_error(np.array(confidence), right),
        "nll": float(np.mean(nll)),
        "coverage_98": coverage,
        "threshold_98": threshold,
    }


def none_figures(pairs: Sequence[tuple[Shipped, list[Asked]]]) -> dict[str, float]:
    """How well 'none of these' is told, whatever its prior."""
    score, none = [], []
    for shipped, asked in pairs:
        for one in asked:
            taught = "learned" in one.features
            model = shipped.none_taught if taught else shipped.none_untaught
            score.append(model.log_odds(one.features))
            none.append(one.truth < 0)
    return {"auroc": openset.auroc(np.array(score), np.array(none)), "share": float(np.mean(none))}
