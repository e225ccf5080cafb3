"""Whether a challenger takes the champion's place. Pure: two lists of answers to the same photos.

Photos of one scene are alike, so scenes are drawn with replacement, not photos, and every draw is used
for both models (the paired cluster bootstrap: Davison and Hinkley 1997, chapter 3). The seed is fixed:
the same answers have the same verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROUNDS = 2000
LEVEL = 0.95
_SEED = 7
_FEWEST_SCENES = 10
"""Of fewer scenes an interval says little, however many photos they have."""
_CELLS = 4_000_000
"""Weights held at once while drawing, so that memory does not grow with the photos."""

GOLD, TAIL, HEAD = "gold", "tail", "head"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said of one photo: which fields were right, and whether all were (``whole``)."""

    image_id: str
    scene_id: str
    correct: Mapping[str, bool]
    whole: bool
    category: str = ""
    cam_type: str = ""
    rarity: str = HEAD
    group: str = "val"


@dataclass(frozen=True, slots=True)
class Rules:
    """``margin``: the lower end of the interval of the difference in whole captions must lie above
    it. The falls are the most that a field, a category (or camera), the rarer SKUs and gold may
    lose; a part of fewer than ``min_photos`` photos is not looked at by itself."""

    margin: float = 0.0
    field_fall: float = 0.02
    category_fall: float = 0.05
    tail_fall: float = 0.03
    gold_fall: float = 0.02
    min_photos: int = 20


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one part of the photos: the share right of both models, and the challenger's less the
    champion's with its 95% interval."""

    part: str
    key: str
    photos: int
    champion: float
    challenger: float
    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, as a code with its figures."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``passed`` or not, why, and the differences of all parts, the whole first."""

    passed: bool
    reasons: tuple[Reason, ...]
    differences: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "reasons": [{"code": r.code, "params": dict(r.params)} for r in self.reasons],
            "differences": [asdict(d) for d in self.differences],
        }


def judge(champion: Sequence[Answer], challenger: Sequence[Answer], rules: Rules) -> Verdict:
    """The verdict over the photos that the challenger was judged on. What the champion (an empty list
    where there is none) does not answer it has wrong."""
    former = {answer.image_id: answer for answer in champion}
    pairs = [
        (former.get(answer.image_id), answer)
        for answer in sorted(challenger, key=lambda answer: answer.image_id)
    ]
    if not pairs:
        return Verdict(False, (Reason("gate_no_photos"),), ())
    parts = [_Part("whole", "", np.ones(len(pairs), bool), _both(pairs, lambda a: a.whole))]
    parts += _parts(pairs, rules)
    scene, scenes = _scenes(pairs)
    differences = _differences(parts, scene, scenes)
    whole = differences[0]
    falls = [
        Reason(
            f"gate_fell_{d.part}",
            {
                "key": d.key,
                "photos": d.photos,
                "champion": _percent(d.champion),
                "challenger": _percent(d.challenger),
                "fall": _percent(-d.difference),
                "allowed": _percent(allowed),
            },
        )
        for d in differences[1:]
        if -d.difference > (allowed := _allowed(d.part, rules)) + 1e-9
    ]
    figures = {
        "champion": _percent(whole.champion),
        "challenger": _percent(whole.challenger),
        "low": _percent(whole.low),
        "high": _percent(whole.high),
        "margin": _percent(rules.margin),
        "photos": whole.photos,
    }
    better = whole.low > rules.margin
    reasons = [Reason("gate_better" if better else "gate_not_better", figures), *falls]
    fewest = min(rules.min_photos, _FEWEST_SCENES)
    enough = whole.photos >= rules.min_photos and scenes >= fewest
    if not enough:
        few = {"photos": whole.photos, "needed": rules.min_photos}
        reasons.append(Reason("gate_few_photos", few))
    return Verdict(better and enough and not falls, tuple(reasons), tuple(differences))


