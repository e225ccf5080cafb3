"""How long MiniGPT takes from a decoded photo to five fields with their confidence.

    python -m bench.fields --model DIR [--engines onnx onnx-int8] [--photos 60] [--threads 1] [--json]

Milliseconds a grocery photo, one at a time and the engines in turn on each: to see it, to weigh the catalog's SKUs,
and to read quantity and condition of the first (category and spec follow it), with a map of each field. The model is
a folder of ``python -m bench.minigpt --out``; engines that it lacks are left out. The data set's folder is
``$WAREVISION_GROCERY``, else ``../shared/data/grocery`` beside the project.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from bench.recognition import data_folder
from inference.engines import EngineError
from inference.local import limit_threads
from inference.minigpt.reading import Reader
from inference.training.judge import codes_of
from inference.training.snapshot import CatalogEntry, read_snapshot

PARTS = ("see", "sku", "read")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.fields", description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--engines", nargs="+", default=["onnx", "onnx-int8"])
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    limit_threads(options.threads)
    snapshot = read_snapshot(data_folder())
    records = snapshot.splits["val"][: options.photos]
    catalog = {code: snapshot.catalog[code] for code in codes_of(records, snapshot.catalog)}
    readers = {}
    for kind in options.engines:
        try:
            readers[kind] = Reader.open(options.model, kind, threads=options.threads)
        except EngineError as error:
            print(f"{kind}: {error}", file=sys.stderr)
    photos = [record.picture() for record in records]
    for reader in readers.values():
        timed(reader, photos[0], catalog)  # the first is slow
    took = {kind: np.zeros((len(photos), len(PARTS))) for kind in readers}
    for row, photo in enumerate(photos):
        for kind, reader in readers.items():
            took[kind][row] = timed(reader, photo, catalog)
    for kind, ms in took.items():
        show(kind, ms, as_json=options.json)
    return 0


def timed(reader: Reader, photo: Image.Image, catalog: dict[str, CatalogEntry]) -> list[float]:
    """Milliseconds of each of :data:`PARTS`."""
    codes = list(catalog)
    ends = [time.perf_counter()]
    sight = reader.see([photo])[0]
    ends.append(time.perf_counter())
    first = catalog[codes[int(reader.sku_log_p(sight, codes).argmax())]]
    ends.append(time.perf_counter())
    settled = {"sku": first.code, "category": first.category, "spec": first.spec}
    reader.read(sight, settled, first.unit)
    ends.append(time.perf_counter())
    return [1e3 * (end - begin) for begin, end in itertools.pairwise(ends)]


def show(kind: str, ms: np.ndarray, *, as_json: bool) -> None:
    """Print the medians of each part and of all [N, parts], and the least and the 95th percentile of all."""
    whole = ms.sum(axis=1)
    medians = dict(zip(PARTS, np.median(ms, axis=0).round(1).tolist(), strict=True))
    figures = medians | {"all": round(float(np.median(whole)), 1), "least": round(whole.min(), 1)}
    figures["p95"] = round(float(np.percentile(whole, 95)), 1)
    if as_json:
        print(json.dumps({"engine": kind, "photos": len(ms)} | figures))
    else:
        said = "  ".join(f"{name} {value:5.1f}" for name, value in figures.items())
        print(f"{kind:10} {len(ms)} photos, ms: {said}")


if __name__ == "__main__":
    sys.exit(main())
