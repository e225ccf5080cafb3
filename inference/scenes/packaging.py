"""What is printed on invented packs: the ground with bands and a motif, under a layout's words."""

from __future__ import annotations

import random

from PIL import Image, ImageDraw

from .catalog import SkuTruth
from .design import Design
from .fonts import font
from .layouts import compose, ink_on, print_line
from .motifs import draw_motif
from .printing import (
    Rgb,
    barcode_symbol,
    draw_handling_marks,
    mix,
    paper,
    readable_on,
    rgb,
    wear_edges,
)
from .prints import Inker, Print


def block_face(sku: SkuTruth, design: Design, size: tuple[int, int], face: str) -> Print:
    """The front, side or top of a shipping carton or a retail box."""
    if face == "top":
        return _block_top(sku, design, size)
    inker = Inker(ground(sku, design, size))
    area = (0.0, 0.0, float(size[0]), float(size[1]))
    if face == "front":
        compose(inker, sku, design, area)
    else:
        compose(inker, sku, design, area, without=("barcode", "variant"))
        if sku.form == "carton":
            short = min(size)
            ink = ink_on(
                inker.image, (0.06 * size[0], 0.55 * size[1], short * 0.6, short * 0.17), sku
            )
            place = (size[0] * 0.9 - short * 0.56, size[1] * 0.92 - short * 0.15)
            draw_handling_marks(inker.draw, *place, short * 0.15, ink)
    wear_edges(inker.image)
    return inker.print()


def _block_top(sku: SkuTruth, design: Design, size: tuple[int, int]) -> Print:
    width, height = size
    base = mix(rgb(sku.base), (255, 255, 255), 0.05)
    inker = Inker(paper(size, base, 14, "top"))
    product = sku.name.removeprefix(sku.brand)
    ink = readable_on(base)
    if sku.form == "box":
        draw_motif(
            inker.image,
            design.motif,
            design.motif_seed,
            rgb(sku.accent),
            rgb(design.second),
            (width * 0.6, 0, width, height),
        )
        print_line(
            inker,
            "name",
            sku.name,
            (width * 0.05, height * 0.2, width * 0.6, height * 0.5),
            "l",
            ink,
            design.name_type,
        )
        wear_edges(inker.image)
        return inker.print()
    print_line(
        inker,
        "name",
        f"{sku.brand} {product}",
        (width * 0.08, height * 0.12, width * 0.84, height * 0.22),
        "c",
        ink,
        design.name_type,
    )
    print_line(
        inker,
        "spec",
        sku.spec,
        (width * 0.2, height * 0.72, width * 0.6, height * 0.14),
        "c",
        ink,
        design.text_type,
    )
    # The flaps meet in the middle, under a strip of tape.
    inker.draw.line((0, height / 2, width, height / 2), fill=mix(base, (0, 0, 0), 0.55), width=2)
    tape = Image.new("RGB", (width, max(3, round(height * 0.15))), (205, 180, 134))
    inker.image.paste(tape, (0, round(height * 0.425)), Image.new("L", tape.size, 130))
    wear_edges(inker.image)
    return inker.print()


def bag_face(sku: SkuTruth, design: Design, size: tuple[int, int]) -> Print:
    """The front of a bag."""
    inker = Inker(ground(sku, design, size))
    width, height = size
    # Print keeps clear of the seals.
    compose(inker, sku, design, (width * 0.06, height * 0.07, width * 0.88, height * 0.86))
    return inker.print()


def wrap(sku: SkuTruth, design: Design, size: tuple[int, int]) -> Print:
    """The label around a bottle, can or cup, unrolled; its front is in the middle."""
    width, height = size
    inker = Inker(ground(sku, design, size, motif_in=(0.34, 0.66)))
    panel = (width * 0.375, 0.0, width * 0.25, float(height))
    without = ("barcode",) if design.upright_barcode else ()
    compose(inker, sku, design, panel, without=without)
    if design.upright_barcode:  # bars run around the axis, ladder-wise, as curved packs need
        code = barcode_symbol(sku, round(height * 0.7), round(width * 0.075)).rotate(
            90, expand=True
        )
        place = (round(width * 0.635), round(height * 0.15))
        inker.image.paste(code, place)
        inker.note("barcode", (*place, place[0] + code.width, place[1] + code.height))
    ink = ink_on(inker.image, (width * 0.1, height * 0.2, width * 0.2, height * 0.5), sku)
    face = font(max(6, round(height * 0.042)), "sans")
    for row in range(8):
        text = "配料表 贮存条件 生产日期 "[row % 3 :][:9]
        for left in (0.2, 0.68):
            y = height * (0.16 + 0.08 * row)
            inker.draw.text((width * left, y), text, font=face, fill=ink)
    return inker.print()


