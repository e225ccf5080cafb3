"""What lies behind and under the goods: racks, other stock, floors. All of it blurred by distance."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .artwork import carton_face
from .camera import Camera
from .catalog import demo_catalog
from .printing import mix

Support = Literal["shelf", "pallet", "floor"]
PLATES: Final = 6
FLOOR_CM: Final = 640


@lru_cache(maxsize=PLATES)
def rack_plate(number: int) -> Image.Image:
    """A wide blurred view of racks with stock, 1300×900 (mode RGB)."""
    rng = random.Random(f"plate/{number}")
    width, height = 1300, 900
    wall = rng.choice([(58, 62, 68), (88, 90, 92), (70, 66, 60), (104, 106, 104)])
    image = Image.new("RGB", (width, height), wall)
    draw = ImageDraw.Draw(image)
    beam = rng.choice([(206, 104, 32), (38, 84, 150), (192, 160, 40)])
    post = rng.choice([(52, 78, 118), (70, 74, 80), (120, 122, 124)])
    cartons = [sku for sku in demo_catalog() if sku.package_type == "carton"]
    level = rng.randint(230, 330)
    y = rng.randint(60, 180)
    while y < height + level:
        x = -rng.randint(0, 120)
        while x < width:
            w, h = rng.randint(90, 190), rng.randint(int(level * 0.35), int(level * 0.72))
            if rng.random() < 0.84:
                tone = rng.uniform(0.4, 0.8)
                if rng.random() < 0.6:
                    pack = carton_face(rng.choice(cartons), rng.choice(["front", "side"])).resize(
                        (w, h)
                    )
                else:
                    pack = Image.new(
                        "RGB", (w, h), rng.choice([(168, 132, 92), (150, 118, 84), (190, 160, 122)])
                    )
                image.paste(pack.point(lambda v, t=tone: int(v * t)), (x, y - h))
                draw.line((x + w, y - h, x + w, y), fill=(20, 18, 16), width=3)
            x += w + rng.choice([3, 5, 8, 40])
        draw.rectangle((0, y, width, y + 26), fill=beam)
        draw.rectangle((0, y + 26, width, y + 60), fill=(24, 24, 26))
        y += level
    for x in range(rng.randint(40, 200), width, rng.randint(460, 620)):
        draw.rectangle((x, 0, x + 30, height), fill=post)
        draw.rectangle((x + 22, 0, x + 30, height), fill=mix(post, (0, 0, 0), 0.4))
    small = image.resize((width // 4, height // 4), Image.Resampling.BOX)
    soft = small.filter(ImageFilter.GaussianBlur(rng.uniform(2.2, 3.6)))
    return soft.resize((width, height), Image.Resampling.BICUBIC).point(lambda v: int(v * 0.82))


@lru_cache(maxsize=8)
def floor_texture(kind: Support, number: int) -> Image.Image:
    """The ground as seen from straight above, 1024×1024 for 640 cm (mode RGB)."""
    rng = random.Random(f"floor/{kind}/{number}")
    size = 1024
    coarse = Image.frombytes("L", (40, 40), rng.randbytes(1600)).resize(
        (size, size), Image.Resampling.BICUBIC
    )
    fine = Image.frombytes("L", (256, 256), rng.randbytes(65536)).resize(
        (size, size), Image.Resampling.BILINEAR
    )
    tone = ImageChops.blend(coarse, fine, 0.35).filter(ImageFilter.GaussianBlur(0.7))
    colour = {
        "shelf": [(112, 116, 122), (138, 140, 142)],
        "pallet": [(126, 124, 118), (110, 116, 110)],
        "floor": [(132, 130, 124), (92, 112, 104)],
    }[kind][number % 2]
    span = 70 if kind != "shelf" else 26
    shade = tone.point(lambda v: 255 - span + v * span // 255)
    image = ImageChops.multiply(
        Image.new("RGB", (size, size), colour), Image.merge("RGB", [shade] * 3)
    )
    draw = ImageDraw.Draw(image)
    if kind == "shelf":
        for k in range(0, size, 16):
            draw.line((k, 0, k, size), fill=mix(colour, (0, 0, 0), 0.22), width=2)
    else:
        for k in (200, 620):
            draw.line((0, k, size, k), fill=mix(colour, (0, 0, 0), 0.35), width=2)
        if number % 3:
            draw.rectangle((0, 700, size, 712), fill=(196, 166, 48))
        for _ in range(26):
            x, y = rng.randint(0, size), rng.randint(0, size)
            draw.line(
                (x, y, x + rng.randint(-90, 90), y + rng.randint(-30, 30)),
                fill=mix(colour, (0, 0, 0), 0.2),
                width=1,
            )
    return image


def paint_ground(
    canvas: Image.Image, camera: Camera, kind: Support, number: int, far_cm: float, z_cm: float
) -> None:
    """Lay the floor at height ``z_cm`` over ``canvas``, up to ``far_cm`` behind the goods, where the
    racks begin."""
    width, height = canvas.size[0] // 2, canvas.size[1] // 2
    texture = floor_texture(kind, number)
    scale = texture.width / FLOOR_CM
    to_texture = np.array(
        [[scale, 0, texture.width / 2], [0, -scale, texture.height / 2 + 100], [0, 0, 1]]
    )
    half = np.diag([0.5, 0.5, 1])
    back = to_texture @ np.linalg.inv(half @ camera.ground_homography(z_cm))
    back /= back[2, 2]
    ground = texture.transform(
        (width, height),
        Image.Transform.PERSPECTIVE,
        [float(value) for value in back.reshape(9)[:8]],
        Image.Resampling.BILINEAR,
        fillcolor=(96, 96, 94),
    )
    ground = ground.resize(canvas.size, Image.Resampling.BILINEAR)
    horizon = camera.rotation[2, 2] > -0.75  # looking down steeply there is no horizon in sight
    if not horizon:
        canvas.paste(ground)
        return
    edge = camera.project(np.array([[0.0, far_cm, z_cm]]))[0, 1]
    rows = np.arange(canvas.height)[:, None]
    fade = Image.fromarray((np.clip((rows - edge) / 14, 0, 1) * 255).astype(np.uint8))
    canvas.paste(ground, (0, 0), fade.resize(canvas.size, Image.Resampling.NEAREST))
