"""Catalogs of invented SKUs: families of look-alikes by a grammar of brands, products and packs."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count as numbers
from typing import Final

from inference.captions import Spec, parse_spec

from .assortment import BRAND_HEADS, BRAND_TAILS, LINES, REAL_BRANDS, Form, Line
from .barcodes import check_digit
from .catalog import PackageType, SkuTruth, demo_catalog
from .design import Design, Palette, random_design, random_palette, tinted

UNITS: Final[dict[Form, tuple[str, PackageType]]] = {
    "carton": ("箱", "carton"),
    "box": ("盒", "carton"),
    "bottle": ("瓶", "bottle"),
    "bag": ("袋", "bag"),
    "can": ("罐", "can"),
    "cup": ("杯", "cup"),
    "tray": ("托", "tray"),
}
"""The unit in which a form is counted, and its package type."""

_FORM_WEIGHTS: Final[dict[Form, float]] = {
    "carton": 0.8,
    "box": 1.2,
    "bottle": 1.3,
    "bag": 1.0,
    "can": 1.8,
    "cup": 4.0,
    "tray": 2.5,
}
"""Categories that come in cups or trays are few; these weights make up for it."""

_INNER_COUNTS: Final = (4, 5, 6, 8, 10, 12, 15, 16, 18, 20, 24, 30)
_CODE_STYLES: Final = 8
_FAMILY_SIZES: Final = ((1, 2, 3, 4, 5), (30, 28, 22, 12, 8))


def invented_catalog(count: int, seed: int) -> list[SkuTruth]:
    """``count`` SKUs that exist nowhere, with distinct codes and barcodes, in families whose members
    differ by a word, a tint or a size. The same arguments give the same SKUs."""
    rng = random.Random(f"catalog/{seed}")
    brands = _brands(rng, max(12, min(420, count // 8)))
    taken = {sku.code for sku in demo_catalog()} | {sku.barcode for sku in demo_catalog()}
    skus: list[SkuTruth] = []
    for family in numbers():
        members = _family(random.Random(f"catalog/{seed}/{family}"), brands, family, taken)
        for sku in members:
            skus.append(sku)
            if len(skus) >= count:
                return skus
    raise AssertionError("numbers never end")


def _brands(rng: random.Random, count: int) -> list[tuple[str, str]]:
    """Distinct names with their reading."""
    pairs = [
        (head + tail, f"{reading}{rest}")
        for head, reading in BRAND_HEADS
        for tail, rest in BRAND_TAILS
        if head + tail not in REAL_BRANDS
    ]
    chosen = rng.sample(pairs, min(count, len(pairs)))
    third = [(tail, rest) for tail, rest in BRAND_TAILS]
    names = []
    for name, latin in chosen:
        if rng.random() < 0.22:
            tail, rest = rng.choice(third)
            name, latin = name + tail, latin + rest
        names.append((name, latin))
    return names


def _family(
    rng: random.Random, brands: list[tuple[str, str]], number: int, taken: set[str]
) -> Iterator[SkuTruth]:
    # The first families go once through all categories, so that small catalogs cover them.
    line = LINES[number] if number < len(LINES) else rng.choice(LINES)
    brand, latin = rng.choice(brands)
    form = rng.choices(line.forms, [_FORM_WEIGHTS[form] for form in line.forms])[0]
    noun, claim = rng.choice(line.nouns), rng.choice(line.claims)
    kraft = form == "carton" and rng.random() < 0.3
    palette = random_palette(rng, kraft=kraft)
    family = f"{brand}/{line.leaf}/{number}"
    design = random_design(rng, family, rng.choice(line.motifs), palette)
    size = rng.choices(*_FAMILY_SIZES)[0]
    flavours = rng.sample(line.flavours, min(size, len(line.flavours)))
    amount, packed = rng.choice(line.amounts), rng.choice(_INNER_COUNTS)
    aspect = rng.random()
    by_size = size > 1 and rng.random() < 0.25
    sizes = rng.sample(line.amounts, min(size, len(line.amounts)))
    coloured = rng.random() < 0.65
    wording = rng.randrange(7)
    for step in range(min(size, len(sizes) if by_size else len(flavours))):
        flavour = flavours[0] if by_size else flavours[step]
        amount = sizes[step] if by_size else amount
        colours = tinted(palette, rng, step) if coloured and step and not by_size else palette
        spec = _spec(wording, line, form, amount, packed)
        yield _sku(
            rng,
            taken,
            line=line,
            form=form,
            brand=brand,
            latin=latin,
            product=flavour + noun,
            claim=claim,
            spec=spec,
            colours=colours,
            kraft=kraft,
            design=replace(design, second=colours.second, cap=colours.cap),
            aspect=aspect,
        )


def _spec(wording: int, line: Line, form: Form, amount: str, packed: int) -> Spec:
    unit = UNITS[form][0]
    if form in ("carton", "tray"):
        raw = (
            f"{amount}×{packed}{line.inner}/{unit}",
            f"{amount}×{packed}{line.inner}/{unit}",
            f"{amount}×{packed}{line.inner}",
            f"{packed}{line.inner}×{amount}",
            f"{amount}*{packed}",
            f"{amount}×{max(2, packed // 4)}{line.inner}×4/{unit}",
            f"{amount}{line.inner}装×{packed}",
        )[wording]
    else:
        raw = (f"{amount}/{unit}", amount, f"{amount} {unit}装", f"{amount}/{unit}")[wording % 4]
    spec = parse_spec(raw)
    if not isinstance(spec, Spec):
        raise ValueError(f"the grammar made a spec that is none: {raw}")
    return spec


def _sku(
    rng: random.Random,
    taken: set[str],
    *,
    line: Line,
    form: Form,
    brand: str,
    latin: str,
    product: str,
    claim: str,
    spec: Spec,
    colours: Palette,
    kraft: bool,
    design: Design,
    aspect: float,
) -> SkuTruth:
    unit, package_type = UNITS[form]
    printed = spec.text if form in ("carton", "tray") else f"净含量 {spec.text.partition('/')[0]}"
    return SkuTruth(
        code=_unused(taken, lambda: _code(rng, line, latin)),
        name=brand + product,
        brand=brand,
        brand_latin=latin,
        category=line.leaf,
        category_parent=line.parent,
        spec=spec.text,
        unit=unit,
        barcode=_unused(taken, lambda: _barcode(rng, brand)),
        pack_text=f"{brand} {latin} {product} {claim} {printed}",
        sales_volume=int(min(99999, rng.lognormvariate(6.5, 1.1))),
        package_type=package_type,
        size_cm=_size_cm(form, spec, aspect),
        base=colours.base,
        accent=colours.accent,
        ink=colours.ink,
        style="kraft" if kraft else "full",
        variant=claim,
        form=form,
        design=design,
    )


def _unused(taken: set[str], draw: Callable[[], str]) -> str:
    while (value := draw()) in taken:
        pass
    taken.add(value)
    return value


def _barcode(rng: random.Random, brand: str) -> str:
    # 690–699 is mainland China's range; the company part is made up from the brand.
    company = random.Random(f"company/{brand}").randrange(10**5)
    twelve = f"69{rng.randrange(10)}{company:05d}{rng.randrange(10**4):04d}"
    return twelve + check_digit(twelve)


def _code(rng: random.Random, line: Line, latin: str) -> str:
    """A code in the style that its brand's supplier keeps to, of eight styles."""
    style = random.Random(f"code/{latin}").randrange(_CODE_STYLES)

    def digits(length: int) -> str:
        return "".join(rng.choices(string.digits, k=length))

    def letters(length: int) -> str:
        return "".join(rng.choices("ABCDEFGHJKLMNPRSTUVWXYZ", k=length))

    match style:
        case 0:
            return f"{line.prefix}-{latin[:2]}-{letters(3)}-{rng.choice((6, 12, 15, 24, 36, 48))}"
        case 1:
            return digits(6) if rng.random() < 0.5 else digits(8)
        case 2:
            return f"{letters(1)}{digits(2)}-{digits(4)}"
        case 3:
            return f"{latin[:2]}{digits(7)}"
        case 4:
            return f"WH.{digits(2)}.{digits(4)}"
        case 5:
            return f"SKU{digits(8)}"
        case 6:
            return f"{letters(1)}{digits(2)}-{letters(1)}{digits(1)}-{digits(3)}"
        case _:
            return f"{letters(4)}{digits(4)}"