def tray_face(sku: SkuTruth, design: Design, size: tuple[int, int], face: str) -> Print:
    """The front or side of a tray: packs over a printed wall; or its top: lids under film."""
    if face == "top":
        return _lids(sku, design, size)
    width, height = size
    rng = random.Random(f"tray/{design.motif_seed}")
    base = rgb(sku.base)
    image = Image.new("RGB", size, mix(base, (16, 16, 18), 0.72))
    draw = ImageDraw.Draw(image)
    packs = rng.randint(4, 7)
    step = width / packs
    shade = Image.linear_gradient("L").rotate(90).resize((max(2, round(step * 0.94)), height))
    column = shade.point(lambda v: 255 - abs(v - 96))
    for k in range(packs):
        body = Image.composite(
            Image.new("RGB", column.size, mix(base, (255, 255, 255), 0.25)),
            Image.new("RGB", column.size, mix(base, (0, 0, 0), 0.55)),
            column,
        )
        image.paste(body, (round(k * step + step * 0.03), round(height * 0.05)))
        draw.rectangle(
            (k * step + step * 0.03, height * 0.05, (k + 1) * step - step * 0.03, height * 0.11),
            fill=rgb(design.cap),
        )
    wall = (width, round(height * rng.uniform(0.6, 0.72)))
    card = Inker(ground(sku, design, wall))
    without = () if face == "front" else ("barcode", "variant")
    compose(card, sku, design, (0.0, 0.0, float(wall[0]), float(wall[1])), without=without)
    top = height - wall[1]
    image.paste(card.image, (0, top))
    draw.line((0, top, width, top), fill=(60, 48, 38), width=2)
    done = card.print()
    words = {
        group: (x0, (top + y0 * wall[1]) / height, x1, (top + y1 * wall[1]) / height)
        for group, (x0, y0, x1, y1) in done.words.items()
    }
    _film(image, rng)
    _frame(image, mix(base, (255, 255, 255), 0.35))
    return Print(image, words)


def _lids(sku: SkuTruth, design: Design, size: tuple[int, int]) -> Print:
    rng = random.Random(f"tray/{design.motif_seed}")
    width, height = size
    columns = rng.randint(4, 7)
    rows = max(2, round(columns * height / width))
    image = Image.new("RGB", size, mix(rgb(sku.base), (14, 14, 16), 0.75))
    draw = ImageDraw.Draw(image)
    lid, rim = rgb(design.cap), mix(rgb(design.cap), (0, 0, 0), 0.35)
    r = min(width / columns, height / rows) * 0.46
    for i in range(columns):
        for j in range(rows):
            x, y = (i + 0.5) * width / columns, (j + 0.5) * height / rows
            draw.ellipse((x - r, y - r, x + r, y + r), fill=rim)
            draw.ellipse((x - r * 0.84, y - r * 0.9, x + r * 0.84, y + r * 0.78), fill=lid)
            draw.arc(
                (x - r * 0.6, y - r * 0.6, x + r * 0.6, y + r * 0.6),
                190,
                280,
                fill=mix(lid, (255, 255, 255), 0.6),
                width=max(1, int(r / 6)),
            )
    _film(image, rng)
    _frame(image, mix(rgb(sku.base), (255, 255, 255), 0.35))
    return Print(image, {})


