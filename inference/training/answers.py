"""What is to be said of each record of a snapshot."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.captions import Condition, Quantity, parse_condition, parse_quantity
from inference.minigpt.config import GRADES, MiniGPTConfig
from inference.minigpt.details import MAX_UNITS, UNIT_PX
from inference.minigpt.reading import place_of
from inference.minigpt.vocabulary import Vocabulary

from .places import bumps
from .places import covered as covered_cells
from .snapshot import CatalogEntry, Record
from .telling import HEARS, LABELLED, Told, told

NO_ANSWER: Final = -100
POINTED: Final = {"sku": ("code", "name"), "category": ("name",), "spec": ("spec",)}
"""The printed words that a field is read from, the first of them that a photo shows."""
_MISTAKEN = 0.02
"""Of decided answers, as far as they are not told from others that differ."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What is to be said of each of R ``records``: an answer for each head [R], negative where there
    is none; for rendered ones the bumps of their units [R, U], and where the ``words`` that fields are read
    from are in the looks [R, F, K · N], the share of each cell. None where no record is rendered.
    ``weights`` [R] have a mean of 1."""

    records: Sequence[Record]
    catalog: Mapping[str, CatalogEntry]
    vocabulary: Vocabulary
    heads: dict[str, Tensor]
    units: Tensor | None
    words: Tensor | None
    weights: Tensor

    @classmethod
    def of(
        cls,
        records: Sequence[Record],
        catalog: Mapping[str, CatalogEntry],
        vocabulary: Vocabulary,
        config: MiniGPTConfig,
        balance: float = 0.0,
    ) -> Answers:
        """``balance`` lends rare SKUs weight: that of a SKU of n records is divided by n to that
        power (after the class-balanced loss of Cui et al. 2019)."""
        class_of = {code: n for n, code in enumerate(config.classes)}
        heads = {
            "sku": [class_of.get(r.sku or "", NO_ANSWER) for r in records],
            "condition": [_grade(r) for r in records],
            "stack_level": [_class(r, "stack_level") for r in records],
            "package_type": [_class(r, "package_type") for r in records],
            "count": [_count(r) for r in records],
        }
        units = words = None
        if any(r.truth for r in records):
            places = [_places(r, config) for r in records]
            units = torch.from_numpy(np.stack([one for one, _ in places]))
            words = torch.from_numpy(np.stack([one for _, one in places]))
        tensors = {name: torch.tensor(rows) for name, rows in heads.items()}
        often = Counter(r.sku for r in records)
        weights = torch.tensor([r.weight / often[r.sku] ** balance for r in records])
        weights = weights / weights.mean().clamp(min=1e-6)
        return cls(records, catalog, vocabulary, tensors, units, words, weights)

    def told(self, rows: Iterable[int], rng: random.Random, *, always: bool = False) -> list[Told]:
        """What the model is told of the records ``rows`` this time: of rendered ones sometimes, or
        ``always``, the words that are on them and a code."""
        shares = (1.0, 1.0) if always else (HEARS, LABELLED)
        return [told(self.records[n], self.catalog, self.vocabulary, rng, *shares) for n in rows]


def tell_details(records: Iterable[Record]) -> bool:
    """Whether these teach to count units or to grade damage: where nearly all have one unit, or are intact, there is
    nothing small to learn, and the others may be mistakes."""
    told_of = [(_count(r), _grade(r)) for r in records]
    return any(_differ([n for n in some if n != NO_ANSWER]) for some in zip(*told_of, strict=True))


def _differ(answers: Sequence[int]) -> bool:
    most = max(Counter(answers).values(), default=0)
    return most < (1 - _MISTAKEN) * len(answers)


def _places(
    record: Record, config: MiniGPTConfig
) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    side, fine = config.side_px // 32, config.side_px // UNIT_PX
    units = np.full(fine**2, -1, np.float16)
    words = np.zeros((len(POINTED), len(config.looks) * side**2), np.float16)
    if record.truth:
        width, height = record.size_px()
        if record.truth.countable:
            units = bumps(record.truth.units, width, height, fine).astype(np.float16)
        for row, names in zip(words, POINTED.values(), strict=True):
            box = next((record.truth.words[n] for n in names if n in record.truth.words), None)
            if box:
                row[:] = covered_cells([box], width, height, config.looks, side).reshape(-1)
    return units, words


def _grade(record: Record) -> int:
    read = parse_condition(record.values.get("condition") or "")
    return min(read.grade, GRADES - 1) if isinstance(read, Condition) else NO_ANSWER


def _count(record: Record) -> int:
    if record.truth:
        return len(record.truth.units) if record.truth.countable else NO_ANSWER
    read = parse_quantity(record.values.get("quantity") or "")
    if not isinstance(read, Quantity) or len(read.parts) != 1:
        return NO_ANSWER
    number = read.parts[0][0]
    return int(number) if number.isdecimal() and 0 < int(number) <= MAX_UNITS else NO_ANSWER


def _class(record: Record, attribute: str) -> int:
    place = place_of(attribute, record.attributes.get(attribute))
    return NO_ANSWER if place is None else place
