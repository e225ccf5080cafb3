"""Gather the evidence on one picture: what each source gives every SKU of a site's catalog."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.contracts import Description, Neighbour, OcrLine
from inference.evidence import fusion
from inference.evidence.shipped import SHIPPED
from inference.evidence.text import TextMatch
from inference.minigpt.reading import MOST_CODES, Reader
from inference.minigpt.sight import Sight
from inference.retrieval import keypoints
from inference.retrieval.backbone import unpack
from inference.retrieval.heads import MetricHead, PictureHead, WordsHead
from inference.retrieval.memory import Catalog, SiteMemory
from inference.retrieval.towers import LearnedTower

FloatArray = NDArray[np.float64]

TEXT_SCALE = 1.5
COSINE_SCALE = 40.0
MATCH_SCALE = 0.7
MATCH_POWER = 0.7
"""The scales were chosen by cross-validation; bench/recognition.py measures them."""

UNVERIFIED_MATCH = 4.0
"""Score of a SKU whose pictures were not compared point by point: about that of a wrong one."""
UNPICTURED_GAP = 4.0
"""By how many nats a match can beat SKUs that have no picture to match: siblings share print, so a
good match with one of them does not rule out another of which nothing has been seen yet."""

SHORTLIST = 24
SHORTLIST_MASS = 0.9995
"""SKUs are compared point by point, most probable first, until the rest has next to no chance."""
SEARCH_COUNT = 500
UNTAUGHT: Final = SHIPPED.weights(0.0)
"""Weights for SKUs of which nothing was decided."""


@dataclass(frozen=True, slots=True)
class Heads:
    """What was learned from a site's decided pictures; replaced as a whole."""

    picture: PictureHead | None = None
    words: WordsHead | None = None
    metric: MetricHead | None = None
    tower: LearnedTower | None = None
    weights: Mapping[str, float] = field(default_factory=lambda: SHIPPED.weights(0.0))
    revision: int = 0


class MatchCache:
    """Scores of (seen picture, known picture) pairs, which never change; least recent go first."""

    def __init__(self, capacity: int = 200_000) -> None:
        self._capacity = capacity
        self._scores: OrderedDict[tuple[int, int], float] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, pair: tuple[int, int]) -> float | None:
        with self._lock:
            if pair in self._scores:
                self._scores.move_to_end(pair)
            return self._scores.get(pair)

    def put(self, pair: tuple[int, int], score: float) -> None:
        with self._lock:
            self._scores[pair] = score
            while len(self._scores) > self._capacity:
                self._scores.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """The parts of a picture that ranking uses, of a description or of a decided example."""

    embedding: bytes
    keypoints: bytes
    lines: tuple[OcrLine, ...]
    sight: Sight | None = None

    @property
    def text(self) -> str:
        return " ".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Log-probabilities [S] per source, and what there is to show for them.

    ``known`` [S] are the SKUs that each learned source was taught. ``cosines`` [S] are those of each SKU's
    most similar picture, ``matches`` [S] the points that agree with one; NaN where there is no picture, or it
    was not compared.
    """

    parts: Mapping[str, FloatArray]
    known: Mapping[str, NDArray[np.bool_]]
    text: TextMatch
    neighbours: tuple[Neighbour, ...]
    cosines: FloatArray
    matches: FloatArray


def see(description: Description) -> Seen:
    """What ranking uses of a description."""
    return Seen(
        description.embedding,
        description.keypoints,
        description.ocr_lines,
        Sight.unpack(description.sight) if description.sight else None,
    )


def gather(
    memory: SiteMemory,
    catalog: Catalog,
    heads: Heads,
    cache: MatchCache,
    seen: Seen,
    *,
    minigpt: Reader | None = None,
    barcode_codes: set[str] | None = None,
    without: frozenset[str] = frozenset(),
) -> Evidence:
    """All evidence on one picture. Sources with nothing to say are left out.

    ``without`` names examples to act as if unknown, for predictions on decided pictures.
    """
    parts: dict[str, FloatArray] = {}
    barcode = fusion.barcode_log_p([code in (barcode_codes or ()) for code in catalog.codes])
    if barcode is not None:
        parts["barcode"] = barcode
    text = catalog.matcher.match(seen.lines)
    if text.scores.any():
        parts["pack_text"] = fusion.log_softmax(TEXT_SCALE * text.scores)
    vector = unpack(seen.embedding)
    if heads.picture is not None:
        parts["picture"] = _over_catalog(
            catalog, heads.picture.codes, heads.picture.log_p(vector[None])[0]
        )
    if heads.words is not None and seen.text.strip():
        parts["words"] = _over_catalog(
            catalog, heads.words.codes, heads.words.log_p([seen.text])[0]
        )
    written = _taught(minigpt, seen.sight, catalog)
    if written is not None:
        parts["minigpt"] = written
    known = _known(catalog, heads, minigpt)
    # the memory may have moved on since the catalog was taken
    neighbours = [
        n
        for n in memory.nearest(vector, SEARCH_COUNT)
        if n.sku_code in catalog.row_of and n.key not in without
    ]
    cosines = _cosines(catalog, neighbours)
    cosine = _cosine_logits(cosines)
    preliminary = fusion.fuse_in_turn(parts, heads.weights, UNTAUGHT, known, len(catalog.codes))
    shortlist = _shortlist(preliminary * np.exp(fusion.log_softmax(cosine)))
    matches = _matches(memory, catalog, cache, seen, shortlist, without)
    if neighbours:
        parts["neighbours"] = fusion.log_softmax(cosine + _match_logits(matches, shortlist))
    return Evidence(parts, known, text, tuple(neighbours), cosines, matches)


def fuse(
    evidence: Evidence, weights: Mapping[str, float], untaught: Mapping[str, float] = UNTAUGHT
) -> FloatArray:
    """The probability of each SKU [S]."""
    size = len(evidence.cosines)
    return fusion.fuse_in_turn(evidence.parts, weights, untaught, evidence.known, size)


def _known(catalog: Catalog, heads: Heads, minigpt: Reader | None) -> dict[str, NDArray[np.bool_]]:
    """The SKUs [S] that each learned source was taught."""
    codes: dict[str, Sequence[str]] = {}
    if heads.picture is not None:
        codes["picture"] = heads.picture.codes
    if heads.words is not None:
        codes["words"] = heads.words.codes
    if minigpt is not None:
        codes["minigpt"] = minigpt.facts.classes
    found = {}
    for source, theirs in codes.items():
        known = np.zeros(len(catalog.codes), bool)
        known[[catalog.row_of[code] for code in theirs if code in catalog.row_of]] = True
        found[source] = known
    return found


def _taught(minigpt: Reader | None, sight: Sight | None, catalog: Catalog) -> FloatArray | None:
    """What MiniGPT gives the SKUs of the catalog [S] that it was taught, None if there is none. Of
    very many the most probable by its class head are weighed."""
    if minigpt is None or sight is None or "sku" not in sight.heads:
        return None
    classes = minigpt.facts.classes
    order = np.argsort(-sight.heads["sku"], kind="stable").tolist()
    codes = [classes[n] for n in order if classes[n] in catalog.row_of][:MOST_CODES]
    if not codes:
        return None
    log_p = np.maximum(minigpt.sku_log_p(sight, codes), -50.0)
    return fusion.spread(log_p, [catalog.row_of[code] for code in codes], len(catalog.codes))


def _shortlist(p: FloatArray) -> NDArray[np.intp]:
    order = np.argsort(-p, kind="stable")
    rest = 1 - np.cumsum(p[order]) / p.sum()
    enough = int(np.searchsorted(-rest, -(1 - SHORTLIST_MASS))) + 1
    return order[: min(max(enough, 5), SHORTLIST)]


def _over_catalog(catalog: Catalog, codes: Sequence[str], log_p: FloatArray) -> FloatArray:
    """A head's answer over the catalog [S]; SKUs deleted since it was fitted drop out."""
    known = [(k, catalog.row_of[code]) for k, code in enumerate(codes) if code in catalog.row_of]
    if not known:
        return np.full(len(catalog.codes), -np.log(len(catalog.codes)))
    kept = fusion.log_softmax(log_p[[k for k, _ in known]])
    return fusion.spread(kept, [row for _, row in known], len(catalog.codes))


