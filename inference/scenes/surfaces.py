"""Putting flat pictures onto faces in space."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops

from .camera import Array, Camera, perspective_coefficients


def shaded(texture: Image.Image, gain: float, fall: float) -> Image.Image:
    """``texture`` (RGB) times ``gain``, darker by ``fall`` (0…1) towards its lower edge."""
    steps = np.linspace(gain, gain * (1 - fall), 32)[:, None]
    column = Image.fromarray(np.clip(steps * 255, 0, 255).astype(np.uint8), "L")
    shade = column.resize(texture.size, Image.Resampling.BILINEAR)
    return ImageChops.multiply(texture, Image.merge("RGB", [shade] * 3))


def paste_face(canvas: Image.Image, texture: Image.Image, quad: Array) -> None:
    """Draw ``texture`` (RGB) onto ``canvas`` so that its corners, clockwise from top left, land on
    ``quad`` [4, 2] in pixels. Edges are smooth."""
    lengths = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    width = max(4, round(float(max(lengths[0], lengths[2]))))
    height = max(4, round(float(max(lengths[1], lengths[3]))))
    if width < texture.width or height < texture.height:
        small = (min(width, texture.width), min(height, texture.height))
        texture = texture.resize(small, Image.Resampling.LANCZOS, reducing_gap=2.0)
    width, height = texture.size
    # One clear pixel around the texture lets the resampling smooth the face's edges.
    framed = Image.new("RGBA", (width + 2, height + 2), (*texture.getpixel((0, height // 2)), 0))  # type: ignore[misc]
    framed.paste(texture.resize((width + 2, height + 2), Image.Resampling.NEAREST), (0, 0))
    alpha = Image.new("L", (width + 2, height + 2), 0)
    alpha.paste(255, (1, 1, width + 1, height + 1))
    framed.paste(texture, (1, 1))
    framed.putalpha(alpha)
    low = np.floor(quad.min(axis=0) - 1).astype(int)
    high = np.ceil(quad.max(axis=0) + 1).astype(int)
    low = np.maximum(low, 0)
    high = np.minimum(high, canvas.size)
    if (high <= low).any():
        return
    source = np.array(
        [[1, 1], [width + 1, 1], [width + 1, height + 1], [1, height + 1]], dtype=float
    )
    try:
        coefficients = perspective_coefficients(quad - low, source)
    except np.linalg.LinAlgError:  # seen edge on
        return
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    patch = framed.transform(
        size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC
    )
    canvas.paste(patch, (int(low[0]), int(low[1])), patch)


def faces_camera(quad: Array) -> bool:
    """Whether a clockwise quad in pixels shows its front."""
    x, y = quad[:, 0], quad[:, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) > 1.0


CORNERS = ("fbl", "fbr", "bbr", "bbl", "ftl", "ftr", "btr", "btl")
"""Corners of a block: front or back, bottom or top, left or right."""

FACES = {
    "back": ("btr", "btl", "bbl", "bbr"),
    "left": ("btl", "ftl", "fbl", "bbl"),
    "right": ("ftr", "btr", "bbr", "fbr"),
    "top": ("btl", "btr", "ftr", "ftl"),
    "front": ("ftl", "ftr", "fbr", "fbl"),
}
"""Corners of each face, clockwise from its top left as seen from outside."""


def block_corners(centre: tuple[float, float, float], size: tuple[float, float, float], yaw_deg: float) -> Array:
    """The corners [8, 3] of a block that stands with the middle of its bottom at ``centre``."""
    w, d, h = size
    flat = np.array([[-w, -d], [w, -d], [w, d], [-w, d]]) / 2
    yaw = np.radians(yaw_deg)
    turn = np.array([[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]])
    flat = flat @ turn.T + np.array(centre[:2])
    bottom = np.column_stack([flat, np.full(4, centre[2])])
    return np.concatenate([bottom, bottom + [0, 0, h]])


def face_quads(corners: Array, camera: Camera) -> dict[str, Array]:
    """The faces of a block that the camera sees, as quads in pixels."""
    pixels = dict(zip(CORNERS, camera.project(corners), strict=True))
    quads = {name: np.array([pixels[corner] for corner in names]) for name, names in FACES.items()}
    return {name: quad for name, quad in quads.items() if faces_camera(quad)}
