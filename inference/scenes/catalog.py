"""An invented catalog: brands, products and packs that exist nowhere else.

Some SKUs look alike on purpose, differing by a tint or a word (海盐 and 薄荷, 550ml and 380ml, 生抽
and 老抽); others are easy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from .assortment import Form
from .barcodes import check_digit
from .design import Design

PackageType = Literal["carton", "bottle", "bag", "can", "cup", "tray"]
Style = Literal["panel", "full", "kraft"]


@dataclass(frozen=True, slots=True)
class SkuTruth:
    """A catalog entry and what its pack looks like.

    ``category`` is the leaf, ``category_parent`` its parent. ``size_cm`` is width, depth, height.
    Colours are RGB hex: ``base`` of the pack, ``accent`` of bands and logo, ``ink`` of the name.
    ``design`` is what else an invented pack looks like; the demo's packs, which have none, are
    printed by their ``style``. ``form`` tells shipping cartons from retail boxes.
    """

    code: str
    name: str
    brand: str
    brand_latin: str
    category: str
    category_parent: str
    spec: str
    unit: str
    barcode: str
    pack_text: str
    sales_volume: int
    package_type: PackageType
    size_cm: tuple[float, float, float]
    base: str
    accent: str
    ink: str
    style: Style
    variant: str
    form: Form = "carton"
    design: Design | None = None

    @property
    def family(self) -> str:
        """What look-alikes have in common; a demo SKU is a family of its own."""
        return self.design.family if self.design else self.code


_BRANDS: Final = {
    "清澜": "QINGLAN",
    "沐白": "MUBAI",
    "北屿": "BEIYU",
    "云岭": "YUNLING",
    "拾味": "SHIWEI",
    "暖芽": "NUANYA",
    "白泽": "BAIZE",
    "青柚": "CHINYO",
    "禾谷仓": "HEGUCANG",
    "山止": "SHANZHI",
}

CATEGORY_PARENTS: Final = {
    "洗发水": "个人护理",
    "沐浴露": "个人护理",
    "饮用水": "饮料",
    "果汁": "饮料",
    "茶饮": "饮料",
    "咖啡": "饮料",
    "纯牛奶": "乳品",
    "方便面": "方便食品",
    "膨化食品": "方便食品",
    "大米": "粮油调味",
    "面粉": "粮油调味",
    "食用油": "粮油调味",
    "酱油": "粮油调味",
    "洗洁精": "家居清洁",
    "洗衣粉": "家居清洁",
    "抽纸": "纸品文具",
    "复印纸": "纸品文具",
}
"""Leaf category → its parent."""

# code, brand, product, variant, category, spec, unit, size, base, accent, ink, style, sales
_ROWS: Final = """
WASH-QL-SEA-6|清澜|海盐洗发水|清爽控油|洗发水|500ml×6瓶/箱|箱|38,26,28|#1d64ad|#f4f7fb|#ffffff|full|1840
WASH-QL-MINT-6|清澜|薄荷洗发水|清爽控油|洗发水|500ml×6瓶/箱|箱|38,26,28|#1c7f9b|#f4f7fb|#ffffff|full|1320
BATH-MB-ROSE-12|沐白|玫瑰沐浴露|柔润留香|沐浴露|400ml×12瓶/箱|箱|40,28,26|#f3dfe2|#b83a5e|#8f2346|panel|760
WATER-BY-550-24|北屿|饮用天然水|深层水源|饮用水|550ml×24瓶/箱|箱|42,28,24|#e4f0f7|#1677b8|#0d4f86|panel|5200
WATER-BY-380-24|北屿|饮用天然水|深层水源|饮用水|380ml×24瓶/箱|箱|42,28,24|#e4f0f7|#1677b8|#0d4f86|panel|3100
MILK-YL-FULL-12|云岭|全脂纯牛奶|高原牧场|纯牛奶|250ml×12盒/箱|箱|36,20,24|#f5f7f9|#1d4fa3|#16408a|panel|4400
MILK-YL-LOW-12|云岭|低脂纯牛奶|高原牧场|纯牛奶|250ml×12盒/箱|箱|36,20,24|#f5f7f9|#3f83cc|#16408a|panel|2100
NOODLE-SW-BEEF-12|拾味|红烧牛肉面|大块牛肉|方便面|110g×12袋/箱|箱|40,28,25|#b3261e|#f4c542|#fff6dc|full|3650
NOODLE-SW-SPICY-12|拾味|香辣牛肉面|大块牛肉|方便面|110g×12袋/箱|箱|40,28,25|#c1351b|#f4c542|#fff6dc|full|3010
PAPER-NY-3L-24|暖芽|三层抽纸|原生木浆|抽纸|120抽×24包/箱|箱|42,30,32|#b98d5c|#2e6b3c|#20502b|kraft|2780
COPY-BZ-A4-5|白泽|复印纸|高白不卡纸|复印纸|A4 500张×5包/箱|箱|34,24,27|#f2efe8|#d9541e|#333333|panel|990
TEA-QY-POMELO-15|青柚|柚子绿茶|低糖|茶饮|500ml×15瓶/箱|箱|40,24,24|#b88a58|#3f7d2c|#2c5a1e|kraft|1510
JUICE-QY-ORANGE-1L|青柚|鲜橙汁|非浓缩还原|果汁|1L/瓶|瓶|9,9,27|#f08a1d|#fff3d8|#c4500b|full|1730
JUICE-QY-GRAPEFRUIT-1L|青柚|西柚汁|非浓缩还原|果汁|1L/瓶|瓶|9,9,27|#e8603c|#fff0e6|#b5331b|full|880
SOY-SW-LIGHT-500|拾味|特级生抽|头道酿造|酱油|500ml/瓶|瓶|7,7,25|#3a1a10|#d8b25a|#8c1d18|panel|2240
SOY-SW-DARK-500|拾味|特级老抽|头道酿造|酱油|500ml/瓶|瓶|7,7,25|#2c120b|#d8b25a|#8c1d18|panel|1490
OIL-HG-CORN-1800|禾谷仓|玉米胚芽油|物理压榨|食用油|1.8L/瓶|瓶|11,11,29|#e0a81f|#1f6b35|#1f6b35|panel|1120
DISH-QL-LEMON-1KG|清澜|柠檬洗洁精|去油不伤手|洗洁精|1kg/瓶|瓶|9.5,9.5,26|#e9d33a|#ffffff|#1b5f3a|full|1980
DISH-QL-TEA-1KG|清澜|绿茶洗洁精|去油不伤手|洗洁精|1kg/瓶|瓶|9.5,9.5,26|#7fbf4a|#ffffff|#1b5f3a|full|1640
WATER-BY-1500|北屿|饮用天然水|深层水源|饮用水|1.5L/瓶|瓶|9,9,31|#bcdcec|#1677b8|#0d4f86|panel|2900
RICE-HG-LONG-5KG|禾谷仓|长粒香米|当季新米|大米|5kg/袋|袋|30,10,42|#f3ead2|#2f7d3b|#1e5a29|panel|2410
RICE-HG-JASMINE-5KG|禾谷仓|茉莉香米|当季新米|大米|5kg/袋|袋|30,10,42|#f3ead2|#57803a|#1e5a29|panel|1370
CHIP-SW-PLAIN-100|拾味|原味薯片|薄切|膨化食品|100g/袋|袋|19,7,26|#f2c230|#c8281e|#9a1712|full|3320
CHIP-SW-MALA-100|拾味|麻辣薯片|薄切|膨化食品|100g/袋|袋|19,7,26|#d4301f|#f7d24a|#ffe9a8|full|2950
POWDER-QL-2KG|清澜|洗衣粉|低泡易漂|洗衣粉|2kg/袋|袋|24,9,34|#2a72c9|#ffd53d|#ffffff|full|1260
FLOUR-HG-2500|禾谷仓|中筋面粉|家用多能|面粉|2.5kg/袋|袋|24,9,34|#ffffff|#c23b2a|#c23b2a|panel|1050
COFFEE-SZ-DARK-454|山止|深烘咖啡豆|意式拼配|咖啡|454g/袋|袋|15,9,27|#2b2320|#c98a4b|#f3e3cf|full|640
COFFEE-SZ-MEDIUM-454|山止|中烘咖啡豆|意式拼配|咖啡|454g/袋|袋|15,9,27|#3b2c25|#c98a4b|#f3e3cf|full|580
""".strip().splitlines()

_PACKAGE_OF_UNIT: Final[dict[str, PackageType]] = {"箱": "carton", "瓶": "bottle", "袋": "bag"}
_FORM_OF_UNIT: Final[dict[str, Form]] = {"箱": "carton", "瓶": "bottle", "袋": "bag"}


@cache
def _catalog() -> tuple[SkuTruth, ...]:
    return tuple(_sku(number, row.split("|")) for number, row in enumerate(_ROWS))


def demo_catalog() -> list[SkuTruth]:
    """The SKUs that scenes show, in a fixed order."""
    return list(_catalog())


def _sku(number: int, row: list[str]) -> SkuTruth:
    code, brand, product, variant, category, spec, unit, size = row[:8]
    base, accent, ink, style, sales = row[8:]
    width, depth, height = (float(side) for side in size.split(","))
    # 690–699 is mainland China's range; the company part is made up.
    first_twelve = f"69{number % 10}{4170 + number // 7 * 31:04d}{20011 + number * 137:05d}"
    printed_size = spec if unit == "箱" else f"净含量 {spec.partition('/')[0]}"
    return SkuTruth(
        code=code,
        name=f"{brand}{product}",
        brand=brand,
        brand_latin=_BRANDS[brand],
        category=category,
        category_parent=CATEGORY_PARENTS[category],
        spec=spec,
        unit=unit,
        barcode=first_twelve + check_digit(first_twelve),
        pack_text=f"{brand} {_BRANDS[brand]} {product} {variant} {printed_size}",
        sales_volume=int(sales),
        package_type=_PACKAGE_OF_UNIT[unit],
        size_cm=(width, depth, height),
        base=base,
        accent=accent,
        ink=ink,
        style=style,  # type: ignore[arg-type]
        variant=variant,
        form=_FORM_OF_UNIT[unit],
    )
