"""Whether an engine answers as torch does: the suite that every engine passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.captions import GRADES
from inference.minigpt.alternatives import Float32Array, Tree, weigh
from inference.minigpt.vocabulary import END, Vocabulary

from .base import Engine, Precision

FloatArray = NDArray[np.float64]
_BATCH = 8
TIE: Final = 0.05
"""Answers whose probabilities differ by less are equally good: so are all of a head that has learned
nothing."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What an engine makes of R pictures: what the decoder starts from, where queries look, how many
    units are expected [R], each head's probabilities [R, K], and those of a tree's alternatives [R, K],
    as the decoder writes."""

    past: Float32Array
    gaze: Float32Array
    units: FloatArray
    heads: Mapping[str, FloatArray]
    written: FloatArray

    @classmethod
    def of(cls, engine: Engine, pixels: Float32Array, tree: Tree) -> Answers:
        """The answers on ``pixels`` [R, *pixel_shape], with ``tree`` after the picture."""
        pictures = [
            engine.encode(pixels[first : first + _BATCH]) for first in range(0, len(pixels), _BATCH)
        ]
        past = np.concatenate([engine.begin(one.outputs) for one in pictures])
        gaze = np.concatenate([one.gaze for one in pictures])
        written = [weigh(engine, one[None], tree) for one in past]
        heads = {
            name: softmax(np.concatenate([one.heads[name] for one in pictures]))
            for name in pictures[0].heads
        }
        count = heads.pop(
            "count", np.zeros((len(past), 1))
        )  # models of earlier makes count nothing
        units = count @ np.arange(count.shape[1])
        return cls(past, gaze, units, heads, softmax(np.stack(written)))


@dataclass(frozen=True, slots=True)
class Parity:
    """How far two engines are apart: the largest difference of any value of ``past``; the share of its
    gaze that a query moves to other cells; the mean difference of the units expected; the share of its
    probability that a head, or the writing, moves to other answers (total variation), in the mean of
    the pictures, of the worst head; and how often (the least of the heads) the first answer is the
    same, ties aside."""

    past: float
    gaze: float
    units: float
    heads: float
    heads_top_1: float
    written: float
    written_top_1: float

    @classmethod
    def of(cls, reference: Answers, other: Answers) -> Parity:
        """How far ``other`` is from ``reference``, on the same pictures and tree."""
        return cls(
            past=_apart(reference.past, other.past),
            gaze=_moved(reference.gaze, other.gaze),
            units=float(np.abs(reference.units - other.units).mean()),
            heads=max(_moved(p, other.heads[name]) for name, p in reference.heads.items()),
            heads_top_1=min(_top_1(p, other.heads[name]) for name, p in reference.heads.items()),
            written=_moved(reference.written, other.written),
            written_top_1=_top_1(reference.written, other.written),
        )

    def misses(self, limits: Parity) -> list[str]:
        """What is out of ``limits``, in words; empty when nothing is."""
        said = []
        for name, limit in asdict(limits).items():
            value = getattr(self, name)
            if value < limit if name.endswith("top_1") else value > limit:
                said.append(f"{name} is {value:.3g}, the limit {limit:g}")
        return said


LIMITS: Final[Mapping[Precision, Parity]] = {
    "fp32": Parity(1e-4, 1e-4, 1e-3, 1e-4, 1.0, 1e-4, 1.0),
    "fp16": Parity(0.05, 0.01, 0.1, 0.01, 0.98, 0.01, 0.98),
    "int8": Parity(np.inf, 0.45, np.inf, 0.08, 0.92, 0.08, 0.92),
}
"""What is let pass. Where the gaze moved by .36, the maps of fields peaked in the printed words as often as before
(.45, .39 and .40 of photos, .45, .41 and .39 in fp32). How well int8 counts is told by the report of a training."""

ANYTHING: Final = Parity(np.inf, np.inf, np.inf, np.inf, 0.0, np.inf, 0.0)
"""No limits."""


def softmax(logits: NDArray[np.floating]) -> FloatArray:
    """Probabilities over the last axis."""
    z = logits.astype(np.float64)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    found: FloatArray = e / e.sum(axis=-1, keepdims=True)
    return found


def _apart(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    return float(np.abs(a.astype(np.float64) - b).max())


def _moved(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    return float(np.abs(a.astype(np.float64) - b).sum(axis=-1).mean() / 2)


def _top_1(reference: FloatArray, other: FloatArray) -> float:
    """How often ``other`` puts first what ``reference`` puts first, or holds for as probable but for
    :data:`TIE`."""
    chosen = np.take_along_axis(reference, other.argmax(axis=1)[:, None], axis=1)[:, 0]
    return float((reference.max(axis=1) - chosen <= TIE).mean())


def grades_tree(vocabulary: Vocabulary) -> Tree:
    """The grades of a condition after their header, for a model that knows no codes."""
    alternatives = [[*vocabulary.encode(grade), END] for grade in GRADES]
    return Tree.of([vocabulary.header("condition")], alternatives)


def sku_tree(vocabulary: Vocabulary, codes: Sequence[str]) -> Tree:
    """The codes of a catalog after their header, each closed by the next one."""
    close = vocabulary.header("category")
    alternatives = [[*vocabulary.encode(code), close] for code in codes]
    return Tree.of([vocabulary.header("sku")], alternatives)
