"""``python -m inference.evidence fit``: fit fusion on the decided photos of a data set."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from inference import fitting
from inference.decided import FOLDS, DecidedPhotos, Photo, seen_by
from inference.evidence.openset import NoneModel
from inference.evidence.shipped import PATH, SHIPPED, Shipped
from inference.gathering import MatchCache
from inference.local import limit_threads
from inference.minigpt.reading import Reader


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m inference.evidence", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    fit = commands.add_parser("fit", help="fit weights and 'none of these' by cross-validation")
    fit.add_argument("snapshot", type=Path, help="a data set, as it is exported")
    fit.add_argument("--split", default="train", help="its photos (default: %(default)s)")
    fit.add_argument(
        "--model",
        type=Path,
        nargs="+",
        default=[],
        help="MiniGPTs, whose weight is then fitted too: one that has seen none of these photos, or one a fold, "
        "each heard on the photos that it was judged on (its answers.jsonl)",
    )
    fit.add_argument("--out", type=Path, default=PATH, help="(default: what is shipped)")
    default_cache = Path(tempfile.gettempdir()) / "warevision-bench"
    fit.add_argument("--cache", type=Path, default=default_cache, help="keeps descriptions")
    fit.add_argument("--json", action="store_true", help="one machine-readable result line")
    options = parser.parse_args(argv)
    limit_threads(1)
    try:
        shipped, figures = fit_all(options.snapshot, options.split, options.cache, options.model)
    except (OSError, ValueError, KeyError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    text = json.dumps(shipped.to_json(), ensure_ascii=False, indent=1) + "\n"
    options.out.write_text(text, "utf-8")
    if options.json:
        print(json.dumps({"ok": True, "out": str(options.out), **figures}))
        return 0
    for name, row in figures.items():
        print(f"{name:16}", "  ".join(f"{key} {value:.3f}" for key, value in row.items()))
    return 0


def fit_all(
    snapshot: Path, split: str, cache: Path, models: Sequence[Path] = ()
) -> tuple[Shipped, dict[str, dict[str, float]]]:
    """What was fitted, and figures of what is fitted on the other folds. Raises :class:`ValueError`
    where there are too few photos."""
    data = DecidedPhotos(snapshot, cache)
    photos = data.splits.get(split, [])
    if len({p.sku_code for p in photos}) < 2 * FOLDS:
        raise ValueError(f"{snapshot}: {split} has photos of fewer than {2 * FOLDS} SKUs")
    photos, readers = with_readers(photos, models)
    matches = MatchCache(capacity=5_000_000)

    def asked(shipped: Shipped, *, leave_out: bool) -> list[fitting.Asked]:
        found: list[fitting.Asked] = []
        label = "leave SKUs out" if leave_out else "ask"
        todo: list[fitting.Case] = list(fitting.cases(photos, leave_out=leave_out))
        for case in tqdm(todo, label, disable=not sys.stderr.isatty()):
            found += fitting.ask(case, data.skus, data.references, shipped, matches, readers)
        return found

    closed = asked(SHIPPED, leave_out=False)
    shipped = fitting.fit_shipped_weights(closed, SHIPPED)
    pairs = list(fitting.crossed(closed, lambda part: fitting.fit_shipped_weights(part, SHIPPED)))
    figures = {}
    for state in fitting.STATES:
        figures[f"decided: {state}"] = fitting.closed_figures(_of(state, pairs))
    opened = asked(shipped, leave_out=True)
    shipped = _rounded(fitting.fit_shipped_none(opened, shipped))
    pairs = list(fitting.crossed(opened, lambda part: fitting.fit_shipped_none(part, shipped)))
    for state in fitting.STATES:
        figures[f"none of: {state}"] = fitting.none_figures(_of(state, pairs))
    told = f"{len(photos)} photos of {len({p.sku_code for p in photos})} SKUs"
    fitted = {**SHIPPED.fitted, "weights": told, "none": told}
    if readers:
        names = sorted({reader.name for reader in readers.values()})
        fitted["minigpt"] = f"{len(readers)} photos, {', '.join(names)}"
    return replace(shipped, fitted=fitted), figures


def with_readers(
    photos: Sequence[Photo], models: Sequence[Path]
) -> tuple[list[Photo], dict[str, Reader]]:
    """The photos, with what a MiniGPT sees in those that it has not seen before, and by their keys which."""
    found, readers = list(photos), {}
    for folder in models:
        reader = Reader.open(folder)
        own = None if len(models) == 1 else judged_on(folder)
        rows = [n for n, photo in enumerate(found) if own is None or photo.image_id in own]
        for n, photo in zip(rows, seen_by(reader, [found[n] for n in rows]), strict=True):
            found[n], readers[photo.key] = photo, reader
    return found, readers


def judged_on(model: Path) -> set[str]:
    """The names of the photos that a training held out. Raises :class:`OSError` where it wrote none down."""
    lines = (model / "answers.jsonl").read_text("utf-8").splitlines()
    return {json.loads(line)["image_id"] for line in lines}


def _of(
    state: str, pairs: Sequence[tuple[Shipped, list[fitting.Asked]]]
) -> list[tuple[Shipped, list[fitting.Asked]]]:
    return [(shipped, [one for one in asked if one.state == state]) for shipped, asked in pairs]


def _rounded(shipped: Shipped) -> Shipped:
    """Three digits, which is more than is known."""

    def short(values: Mapping[str, float]) -> dict[str, float]:
        return {key: round(value, 3) for key, value in values.items()}

    def model(found: NoneModel) -> NoneModel:
        return NoneModel(round(found.bias, 3), short(found.weights))

    return replace(
        shipped,
        taught=short(shipped.taught),
        untaught=short(shipped.untaught),
        half_taught=round(shipped.half_taught, 3),
        none_untaught=model(shipped.none_untaught),
        none_taught=model(shipped.none_taught),
    )


if __name__ == "__main__":
    sys.exit(main())
