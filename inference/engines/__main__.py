"""Do the engines agree with torch, and how fast are they::

    python -m inference.engines [--model DIR] [--engines torch onnx …] [--batches 1 4 8] [--json]

``--model`` is an ``--out`` of the training; without one a model of the usual size that has learned
nothing is made, on which times mean something and first answers nothing. Milliseconds are those of a whole
batch, least / median / least of the CPU; ``photo`` is the way from pixels to a caption: encode, weigh a catalog,
take in the SKU's fields, write ten characters. ``torch-compiled`` runs only when named: it takes
minutes to open. The floor is what the multiplications and the bytes would
take on one thread of this CPU at its measured peak.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from inference.minigpt.alternatives import Float32Array
from inference.minigpt.pixels import to_pixels

from . import KINDS, EngineError, Kind
from .base import GRAPHS, Precision, graph_path
from .measure import Measured, Task, catalog_of, inputs, measure
from .onnx import OnnxEngine
from .parity import ANYTHING, LIMITS, Parity

_PRECISION: dict[Kind, Precision] = {
    "torch": "fp32",
    "torch-compiled": "fp32",
    "onnx": "fp32",
    "onnx-int8": "int8",
    "tensorrt": "fp16",
    "tensorrt-int8": "int8",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0 only when every engine that runs here agrees."""
    parser = argparse.ArgumentParser(prog="python -m inference.engines", description=__doc__)
    kinds = [kind for kind in KINDS if kind != "auto"]
    parser.add_argument("--model", type=Path, help="an --out of the training")
    parser.add_argument(
        "--engines", nargs="+", choices=kinds, default=[k for k in kinds if k != "torch-compiled"]
    )
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 4, 8])
    parser.add_argument("--photos", type=Path, help="a folder of pictures to compare on")
    parser.add_argument("--pictures", type=int, default=32, help="how many of them")
    parser.add_argument("--times", type=int, default=30, help="repetitions of each measurement")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one machine-readable line")
    options = parser.parse_args(argv)
    if min(*options.batches, options.pictures, options.times, options.threads) < 1:
        parser.error("--batches, --pictures, --times and --threads are 1 or more")
    with tempfile.TemporaryDirectory(prefix="warevision-engines-") as made:
        folder = options.model or _unlearned(Path(made))
        try:
            task = Task(
                _pictures(folder, options.photos, options.pictures),
                catalog_of(folder),
                tuple(options.batches),
                options.times,
                options.threads,
            )
            rows = compare(folder, options.engines, task)
        except (EngineError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        floor = floors(folder, task)
    if options.json:
        print(json.dumps({"engines": rows, "floor": floor}))
    else:
        _print(rows, floor, task)
    return 0 if all("misses" not in row or not row["misses"] for row in rows) else 1


def compare(folder: Path, kinds: Sequence[Kind], task: Task) -> list[dict[str, Any]]:
    """A row an engine: ``ms``, memory, and how far it is from the reference, torch where it is
    installed, else ONNX Runtime in fp32; or ``skipped`` with the reason."""
    found: dict[Kind, Measured | EngineError] = {}
    reference: Measured | None = None
    for kind in dict.fromkeys(("torch", "onnx", *kinds)):
        try:
            found[kind] = measure(folder, kind, task)
        except EngineError as error:
            found[kind] = error
        if reference is None and isinstance(found[kind], Measured):
            reference = found[kind]  # type: ignore[assignment]
            against = kind
    if reference is None:
        raise EngineError(f"neither torch nor ONNX Runtime runs {folder}")
    rows: list[dict[str, Any]] = []
    for kind in kinds:
        here = found[kind]
        if isinstance(here, EngineError):
            rows.append({"engine": kind, "skipped": str(here)})
            continue
        parity = Parity.of(reference.answers, here.answers)
        rows.append(
            {
                "engine": kind,
                "against": against,
                "parity": asdict(parity),
                "misses": parity.misses(LIMITS[_PRECISION[kind]]),
                "ms": here.ms,
                "open_s": round(here.open_s, 2),
                "rss_mib": here.rss_mib,
                "peak_mib": here.peak_mib,
            }
        )
    return rows


def floors(folder: Path, task: Task) -> dict[str, Any]:
    """What each graph must compute and move for one picture, and the least time for it here. Empty
    without the package ``onnx``."""
    graphs = folder / "onnx"
    try:
        from .floor import this_machine, work_of
    except ImportError:
        return {}
    machine = this_machine()
    given = inputs(OnnxEngine(graphs), task)
    found: dict[str, Any] = {"machine": asdict(machine)}
    precisions: tuple[Precision, ...] = ("fp32", "int8")
    for graph in GRAPHS:
        for precision in precisions:
            stored = graph_path(graphs, graph, precision)
            if stored.is_file():
                work = work_of(graph_path(graphs, graph), given[graph], stored=stored)
                ms = 1e3 * machine.floor_s(work, int8=precision == "int8")
                found[f"{graph} {precision}"] = {**asdict(work), "floor_ms": round(ms, 2)}
    return found


def _pictures(folder: Path, photos: Path | None, count: int) -> Float32Array:
    config = json.loads((folder / "model" / "config.json").read_text("utf-8"))
    if photos is None:
        rng = np.random.default_rng(1)
        coarse = rng.integers(0, 255, (count, 12, 16, 3), dtype=np.uint8)
        pictures = [Image.fromarray(one).resize((640, 480)) for one in coarse]
    else:
        paths = sorted(
            p for p in photos.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")
        )
        step = max(1, len(paths) // count)
        pictures = [Image.open(p).convert("RGB") for p in paths[::step][:count]]
        if not pictures:
            raise FileNotFoundError(f"{photos} holds no pictures")
    return to_pixels(pictures, config["side_px"], config["looks"])


def _unlearned(folder: Path) -> Path:
    """A model of the usual size that has learned nothing, quantised on the pictures above."""
    try:
        import torch

        from inference.minigpt.config import MiniGPTConfig
        from inference.minigpt.model import MiniGPT
        from inference.minigpt.vocabulary import Vocabulary
        from inference.training.export import export_onnx
        from inference.training.quantize import quantize
    except ImportError as error:
        raise SystemExit(f"without torch, name a --model ({error})") from None
    torch.manual_seed(1)
    vocabulary = Vocabulary.default()
    classes = [f"SKU-{n:04}" for n in range(31)]
    model = MiniGPT(MiniGPTConfig(vocabulary_size=len(vocabulary), classes=classes))
    model.save_pretrained(folder / "model")
    text = json.dumps(vocabulary.to_json(), ensure_ascii=False)
    (folder / "vocabulary.json").write_text(text, "utf-8")
    export_onnx(model, folder / "onnx")
    quantize(folder / "onnx", _pictures(folder, None, 8), catalog_of(folder), limits=ANYTHING)
    return folder


def _print(rows: list[dict[str, Any]], floor: dict[str, Any], task: Task) -> None:
    parts = ("encode", "prefill", "token", "catalog", "photo")
    print("| engine | batch | " + " | ".join(f"{part} ms" for part in parts) + " | memory MiB |")
    print("| --- " * (len(parts) + 3) + "|")
    for row in rows:
        if "skipped" in row:
            print(f"| {row['engine']} | " + "| " * (len(parts) + 1) + f"| {row['skipped']} |")
            continue
        for batch in task.batches:
            cells = (" / ".join(f"{one:.2f}" for one in row["ms"][part][batch]) for part in parts)
            memory = f"{row['rss_mib']} (most {row['peak_mib']})"
            print(f"| {row['engine']} | {batch} | " + " | ".join(cells) + f" | {memory} |")
    print()
    names = list(asdict(LIMITS["fp32"]))
    print(f"| apart on {len(task.pixels)} pictures | " + " | ".join(names) + " | |")
    print("| --- " * (len(names) + 2) + "|")
    for row in rows:
        if "parity" in row:
            cells = (f"{row['parity'][name]:.3g}" for name in names)
            said = "; ".join(row["misses"]) or "within the limits"
            print(f"| {row['engine']} – {row['against']} | " + " | ".join(cells) + f" | {said} |")
    if not floor:
        print("\nNo floor: the package onnx is not installed.")
        return
    machine = floor["machine"]
    print(
        f"\nOne thread here: {machine['fp32_macs_s'] / 1e9:.0f} GMAC/s in fp32, "
        f"{machine['int8_macs_s'] / 1e9:.0f} in int8, {machine['bytes_s'] / 1e9:.0f} GB/s.\n"
    )
    print("| graph | million MAC | weights MB | in and out MB | floor ms |")
    print("| --- | --- | --- | --- | --- |")
    for name, work in floor.items():
        if name != "machine":
            megabytes = (work[key] / 1e6 for key in ("weight_bytes", "io_bytes"))
            million = f"{work['macs'] / 1e6:.0f}"
            print(
                f"| {name} | {million} | {' | '.join(map('{:.1f}'.format, megabytes))} | {work['floor_ms']} |"
            )


if __name__ == "__main__":
    sys.exit(main())