def _cosines(catalog: Catalog, neighbours: Sequence[Neighbour]) -> FloatArray:
    """Each SKU's best cosine [S], NaN for those without a picture.

    Reference pictures alone count where a SKU has one: two photos from the same shelf resemble
    each other more than either resembles a studio picture, whatever they show.
    """
    best: dict[str, dict[str, float]] = {"reference": {}, "decided": {}}
    for neighbour in neighbours:
        of_kind = best[neighbour.kind]
        of_kind[neighbour.sku_code] = max(
            of_kind.get(neighbour.sku_code, -1.0), neighbour.similarity
        )
    cosines = np.full(len(catalog.codes), np.nan)
    for code, cosine in {**best["decided"], **best["reference"]}.items():
        cosines[catalog.row_of[code]] = cosine
    return cosines


def _cosine_logits(cosines: FloatArray) -> FloatArray:
    """Logits [S] of cosines; SKUs without a picture stand at the mean of the rest."""
    pictured = ~np.isnan(cosines)
    if not pictured.any():
        return np.zeros(len(cosines))
    return COSINE_SCALE * np.where(pictured, cosines, cosines[pictured].mean())


def _matches(
    memory: SiteMemory,
    catalog: Catalog,
    cache: MatchCache,
    seen: Seen,
    shortlist: NDArray[np.intp],
    without: frozenset[str],
) -> FloatArray:
    """Scores [S] of geometric verification against the pictures of the shortlisted SKUs, NaN where
    nothing was compared."""
    scores = np.full(len(catalog.codes), np.nan)
    if not seen.keypoints:
        return scores
    points = None
    for row in shortlist:
        examples = [e for e in memory.verifiable(catalog.codes[row]) if e.key not in without]
        if not examples:
            continue
        best = 0.0
        for example in examples:
            pair = (hash(seen.keypoints), hash(example.keypoints))
            score = cache.get(pair)
            if score is None:
                points = points or keypoints.unpack(seen.keypoints)
                score = keypoints.match_score(keypoints.unpack(example.keypoints), points)
                cache.put(pair, score)
            best = max(best, score)
        scores[row] = best
    return scores


def _match_logits(scores: FloatArray, shortlist: NDArray[np.intp]) -> FloatArray:
    """Logits [S] of scores of geometric verification; those not compared stand at a wrong one's, and
    shortlisted ones without a picture not far behind the best."""
    unverified = MATCH_SCALE * UNVERIFIED_MATCH**MATCH_POWER
    compared = ~np.isnan(scores)
    logits = np.where(compared, MATCH_SCALE * np.nan_to_num(scores) ** MATCH_POWER, unverified)
    unpictured = [row for row in shortlist if not compared[row]]
    if compared.any() and unpictured:
        logits[unpictured] = max(unverified, logits.max() - UNPICTURED_GAP)
    return logits