def _size_cm(form: Form, spec: Spec, aspect: float) -> tuple[float, float, float]:
    """Width, depth, height as the amount suggests: a litre or kilogram fills a litre."""
    total = spec.total()
    amount = total[1] if total and total[0] in ("volume", "mass") else 600.0
    inner = min(max(amount, 60.0), 40000.0)

    def sides(volume: float, wide: float, deep: float, high: float) -> tuple[float, float, float]:
        scale = (volume / (wide * deep * high)) ** (1 / 3)
        return round(wide * scale, 1), round(deep * scale, 1), round(high * scale, 1)

    match form:
        case "carton":
            return sides(min(max(inner * 1.7, 9000.0), 42000.0), 1.5, 1.0, 0.75 + 0.5 * aspect)
        case "box":
            portrait = aspect < 0.45
            volume = min(max(inner * 2.2, 500.0), 6000.0)
            return sides(
                volume, 1.0 if portrait else 1.6, 0.5, 1.35 if portrait else 0.8 + 0.3 * aspect
            )
        case "bottle":
            high = 2.5 + 1.3 * aspect
            return sides(min(inner, 5000.0) * 1.35, 1.0, 1.0, high)
        case "bag":
            return sides(min(max(inner * 2.0, 500.0), 16000.0), 1.0, 0.36, 1.25 + 0.3 * aspect)
        case "can":
            return sides(min(max(inner, 150.0), 1600.0) * 1.3, 1.0, 1.0, 0.95 + 0.95 * aspect)
        case "cup":
            return sides(min(max(inner * 1.6, 150.0), 900.0), 1.0, 1.0, 0.85 + 0.45 * aspect)
        case "tray":
            return sides(min(max(inner * 1.4, 3000.0), 20000.0), 1.6, 1.0, 0.62 + 0.25 * aspect)
