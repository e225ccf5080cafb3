"""Decode uploaded bytes into an upright RGB picture, within limits."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

from inference.contracts import Failure

DEFAULT_MAX_PIXELS = 50_000_000


class PictureError(Exception):
    """The bytes are not a picture that can be described."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


def decode(data: bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Image.Image:
    """Decode ``data`` to RGB, turned upright by its EXIF orientation.

    The pixel count is checked on the header, before any pixel is decoded, and Pillow's own
    decompression-bomb warning counts as an error. Raises :class:`PictureError`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as opened:
                pixels = opened.width * opened.height
                if pixels > max_pixels:
                    detail = f"{opened.width}×{opened.height} pixels; at most {max_pixels} allowed"
                    raise PictureError(Failure("too_large", detail))
                return ImageOps.exif_transpose(opened).convert("RGB")
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise PictureError(Failure("too_large", str(error))) from error
    except UnidentifiedImageError as error:
        raise PictureError(Failure("unreadable", "not a picture in a known format")) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        # Pillow's decoders raise any of these on damaged files
        raise PictureError(Failure("unreadable", f"damaged picture: {error}")) from error
