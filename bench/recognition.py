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

``98%`` is the share of photos above the confidence from which 98 in a hundred are right. The last table is
about 'none of these': each SKU is left out of the catalog once, a fifth of them at a time, and its photos are asked
about together with those of the others.

With ``--model`` a MiniGPT, taught the training photos, joins in; it has seen them all, so that the validation
photos alone are asked about. Descriptions are cached in ``--cache``, for reading text takes minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold
from tqdm import tqdm

from inference.decided import FOLDS, DecidedPhotos, Photo, changes_of, draw, seen_by, shoot_folds
from inference.evidence import fusion, openset
from inference.evidence.shipped import SHIPPED
from inference.gathering import MatchCache, fuse, gather, see
from inference.learning import fit_heads
from inference.local import limit_threads
from inference.minigpt.reading import Reader
from inference.ranking import none_of_these
from inference.retrieval.heads import harmonic_mean
from inference.retrieval.memory import SiteMemory

ROOT = Path(__file__).resolve().parents[1]
DRAWS = 3
SHOTS = 5


@dataclass(frozen=True)
class Case:
    """One held-out evaluation: what has been decided, and which photos are asked about."""

    state: str
    held_out: str
    decided: Sequence[Photo]
    asked: Sequence[Photo]
    gone: frozenset[str] = frozenset()


def data_folder() -> Path:
    """The grocery data set; exits with a message where it is absent."""
    folder = Path(os.environ.get("WAREVISION_GROCERY", ROOT.parent / "shared/data/grocery"))
    if not (folder / "metadata/sku_catalog.csv").is_file():
        sys.exit(f"no grocery data set in {folder}: set WAREVISION_GROCERY")
    return folder


class Grocery(DecidedPhotos):
    """The data set, described."""

    def __init__(self, folder: Path, cache: Path) -> None:
        super().__init__(folder, cache)
        self.train, self.val = self.splits["train"], self.splits["val"]


def random_folds(photos: Sequence[Photo]) -> np.ndarray:
    """Fold [N] of each photo, at random, stratified by SKU."""
    fold = np.zeros(len(photos), int)
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for number, (_, test) in enumerate(splitter.split(photos, [p.sku_code for p in photos])):
        fold[test] = number
    return fold


def cases(data: Grocery) -> Iterator[Case]:
    """All held-out evaluations."""
    yield Case("a", "val", [], data.val)
    yield Case("a", "grouped", [], data.train)
    for seed in range(DRAWS):
        yield Case("b", "val", draw(data.train, SHOTS, seed), data.val)
    yield Case("c", "val", data.train, data.val)
    for name, fold in (
        ("random", random_folds(data.train)),
        ("grouped", shoot_folds(data.train)),
    ):
        for number in range(FOLDS):
            rest = [p for p, f in zip(data.train, fold, strict=True) if f != number]
            asked = [p for p, f in zip(data.train, fold, strict=True) if f == number]
            yield Case("b", name, draw(rest, SHOTS, number), asked)
            yield Case("c", name, rest, asked)


def without_skus(data: Grocery) -> Iterator[Case]:
    """Each SKU left out of the catalog once, in the states of :func:`cases`."""
    codes = sorted({p.sku_code for p in data.train})
    order = np.random.default_rng(1).permutation(len(codes))
    fold = shoot_folds(data.train)
    for number in range(FOLDS):
        gone = frozenset(codes[i] for i in order[number::FOLDS])
        rest = [p for p, f in zip(data.train, fold, strict=True) if f != number]
        asked = [p for p, f in zip(data.train, fold, strict=True) if f == number]
        for state, shots in (("a", 0), ("b", SHOTS), ("c", len(rest))):
            yield Case(state, "val", draw(data.train, shots, number), data.val, gone)
            yield Case(state, "grouped", draw(rest, shots, number), asked, gone)


def evaluate(
    data: Grocery, case: Case, cache: MatchCache, minigpt: Reader | None = None
) -> list[dict[str, object]]:
    """One row for each piece of evidence and photo: rank of the truth, confidence, rank time. Of
    SKUs that are gone only whether the photo was taken for none of the catalog."""
    memory = SiteMemory("grocery")
    memory.apply(
        changes_of(
            [sku for sku in data.skus if sku.code not in case.gone],
            [p for p in data.references if p.sku_code not in case.gone],
            [p for p in case.decided if p.sku_code not in case.gone],
        )
    )
    started = time.perf_counter()
    # 'none of these' hangs little on a site's own weights, which take longest to fit
    given = SHIPPED.weights(_per_sku(case)) if case.gone else None
    heads = fit_heads(memory, cache, weights=given)
    fit_s = time.perf_counter() - started
    catalog = memory.catalog()
    rows: list[dict[str, object]] = []
    for photo in case.asked:
        started = time.perf_counter()
        seen = see(photo.description)
        evidence = gather(memory, catalog, heads, cache, seen, minigpt=minigpt)
        fused = fuse(evidence, heads.weights)
        none = none_of_these(memory, catalog, heads, seen, evidence, fused)
        ms = (time.perf_counter() - started) * 1000
        common = {"state": case.state, "held_out": case.held_out, "asked": photo.key}
        if case.gone:
            rows.append({**common, "none": none, "gone": photo.sku_code in case.gone})
            continue
        truth = catalog.row_of[photo.sku_code]
        parts = {name: np.exp(log_p) for name, log_p in evidence.parts.items()}
        for name, p in {**parts, "fused": (1 - none) * fused}.items():
            rows.append(
                {
                    **common,
                    "evidence": name,
                    # ties count half, so that a silent source gains nothing
                    "rank": float((p > p[truth]).sum() + ((p == p[truth]).sum() - 1) / 2),
                    "confidence": float(p.max()),
                    "nll": float(-np.log(max(p[truth], 1e-12))),
                    "ms": ms,
                    "fit_s": fit_s,
                }
            )
    return rows


