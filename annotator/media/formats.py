"""The picture formats that are taken in. A leaf: decoder processes import it without Django."""

from __future__ import annotations

EXTENSIONS = {
    "JPEG": "jpg",
    "PNG": "png",
    "WEBP": "webp",
    "BMP": "bmp",
    "TIFF": "tif",
    "GIF": "gif",
}
"""Pillow's name of each format, and the extension of its files."""
