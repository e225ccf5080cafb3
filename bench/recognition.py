"""How well SKUs are recognised in real photos, by each piece of evidence and by all together.

    python -m bench.recognition [--only grouped] [--json]

The data set's folder is ``$WAREVISION_GROCERY``, else ``../shared/data/grocery`` beside the
repository. Three states of a site: (a) catalog and reference pictures only, (b) five decided photos
a SKU (three draws; in cross-validation one a fold), (c) all photos decided. Three ways to hold
photos out:

* ``val``: the validation photos;
* ``random``: five random folds of the training photos. Most of them were taken in bursts, so a
  held-out photo has near-twins among the decided ones: read this as an upper bound;
* ``grouped``: five folds that keep look-alike photos of a SKU together: the figure to choose by.

State (a) has decided nothing, so all training photos are held out: its ``grouped`` row stands for
``random`` too.

With ``--model`` a MiniGPT, taught the training photos, joins in; it has seen them all, so that the validation
photos alone are asked about. Descriptions are cached in ``--cache``, for reading text takes minutes.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.cluster import AgglomerativeClustering
from sklearn.model_selection import StratifiedKFold
from tqdm import tqdm

from inference.contracts import Change, Description, Example, Failure, SkuRecord
from inference.describe import Describer
from inference.evidence import fusion
from inference.learning import fit_heads
from inference.local import limit_threads
from inference.minigpt.reading import Reader
from inference.pictures import decode
from inference.ranking import MatchCache, gather, see
from inference.retrieval.backbone import unpack
from inference.retrieval.memory import SiteMemory

ROOT = Path(__file__).resolve().parents[1]
FOLDS = 5
DRAWS = 3
SHOTS = 5


@dataclass(frozen=True)
class Photo:
    """A described photo whose SKU is known."""

    key: str
    sku_code: str
    description: Description


@dataclass(frozen=True)
class Case:
    """One held-out evaluation: what has been decided, and which photos are asked about."""

    state: str
    held_out: str
    decided: Sequence[Photo]
    asked: Sequence[Photo]


def data_folder() -> Path:
    """The grocery data set; exits with a message where it is absent."""
    folder = Path(os.environ.get("WAREVISION_GROCERY", ROOT.parent / "shared/data/grocery"))
    if not (folder / "metadata/sku_catalog.csv").is_file():
        sys.exit(f"no grocery data set in {folder}: set WAREVISION_GROCERY")
    return folder


def describe_all(paths: Sequence[Path], cache_folder: Path) -> dict[str, Description]:
    """Descriptions by the SHA-256 of the file, from the cache where it has them."""
    describer = Describer()
    name = hashlib.sha256(describer.name.encode()).hexdigest()[:12]
    cache = cache_folder / f"descriptions-{name}.jsonl"
    cache_folder.mkdir(parents=True, exist_ok=True)
    known: dict[str, Description] = {}
    if cache.exists():
        for line in cache.read_text(encoding="utf-8").splitlines():
            cached = Description.from_json(json.loads(line))
            known[cached.image_sha256] = cached
    with cache.open("a", encoding="utf-8") as out:
        for path in tqdm(paths, "describe", disable=not sys.stderr.isatty()):
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() in known:
                continue
            (description,) = describer.describe([data])
            if isinstance(description, Failure):
                sys.exit(f"{path}: {description.detail}")
            known[description.image_sha256] = description
            out.write(json.dumps(description.to_json(), ensure_ascii=False) + "\n")
            out.flush()
    return known


def sku_of(caption: str) -> str:
    """The SKU of a canonical caption."""
    return caption.split("|", 1)[0].removeprefix("【SKU】")


class Grocery:
    """The data set, described."""

    def __init__(self, folder: Path, cache: Path) -> None:
        with (folder / "metadata/sku_catalog.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        labelled = {split: _labelled(folder, split) for split in ("train", "val")}
        references = {row["code"]: folder / row["reference_image"] for row in rows}
        paths = [*references.values(), *(p for s in labelled.values() for p, _ in s)]
        known = describe_all(paths, cache)

        def described(path: Path) -> Description:
            return known[hashlib.sha256(path.read_bytes()).hexdigest()]

        self.skus = [
            SkuRecord(
                **{k: v for k, v in row.items() if k != "reference_image"}  # type: ignore[arg-type]
            )
            for row in rows
        ]
        self.references = [
            Photo(f"ref:{code}", code, described(path)) for code, path in references.items()
        ]
        self.paths = {f"cap:{path.name}": path for path, _ in labelled["val"]}
        self.train, self.val = (
            [Photo(f"cap:{path.name}", code, described(path)) for path, code in labelled[split]]
            for split in ("train", "val")
        )

    def look(self, minigpt: Reader) -> None:
        """Have ``minigpt`` look at the validation photos."""
        self.val = [
            replace(photo, description=replace(photo.description, sight=sight.pack()))
            for photo in self.val
            for sight in minigpt.see([decode(self.paths[photo.key].read_bytes())])
        ]


def _labelled(folder: Path, split: str) -> list[tuple[Path, str]]:
    lines = (folder / f"annotations/{split}.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    return [(folder / r["image_path"], sku_of(r["caption"])) for r in records]


def grouped_folds(photos: Sequence[Photo]) -> np.ndarray:
    """Fold [N] of each photo: per SKU, five clusters of look-alikes, dealt to the folds in turn."""
    embeddings = np.stack([unpack(p.description.embedding) for p in photos])
    labels = np.asarray([p.sku_code for p in photos])
    fold = np.zeros(len(photos), int)
    for number, code in enumerate(sorted(set(labels))):
        rows = np.flatnonzero(labels == code)
        clusters = AgglomerativeClustering(FOLDS, metric="cosine", linkage="average")
        fold[rows] = (clusters.fit_predict(embeddings[rows]) + number) % FOLDS
    return fold


def random_folds(photos: Sequence[Photo]) -> np.ndarray:
    """Fold [N] of each photo, at random, stratified by SKU."""
    fold = np.zeros(len(photos), int)
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for number, (_, test) in enumerate(splitter.split(photos, [p.sku_code for p in photos])):
        fold[test] = number
    return fold


def draw(photos: Sequence[Photo], shots: int, seed: int) -> list[Photo]:
    """Up to ``shots`` photos of each SKU."""
    order = np.random.default_rng(seed).permutation(len(photos))
    taken: dict[str, list[Photo]] = {}
    for i in order:
        of_sku = taken.setdefault(photos[i].sku_code, [])
        if len(of_sku) < shots:
            of_sku.append(photos[i])
    return [p for of_sku in taken.values() for p in of_sku]


def cases(data: Grocery) -> Iterator[Case]:
    """All held-out evaluations."""
    yield Case("a", "val", [], data.val)
    yield Case("a", "grouped", [], data.train)
    for seed in range(DRAWS):
        yield Case("b", "val", draw(data.train, SHOTS, seed), data.val)
    yield Case("c", "val", data.train, data.val)
    for name, fold in (
        ("random", random_folds(data.train)),
        ("grouped", grouped_folds(data.train)),
    ):
        for number in range(FOLDS):
            rest = [p for p, f in zip(data.train, fold, strict=True) if f != number]
            asked = [p for p, f in zip(data.train, fold, strict=True) if f == number]
            yield Case("b", name, draw(rest, SHOTS, number), asked)
            yield Case("c", name, rest, asked)


def example(photo: Photo, kind: str) -> Example:
    """The site's example that a photo becomes when it is decided."""
    d = photo.description
    text = " ".join(line.text for line in d.ocr_lines)
    return Example(
        key=photo.key,
        sku_code=photo.sku_code,
        kind=kind,  # type: ignore[arg-type]
        embedding=d.embedding,
        ocr_text=text,
        keypoints=d.keypoints,
    )


