"""How a caption reads, and whether it says what the catalog and the picture say: rules, each with an id, a
place, a message and, where it can be mended, a fix.

Values are looked at as they were typed. The twin in ``frontend/src/lib/captions`` finds the same;
``docs/fluency.md`` tells what each rule costs.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from .condition import parse_condition
from .errors import FieldError, Language
from .numerals import parse_chinese
from .quantity import parse_quantity
from .schema import Field, Schema
from .spec import compare_specs
from .text import fold, narrow
from .units import pack_key
from .values import Unknown, Value

RULES: Final[Mapping[str, tuple[int, str, str, str]]] = {
    # rule: (points, 中文, English, 日本語)
    "unit_spacing": (
        5,
        "数字与单位之间不留空格",
        "No space between number and unit",
        "数字と単位の間は空けません",
    ),
    "mixed_width": (
        5,
        "数字和字母用半角",
        "Digits and letters are half-width",
        "数字と英字は半角にします",
    ),
    "repeated": (15, "“{text}”重复了", "“{text}” is repeated", "「{text}」が重複しています"),
    "contradictory": (
        25,
        "“{text}”与完好无损矛盾",
        "“{text}” contradicts an intact pack",
        "「{text}」は無傷と矛盾します",
    ),
    "vague": (15, "“{text}”太含糊", "“{text}” is vague", "「{text}」は曖昧です"),
    "numeral": (
        10,
        "数量用阿拉伯数字",
        "Amounts are written in digits",
        "数量は算用数字で書きます",
    ),
    "odd_characters": (
        15,
        "“{text}”不该出现在描述里",
        "“{text}” has no place in a caption",
        "「{text}」は記述に不要です",
    ),
    "brackets": (10, "括号不成对", "Brackets do not pair", "括弧が対になっていません"),
    "category_is_sku": (
        25,
        "品类写成了 SKU",
        "The category is the SKU",
        "カテゴリに SKU が書かれています",
    ),
    "catalog_differs": (
        0,
        "与目录不符：目录为“{text}”",
        "Differs from the catalog: “{text}”",
        "カタログは「{text}」です",
    ),
    "boxes_differ": (
        0,
        "画了 {text} 个框",
        "{text} boxes are drawn",
        "枠は {text} 個です",
    ),
    "weight_differs": (
        0,
        "按称重应为 {text}",
        "By weight there are {text}",
        "重量からは {text} です",
    ),
    "barcode_differs": (
        0,
        "照片上的条码属于“{text}”",
        "The barcode in the picture is that of “{text}”",
        "写真のバーコードは「{text}」のものです",
    ),
}

_SPACED = re.compile(r"(?<=[0-9])[ \u3000]+(?=[A-Za-z\u4e00-\u9fff])")
_WIDE = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff05\uff0b\uff0d\uff0a\uff0f]+")
_REPEATED = re.compile(r"([^0-9\s.])\1{3,}|([^0-9\s]{2,}?)\2+")
_ODD = re.compile("[\ufffd\x00-\x1f]+|[?？!！~～]+|[.]{3,}|…+")
_HEDGE = re.compile("大概是?|大约是?|可能是?|好像是?|应该是|估计是?|差不多|左右")
_VAGUE = re.compile(
    "一个盒子|一个箱子|一个东西|一个商品|某种|某个|若干|一些|一堆|好几|东西|之类|等等|不明|"
    "something|some kind of|いくつか|何か"
)
_NUMERAL = re.compile("[零〇一二两三四五六七八九十百]+(?=[箱瓶袋盒罐件包个支听桶杯盘托片条组套双])")
_DAMAGE = re.compile("(?<![无没未不破裂漏渗凹撕湿脏])(?:破|裂|漏|渗|压痕|凹|变形|撕|湿|脏)")
WEIGHT_TOLERANCE: Final = 0.05
"""Of what was weighed: packing and filling vary, so a weight tells counts no closer than this."""

_BRACKETS = ("()", "（）", "[]", "“”", "《》")


@dataclass(frozen=True, slots=True)
class World:
    """What else is known: the catalog's values of the chosen SKU by field, how many boxes are drawn
    (0: none), the SKUs of the catalog whose barcodes were read in the picture, and what the goods
    weigh, with what one ``unit`` of the chosen SKU does, in grams (0: not known)."""

    catalog: Mapping[str, str] = field(default_factory=dict)
    boxes: int = 0
    barcodes: Sequence[str] = ()
    weight_g: float = 0
    unit_weight_g: float = 0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found in a field, at [start, end) in Unicode characters; ``fix`` is the whole value as
    it should be, or None where a person must decide."""

    field: str
    rule: str
    start: int
    end: int
    text: str
    fix: str | None = None

    @property
    def points(self) -> int:
        """What it costs of a hundred."""
        return RULES[self.rule][0]

    def message(self, language: Language = "zh") -> str:
        """It in words."""
        _, zh, en, ja = RULES[self.rule]
        return {"zh": zh, "en": en, "ja": ja}[language].replace("{text}", self.text)


