"""Local features: tell two packs apart that a global embedding confuses.

A pack's print is nearly planar, so a photo of it is the reference picture moved, turned, scaled and
slightly sheared. RootSIFT descriptors (Lowe 2004; Arandjelović and Zisserman 2012) are matched by
the ratio test, and matches are counted that agree on one such motion. SIFT is grey, so each point
also carries the chroma around it, and matches whose tint differs count less.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Float32Array = NDArray[np.float32]
IntArray = NDArray[np.intp]

EXTRACTOR_NAME = "rootsift-400"
MAX_POINTS = 400
_SIDE_PX = 400
_CONTRAST = 0.02
_DESCRIPTOR_TOP = 0.45
"""RootSIFT components seldom exceed this; they are kept in four bits between 0 and it."""
_SIZE_OCTAVES = 32.0
_RECORD = np.dtype(
    [("xy", "<u2", 2), ("size", "u1"), ("angle", "u1"), ("chroma", "u1", 2), ("code", "u1", 64)]
)

RATIO = 0.9
MAX_MATCHES = 150
TOLERANCE = 0.04
"""How far a match may lie from where the motion puts it, as a share of the picture's side."""
CHROMA_SIGMA = 25.0
"""Difference in CIELAB a*, b* (8-bit scale) at which a match counts 1/e."""


@dataclass(frozen=True, slots=True)
class Keypoints:
    """``xy`` [N, 2] and ``size`` [N] as shares of the longer side, ``angle`` [N] in radians,
    ``chroma`` [N, 2] (a*, b* on the 8-bit scale), ``descriptors`` [N, 128], L2-normalised.
    Strongest response first."""

    xy: Float32Array
    size: Float32Array
    angle: Float32Array
    chroma: Float32Array
    descriptors: Float32Array

    def __len__(self) -> int:
        return len(self.xy)


def extract(picture: Image.Image) -> bytes:
    """The strongest :data:`MAX_POINTS` local features of an RGB picture, 72 bytes each."""
    scale = _SIDE_PX / max(picture.size)
    size = (max(8, round(picture.width * scale)), max(8, round(picture.height * scale)))
    rgb = np.asarray(picture.resize(size, Image.Resampling.BICUBIC))
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    sift = cv2.SIFT_create(  # type: ignore[attr-defined]
        nfeatures=MAX_POINTS, contrastThreshold=_CONTRAST
    )
    points, descriptors = sift.detectAndCompute(grey, None)
    if descriptors is None or not len(points):
        return b""
    order = np.argsort([-p.response for p in points], kind="stable")[:MAX_POINTS]
    lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (0, 0), 3), cv2.COLOR_RGB2LAB)
    xy = np.asarray([points[i].pt for i in order], np.float32)
    column = np.clip(xy[:, 0].round().astype(int), 0, size[0] - 1)
    row = np.clip(xy[:, 1].round().astype(int), 0, size[1] - 1)
    root = np.sqrt(descriptors[order] / np.maximum(descriptors[order].sum(1, keepdims=True), 1e-9))
    code = np.clip(np.rint(root / _DESCRIPTOR_TOP * 15), 0, 15).astype(np.uint8)
    octave = np.log2(np.asarray([points[i].size for i in order]) / max(size)) + 8
    record = np.zeros(len(order), _RECORD)
    record["xy"] = np.clip(np.rint(xy / max(size) * 65535), 0, 65535)
    record["size"] = np.clip(np.rint(octave * _SIZE_OCTAVES), 0, 255)
    record["angle"] = np.rint(np.asarray([points[i].angle for i in order]) / 360 * 256) % 256
    record["chroma"] = lab[row, column, 1:]
    record["code"] = code[:, 0::2] << 4 | code[:, 1::2]
    return record.tobytes()


