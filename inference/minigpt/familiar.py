"""Whether a picture is like those that a model was taught by. Of others it may say anything, and be sure of it: a base
that has seen rendered photos alone takes the light of a real shop for spilt juice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from safetensors.numpy import load_file, save_file

from .alternatives import Float32Array
from .sight import Sight

FILE = "familiar.safetensors"
KEPT = 0.98
"""The share of unseen pictures of the taught kind that are taken for such."""


@dataclass(frozen=True, slots=True, eq=False)
class Familiar:
    """Pictures lie within ``limit`` of ``mean`` [D] by the Mahalanobis distance of what the queries make of
    them, in the mean (after Lee et al. 2018, section 2.1, with one class). ``root`` [D, D] times its
    transpose is the inverse of their covariance."""

    mean: Float32Array
    root: Float32Array
    limit: float

    def __contains__(self, sight: Sight) -> bool:
        return bool(self.distances([sight])[0] <= self.limit)

    def distances(self, sights: Sequence[Sight]) -> Float32Array:
        """How far sights are from the mean [N], squared, by the dimension."""
        off = (_features(sights) - self.mean) @ self.root
        squared: Float32Array = np.square(off).mean(axis=1)
        return squared

    @classmethod
    def fit(cls, sights: Sequence[Sight], unseen: Sequence[Sight]) -> Self:
        """Of sights of pictures that taught the model, and of ``unseen`` ones of their kind, which set the limit: they
        lie further off. The covariance is shrunk (Ledoit & Wolf 2004)."""
        from sklearn.covariance import LedoitWolf

        found = LedoitWolf().fit(_features(sights))
        root = np.linalg.cholesky(found.precision_).astype(np.float32)
        whole = cls(found.location_.astype(np.float32), root, np.inf)
        limit = float(np.quantile(whole.distances(unseen), KEPT))
        return cls(whole.mean, root, limit)

    def save(self, folder: Path) -> None:
        """Write it into the folder of its model."""
        limit = np.array([self.limit], np.float32)
        arrays = {"mean": self.mean, "root": self.root, "limit": limit}
        save_file({name: np.ascontiguousarray(a) for name, a in arrays.items()}, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """That of a model's folder; None where it has none, and every picture is familiar."""
        if not (folder / FILE).is_file():
            return None
        arrays = load_file(folder / FILE)
        return cls(arrays["mean"], arrays["root"], float(arrays["limit"][0]))


def _features(sights: Sequence[Sight]) -> Float32Array:
    means: Float32Array = np.stack([s.outputs.mean(axis=0) for s in sights]).astype(np.float32)
    return means
