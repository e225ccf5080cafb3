"""Pure picture work: verify, turn upright, derive, hash, measure. No database, no storage, no
Django: it runs in decoder processes (:mod:`annotator.media.decoder`)."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass

import imagehash
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .formats import EXTENSIONS

DISPLAY_PX = 1600
THUMB_PX = 320
MIN_SIDE_PX = 32
TURNED = (5, 6, 7, 8)
"""EXIF orientations that lay a picture on its side."""
NEAR_DISTANCE = 4
"""Perceptual hashes that differ in at most this many of 64 bits are near-duplicates. Up to 3, four
16-bit bands are certain to share one (pigeonhole); at 4 nearly always."""


class BadPicture(Exception):
    """A file that is not a usable picture: a stable ``code`` and its parameters."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass(frozen=True, slots=True)
class Picture:
    """A verified picture and what was derived from it. Sizes are of the upright picture, pixels."""

    sha256: str
    format: str
    width: int
    height: int
    size: int
    phash: str
    sharpness: float
    exposure: float
    display: bytes
    thumb: bytes


FACTS = ("format", "width", "height", "phash", "sharpness", "exposure")
"""What a decoder process says of a picture; the rest its asker knows."""


def check_size(size: int, *, max_bytes: int) -> None:
    """Whether a file of ``size`` bytes is worth reading. Raises :class:`BadPicture`."""
    if not size:
        raise BadPicture("empty_file")
    if size > max_bytes:
        raise BadPicture("file_too_large", size_mb=size >> 20, limit_mb=max_bytes >> 20)


def verify(data: bytes, *, max_pixels: int) -> Picture:
    """Decode ``data`` wholly and derive what is served of it. Raises :class:`BadPicture`."""
    upright, format_name, (width, height) = _decode(data, max_pixels=max_pixels)
    display = _shrunk(upright, DISPLAY_PX)
    thumb = _shrunk(display, THUMB_PX)
    grey = np.asarray(thumb.convert("L"), dtype=np.float32)
    display_webp = _webp(display, quality=85)
    # A picture hardly larger than its thumbnail is shown as it is: encoding costs most of the time.
    is_small = max(display.size) <= THUMB_PX * 1.5
    return Picture(
        sha256=hashlib.sha256(data).hexdigest(),
        format=format_name,
        width=width,
        height=height,
        size=len(data),
        phash=str(imagehash.phash(thumb)),
        sharpness=round(_sharpness(grey), 2),
        exposure=round(float(grey.mean()) / 255, 4),
        display=display_webp,
        thumb=display_webp if is_small else _webp(thumb, quality=78),
    )


def warm_up() -> None:
    """Load what the libraries load at their first picture."""
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "JPEG")
    verify(out.getvalue(), max_pixels=1 << 20)


def _decode(data: bytes, *, max_pixels: int) -> tuple[Image.Image, str, tuple[int, int]]:
    """The upright picture, perhaps smaller than it is but not than what is derived of it; its
    format; its true upright size."""
    try:
        with warnings.catch_warnings():
            # Pillow only warns of a decompression bomb.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=list(EXTENSIONS)) as image:
                format_name = image.format or ""
                width, height = image.size
                if width * height > max_pixels:
                    raise BadPicture(
                        "picture_too_large",
                        width=width,
                        height=height,
                        limit=max_pixels // 1_000_000,
                    )
                if min(width, height) < MIN_SIDE_PX:
                    raise BadPicture("picture_too_small", width=width, height=height)
                # JPEG's own halving: every byte is still read and decoded, only the last step, the
                # inverse transform, is made at half the size (or a quarter, an eighth).
                image.draft(None, _fit(image.size, DISPLAY_PX))
                image.load()
                size = (height, width) if image.getexif().get(0x0112) in TURNED else (width, height)
                upright = ImageOps.exif_transpose(image)
                return _on_white(upright), format_name, size
    except (BadPicture, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise BadPicture("not_a_picture") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadPicture(
            "picture_too_large", width="?", height="?", limit=max_pixels // 1_000_000
        ) from error
    except Exception as error:  # Pillow's decoders raise nearly anything on hostile bytes.
        raise BadPicture("corrupt_picture", detail=str(error)[:120]) from error


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        flat = Image.new("RGB", rgba.size, "white")
        flat.paste(rgba, mask=rgba.getchannel("A"))
        return flat
    return image.convert("RGB")


def _fit(size: tuple[int, int], side_px: int) -> tuple[int, int]:
    """``size`` scaled down so that its longer side has ``side_px``."""
    scale = min(1.0, side_px / max(size))
    return (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))


def _shrunk(image: Image.Image, side_px: int) -> Image.Image:
    if max(image.size) <= side_px:
        return image
    return image.resize(_fit(image.size, side_px), Image.Resampling.BICUBIC, reducing_gap=2.0)


def _webp(image: Image.Image, *, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "WEBP", quality=quality, method=2)
    return out.getvalue()


def _sharpness(grey: np.ndarray) -> float:
    """Variance of the 4-neighbour Laplacian of [H, W] luminance (Pech-Pacheco et al., 2000)."""
    laplacian = (
        grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    )
    return float(laplacian.var())


def bands(phash: str) -> tuple[int, int, int, int]:
    """The four 16-bit bands of a 64-bit hash in hex."""
    value = int(phash, 16)
    return (value >> 48 & 0xFFFF, value >> 32 & 0xFFFF, value >> 16 & 0xFFFF, value & 0xFFFF)


def distance(a: str, b: str) -> int:
    """The number of differing bits of two hashes in hex."""
    return (int(a, 16) ^ int(b, 16)).bit_count()