def findings(
    values: Mapping[str, Value], schema: Schema, world: World | None = None
) -> list[Finding]:
    """What there is to say of a caption's values, field by field."""
    world = world or World()
    codes = [values.get(f.key) for f in schema.of_kind("sku")]
    found: list[Finding] = []
    for f in schema.fields:
        value = values.get(f.key)
        if isinstance(value, Unknown) or not value:
            continue
        if f.kind == "sku":
            found += _of_barcodes(f, value, world.barcodes)
            continue
        found += _of_text(f, value)
        found += _of_kind(f, value, [code for code in codes if isinstance(code, str)])
        found += _of_world(f, value, world)
    return found


def _of_text(f: Field, value: str) -> Iterator[Finding]:
    yield from _each(f, "mixed_width", _WIDE, value, lambda m: unicodedata.normalize("NFKC", m[0]))
    yield from _each(f, "repeated", _REPEATED, value, lambda m: m[1] or m[2])
    yield from _each(f, "odd_characters", _ODD, value, lambda m: "")
    yield from _each(f, "vague", _HEDGE, value, lambda m: "")
    for match in _VAGUE.finditer(value):
        yield Finding(f.key, "vague", match.start(), match.end(), match[0])
    for pair in _BRACKETS:
        if value.count(pair[0]) != value.count(pair[1]):
            place = min(n for n in (value.find(c) for c in pair) if n >= 0)
            yield Finding(f.key, "brackets", place, place + 1, value[place])


def _of_kind(f: Field, value: str, codes: list[str]) -> Iterator[Finding]:
    if f.kind in ("spec", "quantity"):
        yield from _each(f, "unit_spacing", _SPACED, value, lambda m: "")
    if f.kind == "quantity":
        yield from _each(f, "numeral", _NUMERAL, value, lambda m: str(parse_chinese(m[0])))
    if f.kind == "condition":
        condition = parse_condition(value)
        if not isinstance(condition, FieldError) and condition.grade == 0:
            at = len(value) - len(condition.detail)
            if match := _DAMAGE.search(condition.detail):
                start = at + match.start()
                yield Finding(f.key, "contradictory", start, start + len(match[0]), match[0])
    if f.kind == "category" and any(fold(code) == fold(value) for code in codes):
        yield Finding(f.key, "category_is_sku", 0, len(value), value)


def _of_world(f: Field, value: str, world: World) -> Iterator[Finding]:
    known = world.catalog.get(f.key)
    if known:
        same = compare_specs(value, known) == 1 if f.kind == "spec" else fold(value) == fold(known)
        if not same:
            yield Finding(f.key, "catalog_differs", 0, len(value), known, known)
    if f.kind == "quantity":
        quantity = parse_quantity(value)
        if isinstance(quantity, FieldError) or len(quantity.parts) != 1:
            return
        number, unit = quantity.parts[0]
        if world.boxes and float(number) != world.boxes:
            count = str(world.boxes)
            yield Finding(f.key, "boxes_differ", 0, len(value), count, count + unit)
        yield from _of_weight(f, value, float(number), unit, world)


def _of_weight(f: Field, value: str, number: float, unit: str, world: World) -> Iterator[Finding]:
    """A count whose weight is off by more than half a unit and more than the tolerance. What is counted
    in another unit than the one whose weight is known is not held against it."""
    weight_g, each_g = world.weight_g, world.unit_weight_g
    other = unit and world.unit and pack_key(unit) != pack_key(narrow(world.unit))
    if weight_g <= 0 or each_g <= 0 or other:
        return
    if abs(weight_g - number * each_g) > max(each_g / 2, weight_g * WEIGHT_TOLERANCE):
        count = math.floor(weight_g / each_g + 0.5)
        text = f"{count}{unit or world.unit}"
        yield Finding(f.key, "weight_differs", 0, len(value), text, text if count else None)


def _of_barcodes(f: Field, value: str, codes: Sequence[str]) -> Iterator[Finding]:
    """A SKU none of whose barcodes was read, where another's was. It is mended where one alone was."""
    read = {fold(code): code for code in codes}
    if read and fold(value) not in read:
        named = list(read.values())
        fix = named[0] if len(named) == 1 else None
        yield Finding(f.key, "barcode_differs", 0, len(value), "、".join(named), fix)


def _each(
    f: Field,
    rule: str,
    pattern: re.Pattern[str],
    value: str,
    mended: Callable[[re.Match[str]], str],
) -> Iterator[Finding]:
    """A finding for each match; the fix mends all of them."""
    matches = list(pattern.finditer(value))
    if matches:
        fix = pattern.sub(mended, value).strip()
        for match in matches:
            yield Finding(f.key, rule, match.start(), match.end(), match[0], fix or None)
