"""What gathering evidence side by side saves, and what a time budget leaves out.

    python -m bench.describe [--photos 40] [--side-by-side 3] [--budgets 0.15 0.3 0.6] [--json]

Milliseconds to describe a grocery photo never seen before, one after the other, on the cores that there are: with one
piece of evidence at a time and with several; then with budgets, and how often each piece was left out. Between
photos with a budget it waits for what is late, so that one photo does not pay for another.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Sequence

import numpy as np

from bench.recognition import data_folder
from inference.contracts import Description
from inference.describe import SIDE_BY_SIDE, Describer
from inference.local import limit_threads


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.describe", description=__doc__)
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--side-by-side", type=int, default=SIDE_BY_SIDE)
    parser.add_argument("--budgets", type=float, nargs="*", default=[0.15, 0.3, 0.6])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    limit_threads(1)
    photos = sorted((data_folder() / "images/cam_front").iterdir())
    images = [path.read_bytes() for path in photos[:: max(1, len(photos) // options.photos)]]
    images = images[: options.photos]
    for width in (1, options.side_by_side):
        show(measure(images, width, None), as_json=options.json)
    for budget_s in options.budgets:
        show(measure(images, options.side_by_side, budget_s), as_json=options.json)


def measure(images: Sequence[bytes], width: int, budget_s: float | None) -> dict[str, object]:
    """One row. Every photo is new to the describer."""
    describer = Describer(side_by_side=width)
    describer.warm_up()
    taken: list[float] = []
    left_out: Counter[str] = Counter()
    used = time.process_time()
    for image in images:
        started = time.perf_counter()
        (found,) = describer.describe([image], budget_s=budget_s)
        taken.append((time.perf_counter() - started) * 1000)
        assert isinstance(found, Description)
        left_out.update(found.left_out)
        if budget_s is not None:
            describer.describe([image])
    cpu_ms = (time.process_time() - used) * 1000 / len(images)
    describer.close()
    return {
        "side_by_side": width,
        "cores": os.cpu_count(),
        "budget_s": budget_s,
        "p50_ms": round(float(np.median(taken)), 1),
        "p95_ms": round(float(np.quantile(taken, 0.95)), 1),
        "cpu_ms": round(cpu_ms, 1),
        "left_out": {name: round(n / len(images), 2) for name, n in sorted(left_out.items())},
    }


def show(row: dict[str, object], *, as_json: bool) -> None:
    """One line."""
    print(
        json.dumps(row) if as_json else "   ".join(f"{k} {v}" for k, v in row.items()), flush=True
    )


if __name__ == "__main__":
    main()
