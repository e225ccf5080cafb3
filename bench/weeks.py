"""A site's first weeks: how suggestions become better as people decide.

    python -m bench.weeks [--minigpt 200] [--runs 2] [--folds] [--plot weeks.svg] [--json]

At first there is the catalog of the grocery data set, with its reference pictures. Then simulated annotators decide
the training photos in batches of 100, of which 2% are wrong (another SKU, or one unit more), in random order, or in
that of the queue: a tenth at random, the others by what they are worth (``annotator/labeling/worth.py``). After each
batch what a site learns by itself is fitted anew, and asked about the 100 validation photos. With ``--minigpt N``, the
shipped base looks along from the beginning, and after every N decisions a MiniGPT is taught all so far, from the base.

``keys`` are expected for a photo: one to take a whole suggestion that is right; else one for a SKU among the first five
(five to search for another), one for a condition, two for a quantity that is wrong or not suggested, and one to submit.
``taken`` is the share of suggested fields that are right, as people would take them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from annotator.labeling.worth import Waiting, values_of
from bench.plots import curves
from bench.recognition import Grocery, data_folder
from inference import bundles
from inference.captions import parse
from inference.contracts import Change, Recognition
from inference.decided import FOLDS, Photo, changes_of, example_of, seen_by, shoot_folds
from inference.gathering import Heads, MatchCache
from inference.learning import fit_heads
from inference.local import limit_threads
from inference.minigpt.reading import Reader
from inference.ranking import rank
from inference.retrieval.memory import SiteMemory

BATCH = 100
WRONG = 0.02
AT_RANDOM = 0.1
"""Of a batch, as projects have it unless told otherwise."""
FIELDS = ("sku", "category", "spec", "quantity", "condition")
PANELS = {
    "top_1": "SKU right first",
    "caption": "whole caption right",
    "taken": "suggested fields that are right",
    "keys": "keys a photo",
}
COLUMNS = ("order", "run", "decided", "minigpt_of", "top_1", "top_5", "caption", "taken", "keys")


@dataclass
class Site:
    """A simulated site: what it has decided, rightly or not, and what it has learned of it."""

    data: Grocery
    left: list[Photo]
    asked: list[Photo]
    rng: np.random.Generator
    cache: MatchCache
    minigpt: Reader | None = None
    learned_of: int = 0

    def __post_init__(self) -> None:
        self.memory = SiteMemory("weeks")
        self.memory.apply(changes_of(self.data.skus, self.data.references, []))
        self.heads: Heads = fit_heads(self.memory, self.cache)
        self.decided: list[Photo] = []

    def decide(self, photos: Sequence[Photo]) -> None:
        """People decide ``photos``; the site learns."""
        chosen = {photo.key for photo in photos}
        self.left = [photo for photo in self.left if photo.key not in chosen]
        said = [self._said(photo) for photo in photos]
        self.decided += said
        self.memory.apply(Change(0, "put_example", example=example_of(p, "decided")) for p in said)
        self.heads = fit_heads(self.memory, self.cache)

    def _said(self, photo: Photo) -> Photo:
        if self.rng.random() >= WRONG:
            return photo
        if self.rng.random() < 0.5:
            others = [sku for sku in self.data.skus if sku.code != photo.sku_code]
            wrong = others[self.rng.integers(len(others))]
            caption = photo.caption.replace(photo.sku_code, wrong.code)
            return replace(photo, sku_code=wrong.code, caption=caption)
        quantity = str(parse(photo.caption).values["quantity"])
        more = quantity.replace("1", "2", 1)
        return replace(photo, caption=photo.caption.replace(f"】{quantity}|", f"】{more}|"))

    def asks(self, photo: Photo) -> Recognition:
        """What the machine suggests for a photo."""
        return rank(self.memory, self.heads, self.cache, photo.description, "weeks", self.minigpt)

    def next_batch(self, order: str) -> list[Photo]:
        """The photos to be decided next."""
        self.rng.shuffle(self.left)  # type: ignore[arg-type]
        if order == "random" or len(self.left) <= BATCH:
            return self.left[:BATCH]
        first = round(BATCH * AT_RANDOM)
        rest = self.left[first:]
        seen = Counter(photo.sku_code for photo in self.decided)
        worth = values_of((self._waiting(n, photo) for n, photo in enumerate(rest)), seen)
        most = sorted(worth, key=lambda n: (-worth[n], n))
        return self.left[:first] + [rest[n] for n in most[: BATCH - first]]

    def _waiting(self, number: int, photo: Photo) -> Waiting:
        found = self.asks(photo).candidates
        return Waiting(number, *((found[0].sku_code, found[0].confidence) if found else ("", 0.0)))

    def learn(self, scratch: Path, epochs: int) -> None:
        """Teach a MiniGPT all that is decided."""
        from inference.training.course import Course, train
        from inference.training.recipe import Recipe
        from inference.training.snapshot import Record, Snapshot, read_snapshot, values_of

        known = read_snapshot(data_folder())
        by_path = {record.path.resolve(): record for record in known.splits["train"]}
        records: list[Record] = []
        for photo in self.decided:
            record = by_path[photo.path.resolve()]
            records.append(replace(record, values=values_of(photo.caption)))
        out = scratch / f"{len(list(scratch.iterdir()))}"
        base = bundles.base()
        recipe = Recipe(epochs=epochs)
        train(Snapshot({"train": tuple(records)}, known.catalog), out, Course(recipe, base, True))
        self.use(Reader.open(out))
        self.learned_of = len(self.decided)

    def use(self, minigpt: Reader) -> None:
        """Let ``minigpt`` look at what is not decided yet."""
        self.minigpt = minigpt
        self.asked = seen_by(self.minigpt, self.asked)
        self.left = seen_by(self.minigpt, self.left)


def figures(site: Site) -> dict[str, float]:
    """What the site's suggestions are worth on the photos asked about."""
    top_1 = top_5 = whole = taken = given = keys = 0.0
    for photo in site.asked:
        truth = {k: str(v) for k, v in parse(photo.caption).values.items()}
        answer = site.asks(photo)
        codes = [one.sku_code for one in answer.candidates]
        right = {k: answer.fields[k].value == truth[k] for k in FIELDS}
        suggested = [k for k in FIELDS if answer.fields[k].value is not None]
        top_1 += codes[:1] == [photo.sku_code]
        top_5 += photo.sku_code in codes[:5]
        whole += all(right.values())
        taken += sum(right[k] for k in suggested)
        given += len(suggested)
        keys += 1.0 if all(right.values()) else keys_of(right, photo.sku_code in codes[:5])
    count = len(site.asked)
    found = {"top_1": top_1, "top_5": top_5, "caption": whole, "keys": keys}
    return {k: v / count for k, v in found.items()} | {"taken": taken / max(1.0, given)}


