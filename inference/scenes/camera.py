"""A pinhole camera over a flat support: x to the right, y away from the front, z up, in cm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Camera:
    """Where the camera is and what it sees. ``rotation`` has the rows right, up, forward."""

    position: Array
    rotation: Array
    focal_px: float
    centre_px: tuple[float, float]

    def project(self, points: Array) -> Array:
        """Pixels [N, 2] of points [N, 3]; points behind the camera make no sense."""
        seen = (points - self.position) @ self.rotation.T
        depth = np.maximum(seen[:, 2], 1e-3)
        x = self.centre_px[0] + self.focal_px * seen[:, 0] / depth
        y = self.centre_px[1] - self.focal_px * seen[:, 1] / depth
        return np.stack([x, y], axis=1)

    def depth_of(self, point: Array) -> float:
        """The distance of ``point`` along the view, cm."""
        return float((point - self.position) @ self.rotation[2])

    def ground_homography(self, z_cm: float = 0.0) -> Array:
        """The 3×3 matrix from points (x, y, 1) of the plane at ``z_cm`` to homogeneous pixels."""
        intrinsic = np.array(
            [
                [self.focal_px, 0, self.centre_px[0]],
                [0, -self.focal_px, self.centre_px[1]],
                [0, 0, 1.0],
            ]
        )
        origin = self.rotation @ (np.array([0, 0, z_cm]) - self.position)
        columns = np.stack([self.rotation[:, 0], self.rotation[:, 1], origin], axis=1)
        return intrinsic @ columns


def aim(
    points: Array,
    *,
    yaw_deg: float,
    elevation_deg: float,
    size_px: tuple[int, int],
    fill: float,
    shift: tuple[float, float] = (0.0, 0.0),
) -> Camera:
    """A camera that sees ``points`` [N, 3] fill ``fill`` of the frame, off centre by ``shift``.

    ``yaw_deg`` turns around the goods (0: from the front), ``elevation_deg`` looks down on them;
    ``shift`` is in fractions of the frame that is left over.
    """
    target = (points.min(axis=0) + points.max(axis=0)) / 2
    radius = float(np.linalg.norm(points - target, axis=1).max())
    yaw, elevation = np.radians(yaw_deg), np.radians(elevation_deg)
    away = np.array(
        [np.sin(yaw) * np.cos(elevation), -np.cos(yaw) * np.cos(elevation), np.sin(elevation)]
    )
    position = target + away * radius * 4.5
    right = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    up = np.cross(right, -away)
    rotation = np.stack([right, up, -away])
    seen = Camera(position, rotation, 1.0, (0.0, 0.0)).project(points)
    low, high = seen.min(axis=0), seen.max(axis=0)
    extent = high - low
    focal = fill * min(size_px[0] / extent[0], size_px[1] / extent[1])
    spare = (np.array(size_px) - extent * focal) / 2
    middle = np.array(size_px) / 2 + np.array(shift) * spare
    centre = middle - (low + high) / 2 * focal
    return Camera(position, rotation, float(focal), (float(centre[0]), float(centre[1])))


def perspective_coefficients(target: Array, source: Array) -> list[float]:
    """The eight numbers with which Pillow maps target pixels [4, 2] to source pixels [4, 2]."""
    rows = []
    for (x, y), (u, v) in zip(target, source, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    solution = np.linalg.solve(np.array(rows), source.reshape(8))
    return [float(value) for value in solution]