def evaluate(
    data: Grocery, case: Case, cache: MatchCache, minigpt: Reader | None = None
) -> list[dict[str, object]]:
    """One row for each piece of evidence and photo: rank of the truth, confidence, rank time."""
    memory = SiteMemory("grocery")
    examples = [example(p, "reference") for p in data.references]
    examples += [example(p, "decided") for p in case.decided]
    changes = [Change(0, "put_sku", sku=sku) for sku in data.skus]
    changes += [Change(0, "put_example", example=e) for e in examples]
    memory.apply(changes)
    started = time.perf_counter()
    heads = fit_heads(memory, cache)
    fit_s = time.perf_counter() - started
    catalog = memory.catalog()
    rows = []
    for photo in case.asked:
        started = time.perf_counter()
        evidence = gather(memory, catalog, heads, cache, see(photo.description), minigpt=minigpt)
        fused = fusion.fuse(evidence.parts, heads.weights, len(catalog.codes))
        ms = (time.perf_counter() - started) * 1000
        truth = catalog.row_of[photo.sku_code]
        for name, p in {
            **{k: np.exp(v) for k, v in evidence.parts.items()},
            "fused": fused,
        }.items():
            rows.append(
                {
                    "state": case.state,
                    "held_out": case.held_out,
                    "evidence": name,
                    # ties count half, so that a silent source gains nothing
                    "rank": float((p > p[truth]).sum() + ((p == p[truth]).sum() - 1) / 2),
                    "confidence": float(p.max()),
                    "nll": float(-np.log(max(p[truth], 1e-12))),
                    "ms": ms,
                    "fit_s": fit_s,
                    "asked": photo.key,
                }
            )
    return rows