def keys_of(right: dict[str, bool], near: bool) -> float:
    """The keys that mending a suggestion costs."""
    sku = 0.0 if right["sku"] else 1.0 if near else 5.0
    return 1.0 + sku + 2.0 * (not right["quantity"]) + 1.0 * (not right["condition"])


def weeks(data: Grocery, order: str, run: int, options: argparse.Namespace) -> Iterator[dict]:
    """A row for each batch, from the empty site on."""
    train, asked = list(data.train), list(data.val)
    if options.folds:
        fold = shoot_folds(data.train)
        train = [p for p, f in zip(data.train, fold, strict=True) if f != run % FOLDS]
        asked = [p for p, f in zip(data.train, fold, strict=True) if f == run % FOLDS]
    site = Site(data, train, asked, np.random.default_rng(run), MatchCache(capacity=5_000_000))
    base = bundles.base()
    if options.minigpt and base is not None:
        site.use(Reader.open(base))
    with tempfile.TemporaryDirectory(prefix="warevision-weeks-") as scratch:
        while True:
            row = {"order": order, "run": run, "decided": len(site.decided)}
            yield {**row, "minigpt_of": site.learned_of, **figures(site)}
            if not site.left or len(site.decided) >= options.most:
                return
            site.decide(site.next_batch(order))
            if options.minigpt and len(site.decided) % options.minigpt == 0:
                site.learn(Path(scratch), options.epochs)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.weeks", description=__doc__)
    parser.add_argument("--orders", nargs="+", default=["random", "active"])
    parser.add_argument("--runs", type=int, default=2, help="of each order")
    parser.add_argument(
        "--folds",
        action="store_true",
        help="ask about a fifth of the training photos instead, another with each run, which keeps a SKU's "
        "look-alikes together: the figures to choose by",
    )
    parser.add_argument("--most", type=int, default=10_000, help="decisions after which to stop")
    parser.add_argument("--minigpt", type=int, default=0, help="decisions between two trainings")
    parser.add_argument("--epochs", type=int, default=12, help="of each training")
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "warevision-bench"
    )
    parser.add_argument("--plot", type=Path, help="the curves as a picture (.svg, .png)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    limit_threads(1)
    data = Grocery(data_folder(), options.cache)
    rows: list[dict[str, Any]] = []
    for order in options.orders:
        for run in range(options.runs):
            for row in tqdm(weeks(data, order, run, options), disable=not sys.stderr.isatty()):
                said = "  ".join(
                    f"{k} {row[k]:.3f}" if isinstance(row[k], float) else f"{k} {row[k]}"
                    for k in COLUMNS
                )
                print(json.dumps(row) if options.json else said, flush=True)
                rows.append(row)
    if options.plot:
        curves(rows, options.plot, x="decided", way="order", run="run", panels=PANELS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
