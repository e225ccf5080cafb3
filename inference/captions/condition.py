"""Conditions: one of five ordered grades of damage, with free detail after it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from .errors import FieldError, excerpt
from .text import fold, narrow, tidy

GRADES: Final = ("完好无损", "轻微压痕", "明显变形", "破损", "渗漏")
"""From sound to worst; a grade's number is its place here, from 0."""

_SYNONYMS: Final = (
    (
        "完好无损|完好|完整无损|完整|无破损|无损坏|无损伤|无损|无异常|良好|正常|intact|undamaged|"
        "no damage|good|ok|perfect|無傷|損傷なし|異常なし|問題なし|完好無損|1级|1"
    ),
    (
        "轻微压痕|轻微凹痕|轻微磨损|轻微变形|轻微褶皱|轻微|压痕|凹痕|minor dent|slight dent|"
        "slightly dented|dented|dent|軽いへこみ|へこみ|凹み|輕微壓痕|2级|2"
    ),
    (
        "明显变形|严重变形|变形|严重压痕|明显压痕|压扁|deformed|deformation|crushed|"
        "変形|明顯變形|3级|3"
    ),
    (
        "破损|轻微破损|严重破损|包装破损|破裂|撕裂|开裂|破洞|损坏|damaged|damage|torn|broken|"
        "破損|破れ|4级|4"
    ),
    (
        "渗漏|轻微渗漏|严重渗漏|渗液|泄漏|漏液|漏水|leaking|leaked|leakage|leak|"
        "漏れ|液漏れ|滲漏|5级|5"
    ),
)
_GRADE_OF: Final = {
    name: grade for grade, names in enumerate(_SYNONYMS) for name in names.split("|")
}
_LONGEST_FIRST: Final = sorted(_GRADE_OF, key=lambda name: (-len(name), name))
# A Latin name or a digit ends where the word does: good is no prefix of goods, 1 none of 1箱.
_LATIN_NAMES = "|".join(re.escape(n) for n in _LONGEST_FIRST if n.isascii())
_CHINESE_NAMES = "|".join(n for n in _LONGEST_FIRST if not n.isascii())
_START: Final = re.compile(
    rf"(?P<latin>{_LATIN_NAMES})(?=$|[ ,;:.()、。—-])|(?P<chinese>{_CHINESE_NAMES})"
)
_SEPARATORS: Final = "，,；;：:、。. —–-"


@dataclass(frozen=True, slots=True)
class Condition:
    """``grade`` counts from 0 (sound) to 4 (leaking); ``detail`` is free text, or empty."""

    grade: int
    detail: str = ""

    def text(self) -> str:
        """The canonical form, for example ``破损，左上角``."""
        return f"{GRADES[self.grade]}，{self.detail}" if self.detail else GRADES[self.grade]


@lru_cache(maxsize=2048)
def parse_condition(raw: str) -> Condition | FieldError:
    """Read a condition: a grade, a synonym of one, or a digit 1–5 (① too), then free detail."""
    text = tidy(raw)
    # The grade is matched on the half-width text, the detail keeps its own width: NFKC can
    # change lengths, so the two are aligned character by character.
    low, origin = "", [0]
    for index, char in enumerate(text):
        narrowed = (narrow(char) or " ").lower()
        low += narrowed
        origin += [index + 1] * len(narrowed)
    match = _START.match(low)
    if match is None:
        return FieldError("invalid_condition", {"text": excerpt(text), "grades": list(GRADES)})
    return Condition(_GRADE_OF[match[0]], _bare_detail(text[origin[match.end()] :]))


def _bare_detail(text: str) -> str:
    """Detail without what sets it apart from the grade: separators before, parentheses around."""
    while True:
        bare = text.lstrip(_SEPARATORS).rstrip(" ")
        if len(bare) > 1 and bare[0] in "(（" and bare[-1] in ")）":
            bare = bare[1:-1].strip(" ")
        if bare == text:
            return bare
        text = bare


def compare_conditions(a: str, b: str) -> float:
    """1 − distance / 4 between the grades; detail does not count."""
    apart = grades_apart(a, b)
    if apart is None:
        return 1.0 if fold(a) == fold(b) else 0.0
    return 1 - apart / (len(GRADES) - 1)


def grades_apart(a: str, b: str) -> int | None:
    """How many grades two conditions differ by, or None where one has no grade."""
    first, second = parse_condition(a), parse_condition(b)
    if isinstance(first, FieldError) or isinstance(second, FieldError):
        return None
    return abs(first.grade - second.grade)