def _frame(image: Image.Image, colour: Rgb) -> None:
    """The card edge of a tray, by which neighbours are told apart."""
    width, height = image.size
    line = max(2, round(min(width, height) * 0.045))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width - 1, height - 1), outline=colour, width=line)
    draw.rectangle((0, 0, width - 1, height - 1), outline=(30, 24, 20), width=max(1, line // 3))


def _film(image: Image.Image, rng: random.Random) -> None:
    """Streaks of glare on shrink film."""
    width, height = image.size
    glare = Image.new("L", image.size, 0)
    draw = ImageDraw.Draw(glare)
    for _ in range(5):
        x, lean = rng.uniform(-0.1, 1) * width, rng.uniform(-0.3, 0.3) * width
        w = width * rng.uniform(0.01, 0.05)
        draw.polygon(
            [(x, 0), (x + w, 0), (x + w + lean, height), (x + lean, height)],
            fill=rng.randint(18, 46),
        )
    image.paste((255, 255, 255), (0, 0), glare)


def ground(
    sku: SkuTruth, design: Design, size: tuple[int, int], motif_in: tuple[float, float] = (0.0, 1.0)
) -> Image.Image:
    """Card in the pack's colours with bands and a motif, without words."""
    width, height = size
    base, accent, second = rgb(sku.base), rgb(sku.accent), rgb(design.second)
    kraft = sku.style == "kraft"
    image = paper(size, base, 22 if kraft else 6, f"{design.motif_seed % 5}")
    if not kraft and design.ground == "fade":
        ramp = Image.linear_gradient("L").resize(size).point(lambda v: v // 2)
        image.paste(mix(base, second, 0.6), (0, 0), ramp)
    draw = ImageDraw.Draw(image)
    if not kraft and design.ground == "halves":
        draw.rectangle((0, height * 0.56, width, height), fill=mix(base, second, 0.45))
    elif not kraft and design.ground == "rays":
        tone = mix(base, (255, 255, 255), 0.12)
        x, y = width * 0.5, height * 0.55
        for k in range(0, 360, 24):
            draw.pieslice((x - width, y - width, x + width, y + width), k, k + 12, fill=tone)
    elif not kraft and design.ground == "dots":
        step = max(6, width // 24)
        for i in range(0, width, step):
            for j in range(0, height, step):
                draw.ellipse((i, j, i + step * 0.3, j + step * 0.3), fill=mix(base, second, 0.35))
    soft = 0.35 if kraft else 0.3
    left, right = motif_in[0] * width, motif_in[1] * width
    low = design.motif_seed % 3
    area = (left, height * (0.3, 0.45, 0.1)[low], right, height * 0.98)
    draw_motif(
        image,
        design.motif,
        design.motif_seed,
        mix(base, accent, 1 - soft),
        mix(base, second, 1 - soft),
        area,
    )
    _bands(draw, design, size, accent, second)
    return image


def _bands(
    draw: ImageDraw.ImageDraw, design: Design, size: tuple[int, int], accent: Rgb, second: Rgb
) -> None:
    width, height = size
    match design.band:
        case "top":
            draw.rectangle((0, 0, width, height * 0.22), fill=accent)
        case "bottom":
            draw.rectangle((0, height * 0.7, width, height), fill=accent)
        case "both":
            draw.rectangle((0, 0, width, height * 0.07), fill=accent)
            draw.rectangle((0, height * 0.92, width, height), fill=accent)
        case "side":
            draw.rectangle((0, 0, width * 0.035, height), fill=accent)
            draw.rectangle((width * 0.965, 0, width, height), fill=second)
        case "diagonal":
            draw.polygon([(0, 0), (width * 0.55, 0), (0, height * 0.4)], fill=accent)
            draw.polygon(
                [(width, height), (width * 0.6, height), (width, height * 0.6)], fill=second
            )
        case "wave":
            draw.pieslice(
                (-width * 0.3, -height * 0.32, width * 1.1, height * 0.26), 0, 180, fill=accent
            )
        case "frame":
            line = max(2, round(min(size) * 0.018))
            gap = min(size) * 0.03
            draw.rectangle((gap, gap, width - gap, height - gap), outline=accent, width=line)
        case "split":
            draw.rectangle((0, 0, width * 0.5, height * 0.2), fill=accent)
            draw.rectangle((width * 0.5, 0, width, height * 0.2), fill=second)
        case "stripe":
            draw.rectangle((0, height * 0.6, width, height * 0.64), fill=accent)
            draw.rectangle((0, height * 0.65, width, height * 0.67), fill=second)
