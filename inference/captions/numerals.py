"""Numbers as people write them: 12, 1,200, 3.5, 3万, 十二, 两百零五, 半."""

from __future__ import annotations

import re
from typing import Final

_DIGITS: Final = {
    **{char: i for i, char in enumerate("零一二三四五六七八九")},
    **{char: i for i, char in enumerate("〇壹贰叁肆伍陆柒捌玖")},
    "两": 2,
    "兩": 2,
    "貳": 2,
    "參": 3,
    "陸": 6,
}
_SMALL_UNITS: Final = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_BIG_UNITS: Final = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}

_CHINESE = "(?:[零一二三四五六七八九〇壹贰叁肆伍陆柒捌玖两兩貳參陸十拾百佰仟万萬亿億]|千(?![克米]))"
_WHOLE = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)"
_ARABIC = rf"(?:(?<![0-9]\.){_WHOLE}(?:\.[0-9]+(?![0-9]|\.[0-9]))?|{_WHOLE})"
"""A number in a chain of dots (1.0.1) is whole: a chain is no decimal."""

NUMBER: Final = re.compile(
    rf"(?P<arabic>{_ARABIC})(?P<scale>[百万萬亿億]|千(?![克米]))?|(?P<chinese>{_CHINESE}+)|(?P<half>半)"
)
"""A number at a place in half-width text. 千 before 克 or 米 belongs to the unit."""

NUMERAL_CHARS: Final = "0-9零一二三四五六七八九〇壹贰叁肆伍陆柒捌玖两兩貳參陸十拾百佰千仟万萬亿億半"
"""Every character that a number can have, for use in a character class."""

MAX_INTEGER_DIGITS: Final = 9
MAX_DECIMALS: Final = 6


def decimal_text(match: re.Match[str]) -> str | None:
    """The plain decimal form (``1200``, ``0.5``) of a :data:`NUMBER` match.

    None when the digits make no number (十十) or exceed 9 integer digits or 6 decimals.
    """
    if match["half"]:
        return "0.5"
    if match["chinese"]:
        number = parse_chinese(match["chinese"])
        return None if number is None else _plain(str(number), "")
    integer, _, decimals = match["arabic"].replace(",", "").partition(".")
    if match["scale"]:
        zeros = {"百": 2, "千": 3, "万": 4, "萬": 4, "亿": 8, "億": 8}[match["scale"]]
        padded = decimals.ljust(zeros, "0")
        integer, decimals = integer + padded[:zeros], padded[zeros:]
    return _plain(integer, decimals)


def _plain(integer: str, decimals: str) -> str | None:
    integer, decimals = integer.lstrip("0") or "0", decimals.rstrip("0")
    if len(integer) > MAX_INTEGER_DIGITS or len(decimals) > MAX_DECIMALS:
        return None
    return f"{integer}.{decimals}" if decimals else integer


def parse_chinese(text: str) -> int | None:
    """The number that a Chinese numeral stands for, or None.

    Reads 十二, 两百零五, 一百二 (120), 三万五 (35,000), 壹佰 and digit by digit 二〇二四.
    """
    if text and all(char in _DIGITS for char in text):
        return int("".join(str(_DIGITS[char]) for char in text)) if len(text) < 16 else None
    total = 0
    rest = text
    last_big = 10**12
    for big, value in (("亿億", 10**8), ("万萬", 10**4)):
        places = [i for i, char in enumerate(rest) if char in big]
        if len(places) > 1:
            return None
        if places:
            head, rest = rest[: places[0]], rest[places[0] + 1 :]
            section = _parse_section(head, last_big)
            if not section:
                return None
            total += section * value
            last_big = value
            if not rest:
                return total
    section = _parse_section(rest, last_big)
    return None if section is None else total + section


def _parse_section(text: str, above: int) -> int | None:
    """A numeral below 10,000 that follows the big unit ``above``, or None.

    A last digit right after a unit counts in tenths of it: 一百二 is 120, 三万五 is 35,000.
    """
    total, digit, unit = 0, None, above
    zero = False
    for char in text:
        if char in _SMALL_UNITS:
            if _SMALL_UNITS[char] >= min(unit, 10**4):
                return None
            if digit is None and (char not in "十拾" or total):
                return None
            unit = _SMALL_UNITS[char]
            total += (1 if digit is None else digit) * unit
            digit, zero = None, False
        elif char in _DIGITS:
            if digit is not None:
                return None
            if _DIGITS[char] == 0:
                if zero:
                    return None
                zero = True
            else:
                digit = _DIGITS[char]
        else:
            return None
    if digit is None:
        return None if (zero and total == 0) or not text else total
    colloquial = not zero and 100 <= unit <= 10**8
    return total + digit * (unit // 10 if colloquial else 1)


def to_chinese(number: int) -> str:
    """The Chinese numeral of 0 ≤ ``number`` < 10¹². Raises :class:`ValueError` outside of that."""
    if not 0 <= number < 10**12:
        raise ValueError(f"{number} is not in 0…10¹²−1")
    if number == 0:
        return "零"
    parts: list[str] = []
    gap = False
    for value, name in ((10**8, "亿"), (10**4, "万"), (1, "")):
        section, number = divmod(number, value)
        if not section:
            gap = gap or bool(parts)
            continue
        if parts and (gap or section < 1000):
            parts.append("零")
        parts.append(_section_to_chinese(section) + name)
        gap = False
    text = "".join(parts)
    return text[1:] if text.startswith("一十") else text


def _section_to_chinese(section: int) -> str:
    text, gap = "", False
    for value, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, section = divmod(section, value)
        if not digit:
            gap = bool(text)
            continue
        text += ("零" if gap else "") + "零一二三四五六七八九"[digit] + name
        gap = False
    return text
