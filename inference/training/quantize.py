"""Static int8: how far each tensor reaches on a site's photos, and whether the answers stay::

    python -m inference.training.quantize --model DIR --snapshot DIR

``--model`` is an ``--out`` of the training. Its ``onnx/`` then also holds ``*.int8.onnx`` for CPUs, unless too
many answers change, and ``*.ranges.json``, from which plans for GPUs are built.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader
from onnxruntime.quantization.calibrate import create_calibrator, save_tensors_data

from inference.engines import precision
from inference.engines.base import GRAPHS, Graph, Picture, graph_path, ranges_path
from inference.engines.feeds import follow
from inference.engines.onnx import OnnxEngine
from inference.engines.parity import LIMITS, Answers, Parity, grades_tree, sku_tree
from inference.minigpt.alternatives import Float32Array, Tree, fed
from inference.minigpt.bundle import seal
from inference.minigpt.pixels import to_pixels
from inference.minigpt.vocabulary import Vocabulary

from .snapshot import Record, SnapshotError, read_snapshot

Feed = Mapping[str, NDArray[Any]]
_CPU = ("CPUExecutionProvider",)
_TREES = 16


def quantize(
    graphs: Path,
    pixels: Float32Array,
    tree: Tree,
    *,
    held_out: int | None = None,
    limits: Parity = LIMITS["int8"],
) -> dict[str, Any]:
    """Quantise the graphs in a folder on ``pixels`` [R, *pixel_shape] and look at how they answer on
    the last ``held_out`` of them (a quarter), with ``tree`` after the picture.

    They are kept only within ``limits``. Answers what was found: ``kept``, ``misses`` and how far
    int8 is from fp32.
    """
    held_out = max(1, len(pixels) // 4) if held_out is None else held_out
    shown, unseen = pixels[: len(pixels) - held_out], pixels[len(pixels) - held_out :]
    whole = OnnxEngine(graphs, providers=_CPU)
    seen = [whole.encode(one[None]) for one in shown]
    calibrate(graphs, "encode", ({"pixels": one[None]} for one in shown))
    calibrate(graphs, "begin", ({"outputs": one.outputs} for one in seen))
    calibrate(graphs, "step", _step_feeds(whole, seen[:_TREES], tree))
    for graph in GRAPHS:
        made = precision.cpu_int8(graph_path(graphs, graph), ranges_path(graphs, graph))
        graph_path(graphs, graph, "int8").write_bytes(made)
    quantised = OnnxEngine(graphs, precision="int8", providers=_CPU)
    parity = Parity.of(Answers.of(whole, unseen, tree), Answers.of(quantised, unseen, tree))
    misses = parity.misses(limits)
    if misses:
        for graph in GRAPHS:
            graph_path(graphs, graph, "int8").unlink()
    return {
        "kept": not misses,
        "misses": misses,
        "calibrated_on": len(shown),
        "compared_on": len(unseen),
        **{name: round(value, 4) for name, value in asdict(parity).items()},
    }


def calibrate(graphs: Path, graph: Graph, feeds: Iterable[Feed]) -> None:
    """Write how far the tensors of a graph reach on ``feeds``, taken one at a time: all tensors of
    many pictures would fill the memory."""
    with tempfile.TemporaryDirectory(prefix="warevision-calibration-") as folder:
        calibrator = create_calibrator(
            graph_path(graphs, graph),
            list(precision.OPERATORS),
            augmented_model_path=str(Path(folder) / "augmented.onnx"),
            calibrate_method=precision.CALIBRATION,
            extra_options={"symmetric": False},
        )
        for feed in feeds:
            calibrator.collect_data(_Once(feed))
        save_tensors_data(calibrator.compute_data(), ranges_path(graphs, graph))
        ranges_path(graphs, graph).chmod(0o644)  # it is written by way of a private file


def _step_feeds(engine: OnnxEngine, pictures: Sequence[Picture], tree: Tree) -> Iterator[Feed]:
    """What ``step`` is given while a catalog is weighed after each picture and one of its codes is
    written."""
    for number, picture in enumerate(pictures):
        past = engine.begin(picture.outputs)
        yield fed(past, tree)
        written = [*tree.tokens[:1], *tree.alternative(number % tree.count)]
        yield follow(np.asarray([written], np.int64), past)


class _Once(CalibrationDataReader):
    """One feed, as the calibrators want it."""

    def __init__(self, feed: Feed) -> None:
        self._feed: Feed | None = feed

    def get_next(self) -> Feed | None:
        feed, self._feed = self._feed, None
        return feed


def some(records: Sequence[Record], count: int, seed: int) -> list[Record]:
    """``count`` records or all, at random, every SKU once before any comes twice."""
    rng = random.Random(seed)
    by_sku: dict[str | None, list[Record]] = {}
    for record in records:
        by_sku.setdefault(record.sku, []).append(record)
    for rows in by_sku.values():
        rng.shuffle(rows)
    ranked = [(n, rng.random(), r) for rows in by_sku.values() for n, r in enumerate(rows)]
    return [r for _, _, r in sorted(ranked, key=lambda row: row[:2])[:count]]


def quantize_model(
    model: Path, records: Sequence[Record], codes: Sequence[str], *, photos: int = 96, seed: int = 1
) -> dict[str, Any]:
    """:func:`quantize` for a training's ``--out``, on photos of ``records``, with ``codes`` weighed after
    each, or the grades for a model that knows no codes; also written to ``onnx/int8.json``."""
    vocabulary = Vocabulary.from_json(json.loads((model / "vocabulary.json").read_text("utf-8")))
    config = json.loads((model / "model" / "config.json").read_text("utf-8"))
    pixels = np.concatenate(
        [
            to_pixels([record.picture()], config["side_px"], config["looks"])
            for record in some(records, photos, seed)
        ]
    )
    tree = sku_tree(vocabulary, codes) if config["classes"] else grades_tree(vocabulary)
    report = quantize(model / "onnx", pixels, tree)
    (model / "onnx" / "int8.json").write_text(json.dumps(report, indent=1), "utf-8")
    return report


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; answers the exit status: 0 only when int8 is kept."""
    parser = argparse.ArgumentParser(
        prog="python -m inference.training.quantize", description=__doc__
    )
    parser.add_argument("--model", type=Path, required=True, help="an --out of the training")
    parser.add_argument("--snapshot", type=Path, required=True, help="a data set with photos")
    parser.add_argument("--photos", type=int, default=96, help="for calibration and a last look")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    try:
        snapshot = read_snapshot(options.snapshot)
        report = quantize_model(
            options.model,
            snapshot.splits["train"],
            sorted(snapshot.catalog),
            photos=options.photos,
            seed=options.seed,
        )
        seal(options.model)
    except (SnapshotError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(report))
    return 0 if report["kept"] else 1


if __name__ == "__main__":
    sys.exit(main())
