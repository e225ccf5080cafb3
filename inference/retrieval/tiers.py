"""How many vectors are searched: exactly while they are few, in ever coarser ways as they grow.

Every tier but the first searches 256 principal components in one byte each, and what it finds is scored
again with the vectors themselves, so that cosines are always exact and only what is found may differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
_faiss: Any = faiss
"""Its types know nothing of what its Python layer adds."""

COMPONENTS = 256
TRAINING_VECTORS = 50_000
"""A sample of so many trains components and lists."""


@dataclass(frozen=True, slots=True)
class Tier:
    """A way of searching up to ``most`` vectors. ``factory`` is FAISS's index description; ``ef`` and
    ``probes`` are how far HNSW and IVF look."""

    name: str
    most: float
    factory: str = ""
    ef: int = 0
    probes: int = 0


TIERS = (
    Tier("flat", 20_000),
    Tier("sq8", 200_000, f"PCAR{COMPONENTS},SQ8"),
    Tier("hnsw", 500_000, f"PCAR{COMPONENTS},HNSW32_SQ8", ef=128),
    Tier("ivf", float("inf"), f"PCAR{COMPONENTS},IVF1024,SQ8", probes=256),
)
"""By bench/index.py, on one core: exact search of 20,000 vectors of 1280 takes 9 ms, and 45 ms of
100,000, where a scan of SQ8 codes takes 4 and finds the same. HNSW finds nearly as much in 1 ms, but
takes 0.4 ms to add a vector; where that is too long to begin with, IVF looks at a quarter of its lists."""

GPU_TIER = TIERS[-1]
"""Where there is a GPU: it knows no HNSW, and has IVF built before others have begun."""
_GPU_MOST = 2048
"""Neighbours that FAISS gives on a GPU."""


def tier_for(count: int, tiers: Sequence[Tier] = TIERS, *, gpu: bool = False) -> Tier:
    """The tier for so many vectors."""
    tier = next(tier for tier in tiers if count <= tier.most)
    return GPU_TIER if gpu and tier.factory else tier


def has_gpu() -> bool:
    """Whether this FAISS was built for GPUs and finds one."""
    return hasattr(_faiss, "StandardGpuResources") and _faiss.get_num_gpus() > 0


class Sealed:
    """Trained codes of vectors by place; new ones are added at the end, none is ever taken out."""

    def __init__(self, tier: Tier, index: Any, *, gpu: bool) -> None:
        self.tier = tier
        self.index = index
        self._resources: Any = None
        self._on_gpu: Any = None
        if gpu:
            # the resources must outlive the copy
            self._resources = _faiss.StandardGpuResources()
            self._on_gpu = _faiss.index_cpu_to_gpu(self._resources, 0, index)
            if tier.probes:
                _faiss.GpuParameterSpace().set_index_parameter(self._on_gpu, "nprobe", tier.probes)

    @classmethod
    def train(cls, tier: Tier, sample: Float32Array, *, gpu: bool = False) -> Sealed:
        """An empty one, trained on ``sample`` [N, D]; the same sample gives the same one."""
        lists = max(1, min(1024, len(sample) // 39))  # FAISS wants 39 vectors a list
        factory = tier.factory.replace("IVF1024", f"IVF{lists}")
        # of components, which are not centred, only distances keep the order of cosines
        index = faiss.index_factory(sample.shape[1], factory, faiss.METRIC_L2)
        index.train(sample)
        return cls(tier, index, gpu=gpu)

    def __len__(self) -> int:
        return int(self.index.ntotal)

    def add(self, vectors: Float32Array) -> None:
        """Add unit vectors [N, D] at the places from ``len`` on."""
        self.index.add(vectors)
        if self._on_gpu is not None:
            self._on_gpu.add(vectors)

    def search(
        self, vector: Float32Array, count: int, alive: NDArray[np.bool_] | None
    ) -> NDArray[np.int64]:
        """Up to ``count`` places of vectors near ``vector`` [D], of those ``alive`` [N]."""
        if self._on_gpu is not None:
            dead = 0 if alive is None else int(len(alive) - alive.sum())
            _, places = self._on_gpu.search(vector[None], min(count + dead, len(self), _GPU_MOST))
            near: NDArray[np.int64] = places[0][places[0] >= 0]
            return near if alive is None else near[alive[near]]
        count = min(count, len(self))
        selector = None
        if alive is not None:
            selector = _faiss.IDSelectorBitmap(np.packbits(alive, bitorder="little"))
        _, places = self.index.search(vector[None], count, params=self._parameters(selector, count))
        found: NDArray[np.int64] = places[0][places[0] >= 0]
        return found

    def _parameters(self, selector: Any, count: int) -> Any:
        if self.tier.probes:
            inner = _faiss.SearchParametersIVF(sel=selector, nprobe=self.tier.probes)
        elif self.tier.ef:
            inner = _faiss.SearchParametersHNSW(sel=selector, efSearch=max(self.tier.ef, 2 * count))
        else:
            inner = _faiss.SearchParameters(sel=selector)
        return _faiss.SearchParametersPreTransform(index_params=inner)
