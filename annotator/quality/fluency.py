"""How well a caption reads, 0…100, by explicit rules.

A statistical score of such short, formulaic texts says little; each rule here names something that
a reader stumbles over, and takes points for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from inference.captions import Schema, Unknown, parse

_REPEATED = re.compile(r"(\D{2,})\1{1,}|([^\d\s.])\2{3,}")
_FULL_WIDTH = re.compile(r"[\uff01-\uff5e]")
_ODD = re.compile(r"[�\x00-\x1f]|[?？!！~～]{1,}|\.{3,}|…")


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing a reader stumbles over."""

    field: str
    rule: str
    points: int


def flaws(caption: str, schema: Schema) -> list[Flaw]:
    """What is wrong with how ``caption`` reads."""
    result = parse(caption, schema)
    found = [Flaw(error.field or "", f"unreadable.{error.code}", 25) for error in result.errors]
    codes = {field.key for field in schema.of_kind("sku")}  # nobody reads these for their style
    for key, value in result.values.items():
        if isinstance(value, Unknown) or key in codes:
            continue
        if _REPEATED.search(value):
            found.append(Flaw(key, "repeated", 15))
        if _ODD.search(value):
            found.append(Flaw(key, "odd_characters", 15))
        if _FULL_WIDTH.search(value):
            found.append(Flaw(key, "full_width", 5))
        if value.count("(") != value.count(")") or value.count("（") != value.count("）"):
            found.append(Flaw(key, "unbalanced_brackets", 10))
    if result.canonical != caption:
        found.append(Flaw("", "not_canonical", 5))
    return found


def score(caption: str, schema: Schema) -> float:
    """100 less the points of every flaw, at least 0."""
    return float(max(0, 100 - sum(flaw.points for flaw in flaws(caption, schema))))
