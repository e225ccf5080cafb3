"""Putting flat pictures onto faces in space."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops

from .camera import Array, Camera, perspective_coefficients


def paste_face(
    canvas: Image.Image, texture: Image.Image, quad: Array, gain: float = 1.0, fall: float = 0.0
) -> None:
    """Draw ``texture`` (RGB) onto ``canvas`` so that its corners, clockwise from top left, land on
    ``quad`` [4, 2] in pixels. It is lit by ``gain``, darker by ``fall`` (0…1) towards its lower
    edge. Edges are smooth."""
    low = np.maximum(np.floor(quad.min(axis=0) - 1), 0).astype(int)
    high = np.minimum(np.ceil(quad.max(axis=0) + 1), canvas.size).astype(int)
    if (high <= low).any():
        return
    lengths = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    width = min(texture.width, max(4, round(float(max(lengths[0], lengths[2])))))
    height = min(texture.height, max(4, round(float(max(lengths[1], lengths[3])))))
    if (width, height) != texture.size:
        texture = texture.resize((width, height), Image.Resampling.HAMMING)
    texture = _shaded(texture, gain, fall)
    # A clear rim around the texture, in its own colours, lets the resampling smooth the edges.
    framed = Image.new("RGBA", (width + 2, height + 2))
    for corner in ((0, 0), (2, 0), (0, 2), (2, 2), (1, 1)):
        framed.paste(texture, corner)
    alpha = Image.new("L", framed.size, 0)
    alpha.paste(255, (1, 1, width + 1, height + 1))
    framed.putalpha(alpha)
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


def _shaded(texture: Image.Image, gain: float, fall: float) -> Image.Image:
    """``texture`` times ``gain``, which may be a little over 1, falling off downwards."""
    most = max(gain, 1.0)
    steps = np.linspace(gain, gain * (1 - fall), texture.height)[:, None] / most
    column = Image.fromarray((steps * 255).astype(np.uint8), "L")
    shade = column.resize(texture.size, Image.Resampling.NEAREST)
    lit = ImageChops.multiply(texture, Image.merge("RGB", [shade] * 3))
    return lit if most == 1.0 else lit.point(lambda v: min(255, round(v * most)))


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


def block_corners(
    centre: tuple[float, float, float], size: tuple[float, float, float], yaw_deg: float
) -> Array:
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
