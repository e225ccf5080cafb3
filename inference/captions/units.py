"""Units: measures with their factors, and the names of packs in three languages."""

from __future__ import annotations

from typing import Final, Literal

Dimension = Literal["volume", "mass", "length"]

_MEASURES: Final[tuple[tuple[Dimension, float, str, tuple[str, ...]], ...]] = (
    ("volume", 1.0, "ml", ("ml", "cc", "毫升", "ミリリットル")),
    ("volume", 10.0, "cl", ("cl", "厘升")),
    ("volume", 100.0, "dl", ("dl", "分升")),
    ("volume", 1000.0, "L", ("l", "升", "公升", "リットル")),
    ("mass", 0.001, "mg", ("mg", "毫克")),
    ("mass", 1.0, "g", ("g", "克", "グラム")),
    ("mass", 500.0, "斤", ("斤", "市斤")),
    ("mass", 1000.0, "kg", ("kg", "千克", "公斤", "キログラム", "キロ")),
    ("length", 1.0, "mm", ("mm", "毫米", "ミリ")),
    ("length", 10.0, "cm", ("cm", "厘米", "公分", "センチ")),
    ("length", 1000.0, "m", ("m", "米", "メートル")),
)

MEASURES: Final[dict[str, tuple[Dimension, float, str]]] = {
    name: (dimension, factor, symbol)
    for dimension, factor, symbol, names in _MEASURES
    for name in names
}
"""Lower-case name → dimension, factor to the base unit (ml, g, mm), symbol as written.
Factors are those of the SI; 1 斤 is 500 g (State Council order of 1959)."""

MEASURE_NAMES: Final = tuple(sorted(MEASURES, key=lambda name: (-len(name), name)))
"""Names of measures, longest first, so that a pattern made of them finds ml before m."""

_PACKS: Final[dict[str, tuple[str, ...]]] = {
    "箱": ("box", "boxes", "case", "cases", "carton", "cartons", "ctn", "ctns", "ケース"),
    "盒": ("盒子", "小盒"),
    "瓶": ("bottle", "bottles", "btl", "btls", "ボトル"),
    "罐": ("can", "cans", "tin", "tins", "jar", "jars", "缶", "听"),
    "袋": ("bag", "bags", "sack", "sacks", "pouch", "pouches"),
    "包": ("pack", "packs", "packet", "packets", "pk", "パック"),
    "件": (
        "个",
        "個",
        "只",
        "隻",
        "点",
        "個入",
        "pc",
        "pcs",
        "piece",
        "pieces",
        "ea",
        "unit",
        "units",
    ),
    "桶": ("bucket", "buckets", "barrel", "barrels"),
    "卷": ("roll", "rolls", "巻"),
    "支": ("tube", "tubes", "本"),
    "张": ("sheet", "sheets", "張", "枚"),
    "托": ("pallet", "pallets", "托盘", "パレット"),
    "打": ("dozen", "dozens", "dz", "ダース"),
}

_PACK_KEYS: Final = {name: key for key, names in _PACKS.items() for name in (key, *names)}

PACK_NAMES: Final = tuple(sorted(_PACK_KEYS, key=lambda name: (-len(name), name)))
"""Names of packs, longest first."""

GENERIC_PACK: Final = "件"
"""The key of units that only say piece (个, 件, 只, pcs)."""

DOZEN: Final = "打"


def pack_key(unit: str) -> str:
    """The key under which two names of a pack are the same: 个, 件 and pcs give 件.

    ``unit`` is half-width; a trailing 装 is ignored; a name that is not known is its own key.
    """
    name = unit.lower()
    if len(name) > 1 and name.endswith("装"):
        name = name[:-1]
    return _PACK_KEYS.get(name, name)


def pack_name(unit: str) -> str:
    """``unit`` as captions write it: Latin names become Chinese (12 boxes → 箱), others stay."""
    return pack_key(unit) if unit.isascii() and unit.lower() in _PACK_KEYS else unit