def unpack(data: bytes) -> Keypoints:
    """The inverse of :func:`extract`. Raises :class:`ValueError` on a wrong length."""
    record = np.frombuffer(data, _RECORD)
    descriptors = np.empty((len(record), 128), np.float32)
    descriptors[:, 0::2] = record["code"] >> 4
    descriptors[:, 1::2] = record["code"] & 15
    descriptors /= np.maximum(np.linalg.norm(descriptors, axis=1, keepdims=True), 1e-9)
    return Keypoints(
        xy=record["xy"].astype(np.float32) / np.float32(65535),
        size=np.exp2(record["size"].astype(np.float32) / _SIZE_OCTAVES - 8),
        angle=record["angle"].astype(np.float32) * np.float32(2 * np.pi / 256),
        chroma=record["chroma"].astype(np.float32),
        descriptors=descriptors,
    )


def match_score(known: Keypoints, seen: Keypoints) -> float:
    """How many points of ``known`` reappear in ``seen`` under one motion, discounted by tint.

    0 when fewer than three agree.
    """
    i, j = _tentative(known, seen)
    if len(i) < 3:
        return 0.0
    agree = _verify(known, seen, i, j)
    i, j = i[agree], j[agree]
    if len(i) < 3:
        return 0.0
    _, first = np.unique(j, return_index=True)  # a point of the photo counts once
    difference = known.chroma[i[first]] - seen.chroma[j[first]]
    tint = np.exp(-(difference**2).sum(axis=1) / CHROMA_SIGMA**2)
    return float(0.3 * len(first) + tint.sum())


def _tentative(known: Keypoints, seen: Keypoints) -> tuple[IntArray, IntArray]:
    """Matches that pass the ratio test, best first, at most :data:`MAX_MATCHES`."""
    empty = np.zeros(0, np.intp)
    if len(known) < 3 or len(seen) < 3:
        return empty, empty
    similarity = known.descriptors @ seen.descriptors.T
    rows = np.arange(len(known))
    best = similarity.argmax(axis=1)
    first = similarity[rows, best].copy()
    similarity[rows, best] = -1
    second = similarity.max(axis=1)
    ratio = np.sqrt(np.maximum(1 - first, 0) / np.maximum(1 - second, 1e-9))
    keep = np.flatnonzero(ratio < RATIO)
    keep = keep[np.argsort(ratio[keep], kind="stable")[:MAX_MATCHES]]
    return keep, best[keep]


def _verify(known: Keypoints, seen: Keypoints, i: IntArray, j: IntArray) -> NDArray[np.bool_]:
    """Which matches [M] agree with the best motion.

    Each match alone fixes a similarity motion (position, scale and angle of one point), so all M
    motions are tried at once instead of by random samples: same input, same answer. The best is
    refined to an affine motion by least squares, as long as that keeps most of its matches.
    """
    source, target = known.xy[i], seen.xy[j]
    scale = seen.size[j] / known.size[i]
    turn = seen.angle[j] - known.angle[i]
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    delta = source[None] - source[:, None]  # [M, M, 2]
    x = cos[:, None] * delta[..., 0] - sin[:, None] * delta[..., 1] + target[:, None, 0]
    y = sin[:, None] * delta[..., 0] + cos[:, None] * delta[..., 1] + target[:, None, 1]
    error = np.hypot(x - target[None, :, 0], y - target[None, :, 1])
    scales_apart = np.abs(np.log(scale[None] / scale[:, None]))
    angles_apart = np.abs((turn[None] - turn[:, None] + np.pi) % (2 * np.pi) - np.pi)
    agree = (error < TOLERANCE) & (scales_apart < 0.7) & (angles_apart < 0.5)
    votes = agree.sum(axis=1)
    votes[(scale < 0.25) | (scale > 4)] = 0
    best = int(votes.argmax())
    inlier: NDArray[np.bool_] = agree[best]
    homogeneous = np.column_stack([source, np.ones(len(source), np.float32)])
    for _ in range(2):
        if inlier.sum() < 5:
            break
        motion, *_rest = np.linalg.lstsq(homogeneous[inlier], target[inlier], rcond=None)
        residual = np.linalg.norm(homogeneous @ motion - target, axis=1)
        refined = residual < 0.75 * TOLERANCE
        refined &= (scales_apart[best] < 0.9) & (angles_apart[best] < 0.6)
        if refined.sum() < 0.7 * inlier.sum():
            break
        inlier = refined
    return inlier