def _per_sku(case: Case) -> float:
    counts = Counter(p.sku_code for p in case.decided if p.sku_code not in case.gone)
    return harmonic_mean(list(counts.values()))


def summarise(rows: Sequence[dict[str, object]], asked: int) -> dict[str, float]:
    """Figures over ``asked`` questions; a photo on which the evidence is silent counts as wrong."""
    rank = np.asarray([r["rank"] for r in rows], float)
    confidence = np.asarray([r["confidence"] for r in rows], float)
    return {
        "top1": float((rank < 0.5).sum() / asked),
        "top5": float((rank < 5).sum() / asked),
        "ece": fusion.expected_calibration_error(confidence, rank < 0.5),
        "nll": float(np.mean([r["nll"] for r in rows])),
        "coverage_98": openset.coverage_at(0.98, confidence, rank < 0.5)[1],
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
        data.val = seen_by(minigpt, data.val)
    cache = MatchCache(capacity=5_000_000)
    rows: list[dict[str, object]] = []
    chosen = [
        case
        for case in [*cases(data), *without_skus(data)]
        if options.only in (None, case.held_out)
    ]
    for case in tqdm(chosen, "evaluate", disable=not sys.stderr.isatty()):
        rows += evaluate(data, case, cache, minigpt)
    if not options.json:
        medians = {k: np.median([t[k] for t in timings if k in t]) for k in timings[0]}
        print("describe, ms a photo:", ", ".join(f"{k} {v:.0f}" for k, v in medians.items()))
    show([r for r in rows if "rank" in r], as_json=options.json)
    show_none([r for r in rows if "none" in r], as_json=options.json)


def show(rows: Sequence[dict[str, object]], *, as_json: bool) -> None:
    """The table of what was said of photos of known SKUs."""
    if not as_json:
        print(f"{'state':6}{'held out':10}{'evidence':12}{'top-1':>7}{'top-5':>7}", end="")
        print(f"{'ECE':>7}{'NLL':>7}{'98%':>7}{'rank ms':>9}{'fit s':>7}{'n':>6}")
    for state, held_out in sorted({(r["state"], r["held_out"]) for r in rows}, key=str):
        of_case = [r for r in rows if (r["state"], r["held_out"]) == (state, held_out)]
        asked = sum(r["evidence"] == "fused" for r in of_case)
        for name in (*fusion.SOURCES, "fused"):
            chosen_rows = [r for r in of_case if r["evidence"] == name]
            if not chosen_rows:
                continue
            s = summarise(chosen_rows, asked)
            if as_json:
                head = {"state": state, "held_out": held_out, "evidence": name}
                print(json.dumps({**head, **s, "asked": asked}))
            else:
                print(f"{state:6}{held_out:10}{name:12}{s['top1']:7.3f}{s['top5']:7.3f}", end="")
                print(f"{s['ece']:7.3f}{s['nll']:7.3f}{s['coverage_98']:7.3f}", end="")
                print(f"{s['ms']:9.1f}{s['fit_s']:7.1f}{asked:6}")


def show_none(rows: Sequence[dict[str, object]], *, as_json: bool) -> None:
    """How well photos of SKUs that are not in the catalog are told from others."""
    if not as_json:
        print(f"{'state':6}{'held out':10}{'none: AUROC':>12}{'gone':>7}{'n':>6}")
    for state, held_out in sorted({(r["state"], r["held_out"]) for r in rows}, key=str):
        of_case = [r for r in rows if (r["state"], r["held_out"]) == (state, held_out)]
        gone = np.asarray([r["gone"] for r in of_case], bool)
        area = openset.auroc(np.asarray([r["none"] for r in of_case], float), gone)
        if as_json:
            row = {"state": state, "held_out": held_out, "evidence": "none", "auroc": area}
            print(json.dumps({**row, "gone": float(gone.mean()), "asked": len(gone)}))
        else:
            print(f"{state:6}{held_out:10}{area:12.3f}{gone.mean():7.3f}{len(gone):6}")


if __name__ == "__main__":
    main()
