"""Building TensorRT's engine files ("plans") from the ONNX graphs.

TensorRT, and TensorRT for RTX, which builds on a machine without a GPU, share one interface. Both read
precision from the graph ("strongly typed"; TensorRT 11 knows nothing else), so a graph in half or
with signed quantisation is made first (:mod:`.precision`). A plan runs on one kind of GPU, with one
version of TensorRT: its name says which, and a plan that does not fit is not looked at.
"""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from .base import EngineError, Graph, Precision, graph_path, ranges_path
from .cuda import Gpu

MAX_BATCH = 8
MAX_CHUNK = 32
"""Tokens of each picture that go through ``step`` together, in a batch."""
MAX_TREE = 4096
"""Tokens of one picture's tree of alternatives."""
MAX_PAST = 256
"""Tokens before them, the picture's besides."""

Shape = tuple[int, ...]
Flavour = Literal["tensorrt", "tensorrt_rtx"]


@dataclass(frozen=True, slots=True)
class Profile:
    """The least, likeliest and largest shape of each input that a plan is tuned for."""

    shapes: Mapping[str, tuple[Shape, Shape, Shape]]

    def fits(self, shapes: Mapping[str, Shape]) -> bool:
        """Whether inputs of ``shapes`` may go in."""
        return all(
            len(shape) == len(self.shapes[name][0])
            and all(
                low <= size <= high
                for low, size, high in zip(
                    self.shapes[name][0], shape, self.shapes[name][2], strict=True
                )
            )
            for name, shape in shapes.items()
        )


def batch_profiles(name: str, shape: Shape) -> tuple[Profile, ...]:
    """One picture; and up to :data:`MAX_BATCH`. ``shape`` is that of the input ``name`` without the
    batch."""

    def of(most: int) -> Profile:
        return Profile({name: ((1, *shape), (most, *shape), (most, *shape))})

    return (of(1), of(MAX_BATCH))


