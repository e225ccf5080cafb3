"""A trained model as small as it can be given to others::

    python -m inference.training.ship --model OUT --to DIR [--precision fp32]

``DIR`` then holds the weights in half precision, to go on from, the graphs for CPUs in int8 (in fp32, of weights that
were rounded to half, where int8 was not kept or is not wanted), the facts and the report, sealed (see
:mod:`inference.minigpt.bundle`).
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from inference.engines import EngineError, precision
from inference.engines.base import GRAPHS, Precision, graph_path, has_graphs
from inference.minigpt import familiar
from inference.minigpt.bundle import seal, verify
from inference.minigpt.model import MiniGPT


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m inference.training.ship", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="an --out of the training")
    parser.add_argument("--to", type=Path, required=True, help="a new or empty folder")
    parser.add_argument("--precision", choices=("int8", "fp32"), default="int8", help="of graphs")
    options = parser.parse_args(argv)
    if options.to.exists() and any(options.to.iterdir()):
        parser.error(f"{options.to} is not empty; name a new folder")
    try:
        ship(options.model, options.to, options.precision)
    except (EngineError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in options.to.rglob("*") if path.is_file())
    print(f"{options.to}: {size / 1e6:.1f} MB")
    return 0


def ship(model: Path, to: Path, wanted: Precision = "int8") -> None:
    """Copy what others need of ``model`` to the folder ``to``, its graphs as ``wanted`` where there are
    such. Raises :class:`EngineError` when it is not what was sealed."""
    verify(model)
    (to / "onnx").mkdir(parents=True, exist_ok=True)
    MiniGPT.from_pretrained(model / "model", dtype=torch.float16).save_pretrained(to / "model")
    small = wanted == "int8" and has_graphs(model / "onnx", "int8")
    for graph in GRAPHS:
        if small:
            shutil.copy(graph_path(model / "onnx", graph, "int8"), to / "onnx")
        else:
            rounded = precision.weights_in_half(graph_path(model / "onnx", graph))
            graph_path(to / "onnx", graph).write_bytes(rounded)
    for name in ("vocabulary.json", "calibration.json", "report.json"):
        shutil.copy(model / name, to)
    if (model / familiar.FILE).is_file():
        shutil.copy(model / familiar.FILE, to)
    seal(to)


if __name__ == "__main__":
    sys.exit(main())
