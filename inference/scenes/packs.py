"""The print of any pack, demo or invented, by the surface it is on."""

from __future__ import annotations

from functools import lru_cache

from . import artwork, packaging
from .catalog import SkuTruth
from .labels import with_label
from .prints import Print

FACE_PX = 880
"""Width of a block's printed front at full detail; depth and height follow in scale."""

_WHOLE = (0.0, 0.0, 1.0, 1.0)


@lru_cache(maxsize=96)
def block_print(sku: SkuTruth, face: artwork.Face, labelled: bool, detail: float) -> Print:
    """A face of a carton, box or tray. ``detail`` (0…1) scales its pixels."""
    if sku.design is None:
        pack = artwork.carton_print(sku, face)
    else:
        wide, deep, high = sku.size_cm
        scale = FACE_PX * detail / wide
        across, down = (wide, deep) if face == "top" else (wide if face == "front" else deep, high)
        size = (max(24, round(across * scale)), max(16, round(down * scale)))
        draw = packaging.tray_face if sku.form == "tray" else packaging.block_face
        pack = draw(sku, sku.design, size, face)
    if not labelled or face == "top":
        return pack
    low = (0.0, 0.3, 1.0, 1.0) if sku.form == "tray" else _WHOLE
    return with_label(pack, sku, (0.56, 0.34 if sku.form != "tray" else 0.5), low)


@lru_cache(maxsize=48)
def wrap_print(sku: SkuTruth, labelled: bool, detail: float) -> Print:
    """The label around a bottle, can or cup, unrolled."""
    if sku.design is None:
        pack = artwork.bottle_print(sku)
    else:
        pack = packaging.wrap(sku, sku.design, (round(1500 * detail), round(760 * detail)))
    return with_label(pack, sku, (0.9, 0.22), (0.37, 0.02, 0.63, 0.98)) if labelled else pack


@lru_cache(maxsize=48)
def bag_print(sku: SkuTruth, labelled: bool, detail: float) -> Print:
    """The front of a bag."""
    if sku.design is None:
        pack = artwork.bag_print(sku)
    else:
        width = round(620 * detail)
        height = round(width * sku.size_cm[2] / sku.size_cm[0])
        pack = packaging.bag_face(sku, sku.design, (width, height))
    return with_label(pack, sku, (0.62, 0.2), (0.06, 0.09, 0.94, 0.91)) if labelled else pack
