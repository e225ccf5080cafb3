"""From a clean picture to a photo: light, vignette, blur, noise."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageFilter


@dataclass(frozen=True, slots=True)
class Look:
    """How a photo was taken. ``warmth`` runs from −1 (bluish) to 1 (yellowish), ``exposure`` is a
    gain, ``blur_px`` a Gaussian radius, ``noise`` a standard deviation of 0…255, ``quality`` JPEG's."""

    warmth: float
    exposure: float
    gradient: float
    gradient_deg: float
    vignette: float
    blur_px: float
    noise: float
    quality: int

    @property
    def sharp(self) -> bool:
        return self.blur_px < 0.75


def random_look(rng: random.Random) -> Look:
    """A look as warehouse cameras give it; about three in four are sharp."""
    return Look(
        warmth=rng.gauss(0, 0.4),
        exposure=rng.uniform(1.08, 1.38),
        gradient=rng.uniform(0.05, 0.32),
        gradient_deg=rng.uniform(0, 360),
        vignette=rng.uniform(0.08, 0.3),
        blur_px=rng.uniform(0.2, 0.45) if rng.random() < 0.76 else rng.uniform(0.8, 1.8),
        noise=rng.choice((1.5, 2.5, 3.5, 5.5)),
        quality=rng.randint(74, 93),
    )


@lru_cache(maxsize=8)
def _noise(sigma: float, size: tuple[int, int]) -> Image.Image:
    rng = np.random.default_rng(20240)
    shape = (size[1] + 97, size[0] + 131, 3)
    grains = rng.normal(0, 1, shape).astype(np.float32)
    # A sensor's grain is mostly in brightness.
    grains = 0.75 * grains.mean(axis=2, keepdims=True) * 1.7 + 0.45 * grains
    return Image.fromarray(np.clip(128 + grains * sigma, 0, 255).astype(np.uint8))


def develop(image: Image.Image, look: Look, rng: random.Random) -> Image.Image:
    """``image`` (RGB) as the camera of ``look`` would have it."""
    small = (24, 18)
    y, x = np.mgrid[-1 : 1 : small[1] * 1j, -1 : 1 : small[0] * 1j]
    angle = np.radians(look.gradient_deg)
    ramp = 1 - look.gradient * (0.5 + 0.5 * (x * np.cos(angle) + y * np.sin(angle)))
    field = ramp * (1 - look.vignette * (x**2 + y**2) / 2) * look.exposure
    tint = np.array([1 + 0.07 * look.warmth, 1.0, 1 - 0.1 * look.warmth])
    gains = field[:, :, None] * tint
    most = float(gains.max())
    dimmer = Image.fromarray((gains / most * 255).astype(np.uint8))
    image = ImageChops.multiply(image, dimmer.resize(image.size, Image.Resampling.BILINEAR))
    # Lights multiply by at most 1 in eight bits, so what is above comes after.
    image = image.point(lambda v: min(255, round(v * most)))
    # A box is a third of the work of a Gaussian, and below a pixel nobody can tell them apart.
    blur = ImageFilter.BoxBlur if look.sharp else ImageFilter.GaussianBlur
    image = image.filter(blur(look.blur_px))
    left, top = rng.randint(0, 130), rng.randint(0, 96)
    grain = _noise(look.noise, image.size).crop((left, top, left + image.width, top + image.height))
    return ImageChops.add(image, grain, 1, -128)
