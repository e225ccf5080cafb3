from __future__ import annotations

import io
import struct
import zlib

import pytest
from conftest import encode
from PIL import Image

from inference.pictures import PictureError, decode


def png_header(width: int, height: int) -> bytes:
    """A tiny PNG that claims to be huge."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", 0)
        + b"IDAT"
        + struct.pack(">I", zlib.crc32(b"IDAT"))
    )


def test_turns_upright() -> None:
    picture = Image.new("RGB", (40, 20), "white")
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    assert decode(out.getvalue()).size == (20, 40)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "I;16"])
def test_any_mode_becomes_rgb(mode: str) -> None:
    picture = Image.new(mode, (16, 16))
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert decode(encode(picture, kind)).mode == "RGB"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "unreadable"),
        (b"not a picture", "unreadable"),
        (encode(Image.effect_noise((200, 200), 90))[:3000], "unreadable"),
        (png_header(30_000, 30_000), "too_large"),
        (png_header(9_000, 9_000), "too_large"),
    ],
)
def test_refuses_with_a_reason(data: bytes, code: str) -> None:
    with pytest.raises(PictureError) as caught:
        decode(data)
    assert caught.value.failure.code == code
    assert caught.value.failure.detail