def step_profiles(past: Sequence[int | str], queries: int) -> tuple[Profile, ...]:
    """A token or a chunk for each of a batch; and a tree of alternatives for one picture. ``past`` is
    that input's shape [B, L, 2, H, P, D / H], of which B and P are free."""

    def of(batch: int, likely: int, most: int) -> Profile:
        def shapes(batch: int, tokens: int, before: int) -> dict[str, Shape]:
            keys = tuple(int(size) for n, size in enumerate(past) if n not in (0, 4))
            return {
                "tokens": (batch, tokens),
                "place": (batch, tokens),
                "past": (batch, *keys[:3], queries + before, keys[3]),
                "mask": (batch, 1, tokens, queries + before + tokens),
            }

        three = (shapes(1, 1, 0), shapes(1, likely, MAX_CHUNK), shapes(batch, most, MAX_PAST))
        return Profile({name: tuple(s[name] for s in three) for name in three[0]})  # type: ignore[misc]

    return (of(MAX_BATCH, 1, MAX_CHUNK), of(1, MAX_TREE // 8, MAX_TREE))


@dataclass(frozen=True, slots=True)
class Target:
    """What a plan is for: the GPU by name, its compute capability, the runtime with its version, and
    the driver."""

    gpu: str
    capability: tuple[int, int]
    runtime: str
    driver: str

    @classmethod
    def here(cls, gpu: Gpu, trt: ModuleType) -> Target:
        """This machine. Plans of TensorRT for RTX are finished where they run, so they fit every GPU
        of their compute capability under every driver."""
        if is_rtx(trt):
            return cls.ahead(gpu.capability, trt)
        return cls(gpu.name, gpu.capability, _runtime(trt), gpu.driver)

    @classmethod
    def ahead(cls, capability: tuple[int, int], trt: ModuleType) -> Target:
        """Any machine with a GPU of ``capability``."""
        return cls("any", capability, _runtime(trt), "any")

    def plan_name(self, graph: Graph, precision: Precision, sha256: str) -> str:
        """The file of a plan built from what ``sha256`` (see :func:`fingerprint`) stands for."""
        return f"{graph}.{precision}.{self._slug()}.{sha256[:16]}.plan"

    def cache_name(self) -> str:
        """The file of what TensorRT timed."""
        return f"timing.{self._slug()}.cache"

    def _slug(self) -> str:
        words = (self.gpu, f"sm{self.capability[0]}{self.capability[1]}", self.runtime, self.driver)
        return ".".join(re.sub(r"[^0-9A-Za-z.]+", "-", word).strip("-.").lower() for word in words)


def load(flavour: Flavour | None = None) -> ModuleType:
    """TensorRT, or else TensorRT for RTX. Raises :class:`EngineError` where neither is."""
    for name in [flavour] if flavour else ["tensorrt", "tensorrt_rtx"]:
        try:
            return importlib.import_module(name)
        except ImportError:
            pass
    raise EngineError("TensorRT is not installed: pip install tensorrt-cu12, or -e '.[rtx]'")


def is_rtx(trt: ModuleType) -> bool:
    """Whether ``trt`` is TensorRT for RTX."""
    return trt.__name__ == "tensorrt_rtx"


def _runtime(trt: ModuleType) -> str:
    return f"{trt.__name__.replace('_', '')}{trt.__version__}"


def fingerprint(graphs: Path, graph: Graph, precision: Precision) -> str:
    """The SHA-256 of the files that decide what a plan computes."""
    digest = hashlib.sha256(graph_path(graphs, graph).read_bytes())
    if precision == "int8" and ranges_path(graphs, graph).is_file():
        digest.update(ranges_path(graphs, graph).read_bytes())
    return digest.hexdigest()


def source_of(graphs: Path, graph: Graph, precision: Precision) -> bytes:
    """The graph that a plan is built from, in its precision. In int8 the decoder stays in half: its
    few rows gain nothing. Raises :class:`EngineError` where int8 has not been calibrated."""
    from . import precision as made

    path = graph_path(graphs, graph)
    if precision == "int8" and graph == "encode":
        ranges = ranges_path(graphs, graph)
        if not ranges.is_file():
            raise EngineError(f"{graphs} is not calibrated for int8: {ranges.name} is missing")
        return made.signed_int8(path, ranges)
    return path.read_bytes() if precision == "fp32" else made.half(path)


def build(
    trt: ModuleType,
    source: bytes,
    profiles: Sequence[Profile],
    target: Target,
    *,
    timing_cache: Path | None = None,
) -> bytes:
    """A plan of the graph ``source`` for ``target``. What TensorRT times is kept in
    ``timing_cache`` and used again. Raises :class:`EngineError` with the parser's words."""
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    typed = 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    network = builder.create_network(typed)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(source):
        said = "; ".join(parser.get_error(n).desc() for n in range(parser.num_errors))
        raise EngineError(f"TensorRT cannot read the graph: {said}")
    config = builder.create_builder_config()
    for profile in profiles:
        _add(builder, config, profile)
    cache: Any = None
    if is_rtx(trt):
        major, minor = target.capability
        config.num_compute_capabilities = 1
        config.set_compute_capability(getattr(trt.ComputeCapability, f"SM{major}{minor}"), 0)
    elif timing_cache is not None:
        known = timing_cache.read_bytes() if timing_cache.is_file() else b""
        cache = config.create_timing_cache(known)
        config.set_timing_cache(cache, False)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise EngineError("TensorRT could not build the graph")
    if cache is not None and timing_cache is not None:
        write_whole(timing_cache, bytes(cache.serialize()))
    return bytes(plan)


def _add(builder: Any, config: Any, profile: Profile) -> None:
    made = builder.create_optimization_profile()
    for name, (least, likely, most) in profile.shapes.items():
        made.set_shape(name, least, likely, most)
    if config.add_optimization_profile(made) < 0:  # it answers the profile's number
        raise EngineError(f"TensorRT refuses the shapes {dict(profile.shapes)}")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    part.replace(path)
