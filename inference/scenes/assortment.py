"""What an invented warehouse sells: syllables of brands, and categories with their products.

A brand is made of two or three characters, each with its reading; real brands that could come out
are listed and left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Form = Literal["carton", "box", "bottle", "bag", "can", "cup", "tray"]

_HEADS: Final = (
    "沐MU 澜LAN 屿YU 岚LAN 汀TING 霁JI 砚YAN 棠TANG 芷ZHI 若RUO 竹ZHU 溪XI 鹿LU 禾HE 穗SUI 麓LU 槿JIN "
    "苔TAI 岫XIU 墨MO 桐TONG 萤YING 栀ZHI 荞QIAO 橡XIANG 渡DU 陌MO 舟ZHOU 野YE 椿CHUN 榆YU 鲸JING 榛ZHEN 羽YU"
)
_TAILS: Final = (
    "白BAI 语YU 集JI 屋WU 里LI 谣YAO 作ZUO 间JIAN 拾SHI 川CHUAN 谷GU 序XU 仓CANG 朵DUO 然RAN 安AN 季JI "
    "庭TING 坊FANG 歌GE 町DING 原YUAN 湾WAN 巷XIANG 樱YING 笙SHENG 曜YAO 柚YOU 畔PAN 蓝LAN 初CHU 止ZHI"
)


def _readings(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((word[0], word[1:]) for word in text.split())


BRAND_HEADS: Final = _readings(_HEADS)
BRAND_TAILS: Final = _readings(_TAILS)

_IN_USE: Final = (
    "白象 鹿角巷 禾然 竹叶 野原 溪木源 橡树 羽西 墨迹 舟山 渡边 桐庐 竹里 禾作 麓谷 麓语 霁蓝 椿屋 橡木 "
    "汀兰 桐原 芷兰 若初 若羽 沐语 禾川 溪谷 溪畔 麓湾 陌上 墨语 野作 鲸语 渡川"
)
REAL_BRANDS: Final = frozenset(_IN_USE.split())
"""Names that are or may be in use, which the grammar must not make."""


@dataclass(frozen=True, slots=True)
class Line:
    """A leaf category. ``amounts`` are sizes of one inner pack, ``inner`` its unit in a carton;
    ``nouns`` name the product, ``flavours`` tell look-alikes apart, ``claims`` praise."""

    leaf: str
    parent: str
    prefix: str
    forms: tuple[Form, ...]
    amounts: tuple[str, ...]
    inner: str
    nouns: tuple[str, ...]
    flavours: tuple[str, ...]
    claims: tuple[str, ...]
    motifs: tuple[str, ...]


_FORM: Final[dict[str, Form]] = {
    "C": "carton",
    "X": "box",
    "B": "bottle",
    "G": "bag",
    "K": "can",
    "U": "cup",
    "T": "tray",
}


def _line(row: str) -> Line:
    leaf, parent, prefix, forms, amounts, inner, nouns, flavours, claims, motifs = row.split("|")
    return Line(
        leaf,
        parent,
        prefix,
        tuple(_FORM[letter] for letter in forms),
        _amounts(amounts),
        inner,
        tuple(nouns.split()),
        tuple(flavours.split()),
        tuple(claims.split()),
        tuple(motifs.split()),
    )


def _amounts(text: str) -> tuple[str, ...]:
    """Words, of which a size without a number of its own (A4, 45cm×50cm, M码) leads the next."""
    found: list[str] = []
    lead = ""
    for word in text.split():
        if word.endswith("码") or word[:1] in "AB" or "cm×" in word:
            lead = word + " "
        else:
            found.append(lead + word)
            lead = ""
    return tuple(found)


_TABLE: Final = Path(__file__).with_name("assortment.txt")

LINES: Final = tuple(
    _line(row) for row in _TABLE.read_text("utf-8").splitlines() if not row.startswith("#")
)
"""The leaf categories, in a fixed order."""
