"""How well a caption reads, 0…100 (docs/fluency.md).

A statistical score of such short, formulaic texts says little; each rule names something that a reader
stumbles over, and takes points for it. A LanguageTool server, where there is one, finds more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inference.captions import Schema, findings, parse

UNREADABLE, NOT_CANONICAL = 25, 5
HIT, MOST_OF_HITS = 10, 30


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing a reader stumbles over."""

    field: str
    rule: str
    points: int


def flaws(caption: str, schema: Schema) -> list[Flaw]:
    """What is wrong with how ``caption`` reads, by our own rules. A rule takes its points once for each
    field."""
    result = parse(caption, schema)
    found = [Flaw(e.field or "", f"unreadable.{e.code}", UNREADABLE) for e in result.errors]
    hits = {(f.field, f.rule): f.points for f in findings(result.values, schema)}
    found += [Flaw(field, rule, points) for (field, rule), points in hits.items()]
    if result.canonical != caption:
        found.append(Flaw("", "not_canonical", NOT_CANONICAL))
    return found


def points(caption: str, schema: Schema) -> int:
    """What all its flaws take."""
    return sum(flaw.points for flaw in flaws(caption, schema))


def left(points: int, hits: Sequence[Any] = ()) -> float:
    """100 less the points of all flaws and of what a language checker found, at least 0."""
    return float(max(0, 100 - points - min(MOST_OF_HITS, HIT * len(hits))))


def score(caption: str, schema: Schema, hits: Sequence[Any] = ()) -> float:
    """That of a caption."""
    return left(points(caption, schema), hits)