def changed(champion: Iterable[Answer], challenger: Iterable[Answer]) -> dict[str, str]:
    """The photos that one of two models has right and the other wrong, by id: ``won`` or ``lost``."""
    before = {answer.image_id: answer.whole for answer in champion}
    return {
        answer.image_id: "won" if answer.whole else "lost"
        for answer in challenger
        if answer.image_id in before and before[answer.image_id] != answer.whole
    }


_Pairs = Sequence[tuple[Answer | None, Answer]]
_Right = Callable[[Answer], bool]


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the photos (``mask`` [N]) and where champion and challenger are right (``right``
    [N, 2])."""

    name: str
    key: str
    mask: NDArray[np.bool_]
    right: NDArray[np.float64]


def _scenes(pairs: _Pairs) -> tuple[NDArray[np.int64], int]:
    """The scene of each photo [N], numbered from 0, and how many there are."""
    places: dict[str, int] = {}
    found = [places.setdefault(answer.scene_id, len(places)) for _, answer in pairs]
    return np.array(found, np.int64), len(places)


def _both(pairs: _Pairs, right: _Right) -> NDArray[np.float64]:
    rows = [(old is not None and right(old), right(new)) for old, new in pairs]
    return np.array(rows, np.float64)


def _said_right(key: str) -> _Right:
    return lambda answer: answer.correct.get(key, False)


def _differences(parts: Sequence[_Part], scene: NDArray[np.int64], scenes: int) -> list[Difference]:
    """The difference of each part. Draws that hold no photo of a part say nothing of it."""
    gain = [np.where(p.mask, p.right[:, 1] - p.right[:, 0], 0.0) for p in parts]
    totals = np.stack([np.bincount(scene, g, scenes) for g in gain], axis=1)  # [S, P]
    counts = np.stack([np.bincount(scene, p.mask, scenes) for p in parts], axis=1)
    draws = np.random.default_rng(_SEED)
    at_once = max(1, _CELLS // scenes)
    means = []
    for first in range(0, ROUNDS, at_once):
        rounds = min(at_once, ROUNDS - first)
        weight = draws.multinomial(scenes, np.full(scenes, 1 / scenes), size=rounds).astype(float)
        drawn = weight @ counts
        means.append(np.where(drawn > 0, weight @ totals, np.nan) / np.maximum(drawn, 1.0))
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.nanquantile(np.concatenate(means), tails, axis=0)
    found = []
    for place, part in enumerate(parts):
        old, new = (float(v) for v in part.right[part.mask].mean(axis=0))
        figures = (old, new, new - old, float(low[place]), float(high[place]))
        photos = int(part.mask.sum())
        found.append(Difference(part.name, part.key, photos, *(round(v, 6) for v in figures)))
    return found


def _parts(pairs: _Pairs, rules: Rules) -> list[_Part]:
    answers = [answer for _, answer in pairs]
    everything = np.ones(len(answers), bool)
    found = [
        _Part("field", key, everything, _both(pairs, _said_right(key)))
        for key in sorted({key for answer in answers for key in answer.correct})
    ]
    groups = [("category", a.category) for a in answers] + [("camera", a.cam_type) for a in answers]
    groups = [*sorted(set(groups)), ("tail", TAIL), ("gold", GOLD)]
    column = {"category": "category", "camera": "cam_type", "tail": "rarity", "gold": "group"}
    whole = _both(pairs, lambda a: a.whole)
    for part, key in groups:
        mask = np.array([getattr(a, column[part]) == key for a in answers], bool)
        if key and int(mask.sum()) >= rules.min_photos:
            found.append(_Part(part, key, mask, whole))
    return found


def _allowed(part: str, rules: Rules) -> float:
    return {
        "field": rules.field_fall,
        "category": rules.category_fall,
        "camera": rules.category_fall,
        "tail": rules.tail_fall,
        "gold": rules.gold_fall,
    }[part]


def _percent(share: float) -> float:
    return round(100 * share, 2)