def summarise(rows: Sequence[dict[str, object]], asked: int) -> dict[str, float]:
    """Figures over ``asked`` questions; a photo on which the evidence is silent counts as wrong."""
    rank = np.asarray([r["rank"] for r in rows], float)
    confidence = np.asarray([r["confidence"] for r in rows], float)
    return {
        "top1": float((rank < 0.5).sum() / asked),
        "top5": float((rank < 5).sum() / asked),
        "ece": fusion.expected_calibration_error(confidence, rank < 0.5),
        "nll": float(np.mean([r["nll"] for r in rows])),
        "ms": float(np.median([r["ms"] for r in rows])),
        "fit_s": float(np.mean([r["fit_s"] for r in rows])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    default_cache = Path(tempfile.gettempdir()) / "warevision-bench"
    parser.add_argument("--cache", type=Path, default=default_cache)
    parser.add_argument("--only", choices=["val", "random", "grouped"])
    parser.add_argument("--describe-only", action="store_true", help="fill the cache and stop")
    parser.add_argument("--model", type=Path, help="a MiniGPT; implies --only val")
    parser.add_argument("--json", action="store_true", help="one JSON line a row of the table")
    options = parser.parse_args()
    limit_threads(1)
    data = Grocery(data_folder(), options.cache)
    timings = [p.description.timings_ms for p in data.train]
    if options.describe_only:
        return
    minigpt = None
    if options.model is not None:
        minigpt, options.only = Reader.open(options.model), "val"
        data.look(minigpt)
    cache = MatchCache(capacity=5_000_000)
    rows: list[dict[str, object]] = []
    chosen = [c for c in cases(data) if options.only in (None, c.held_out)]
    for case in tqdm(chosen, "evaluate", disable=not sys.stderr.isatty()):
        rows += evaluate(data, case, cache, minigpt)
    if not options.json:
        medians = {k: np.median([t[k] for t in timings]) for k in timings[0]}
        print("describe, ms a photo:", ", ".join(f"{k} {v:.0f}" for k, v in medians.items()))
        print(f"{'state':6}{'held out':10}{'evidence':12}{'top-1':>7}{'top-5':>7}", end="")
        print(f"{'ECE':>7}{'NLL':>7}{'rank ms':>9}{'fit s':>7}{'n':>6}")
    keys = sorted({(r["state"], r["held_out"]) for r in rows}, key=str)
    for state, held_out in keys:
        of_case = [r for r in rows if (r["state"], r["held_out"]) == (state, held_out)]
        asked = sum(r["evidence"] == "fused" for r in of_case)
        for name in (*fusion.SOURCES, "fused"):
            chosen_rows = [r for r in of_case if r["evidence"] == name]
            if not chosen_rows:
                continue
            s = summarise(chosen_rows, asked)
            if options.json:
                head = {"state": state, "held_out": held_out, "evidence": name}
                print(json.dumps({**head, **s, "asked": asked}))
            else:
                print(f"{state:6}{held_out:10}{name:12}{s['top1']:7.3f}{s['top5']:7.3f}", end="")
                print(f"{s['ece']:7.3f}{s['nll']:7.3f}", end="")
                print(f"{s['ms']:9.1f}{s['fit_s']:7.1f}{asked:6}")


if __name__ == "__main__":
    main()
