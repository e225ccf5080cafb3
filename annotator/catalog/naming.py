"""Pure rules of codes, barcodes and the keys that completion searches by."""

from __future__ import annotations

import re

from pypinyin import lazy_pinyin

from inference.captions import fold

_CODE = re.compile(r"^[^\s\x00-\x1f\x7f|【】\[\]]{1,64}$")


def code_key(code: str) -> str:
    """The form in which two codes are the same SKU."""
    return fold(code)[:64]


def is_code(code: str) -> bool:
    """Whether ``code`` can be a SKU code."""
    return bool(_CODE.match(code)) and bool(code_key(code))


def gtin_is_valid(barcode: str) -> bool:
    """Whether a barcode of 8, 12, 13 or 14 digits has the right check digit (GS1 General
    Specifications, 7.9). Other barcodes have none to check and pass."""
    if not barcode.isascii() or not barcode.isdigit() or len(barcode) not in (8, 12, 13, 14):
        return True
    *digits, check = (int(char) for char in barcode)
    total = sum(digit * (3 if n % 2 == 0 else 1) for n, digit in enumerate(reversed(digits)))
    return (10 - total % 10) % 10 == check


_NO_KEY = re.compile(r"[\s\W_]+")


def pinyin_keys(text: str) -> tuple[str, str]:
    """The toneless pinyin of ``text`` and its initials, lower case, without spaces:
    洗发水 → (xifashui, xfs). What is no Chinese character stays whole in both."""
    syllables = lazy_pinyin(text, errors=lambda run: f"\0{run}")
    full = "".join(syllables).lower()
    first = "".join(s if s.startswith("\0") else s[:1] for s in syllables).lower()
    return _NO_KEY.sub("", full)[:512], _NO_KEY.sub("", first)[:256]
