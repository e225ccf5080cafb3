"""How well known pictures are found: by a photo, raw and in the learned space, and by a text.

    python -m bench.retrieval [--json] [--documents 100000]

On the grocery photos (see bench/recognition.py), by folds that keep look-alike photos of a SKU together, and on the
validation photos with all training photos known. ``known``: what is asked about is among the SKUs that taught the
space. ``unseen``: the space was taught other SKUs, a fifth of them missing in turn, and pictures of all SKUs are
searched. A photo finds a picture of its SKU first or among five; a SKU's Chinese name finds photos that
nobody has decided, whose print is Swedish. mAP is the mean average precision, beside that of chance.
With ``--documents``, how long words take to be found among so many captions.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.recognition import Grocery, data_folder
from inference.decided import FOLDS, Photo, changes_of, embeddings_of, example_of, shoot_folds
from inference.local import limit_threads
from inference.retrieval.heads import fit_metric_head
from inference.retrieval.memory import WORD_FIELDS, SiteMemory
from inference.retrieval.search import similar_pictures
from inference.retrieval.towers import fit_text_tower
from inference.retrieval.words import WordsIndex


@dataclass(frozen=True)
class Case:
    """Photos that are known, those that are asked about, and SKUs that teach nothing."""

    held_out: str
    known: Sequence[Photo]
    asked: Sequence[Photo]
    untaught: frozenset[str] = frozenset()


def cases(data: Grocery) -> Iterator[Case]:
    """Held-out folds and validation photos, with and without the SKUs in question."""
    fold = shoot_folds(data.train)
    codes = sorted({p.sku_code for p in data.train})
    order = np.random.default_rng(1).permutation(len(codes))
    for number in range(FOLDS):
        gone = frozenset(codes[i] for i in order[number::FOLDS])
        rest = [p for p, f in zip(data.train, fold, strict=True) if f != number]
        asked = [p for p, f in zip(data.train, fold, strict=True) if f == number]
        yield Case("folds", rest, asked)
        yield Case("folds", rest, asked, gone)
        yield Case("val", data.train, data.val, gone)
    yield Case("val", data.train, data.val)


def by_picture(data: Grocery, case: Case) -> list[dict[str, object]]:
    """A row for each photo and space."""
    taught = [p for p in case.known if p.sku_code not in case.untaught]
    metric = fit_metric_head(embeddings_of(taught), [p.sku_code for p in taught])
    memory = SiteMemory("bench")
    memory.apply(changes_of(data.skus, [], case.known))
    rows: list[dict[str, object]] = []
    asked = [p for p in case.asked if not case.untaught or p.sku_code in case.untaught]
    for photo, vector in zip(asked, embeddings_of(asked), strict=True):
        for space, head in (("raw", None), ("learned", metric)):
            found = [hit.sku_code for hit in similar_pictures(memory, vector, 5, head)]
            rows.append(
                {
                    "asked": "photo → picture",
                    "space": space,
                    "held_out": case.held_out,
                    "skus": "unseen" if case.untaught else "known",
                    "at1": found[:1] == [photo.sku_code],
                    "at5": photo.sku_code in found,
                }
            )
    return rows


def by_name(data: Grocery, case: Case) -> list[dict[str, object]]:
    """A row for each SKU whose photos are looked for by its name."""
    taught = [p for p in case.known if p.sku_code not in case.untaught]
    references = [p for p in data.references if p.sku_code not in case.untaught]
    metric = fit_metric_head(embeddings_of(taught), [p.sku_code for p in taught])
    examples = [example_of(p, "decided") for p in taught]
    examples += [example_of(p, "reference") for p in references]
    skus = {sku.code: sku for sku in data.skus}
    tower = fit_text_tower(examples, skus, metric)
    assert tower is not None
    pictures = tower.pictures(embeddings_of(case.asked))
    truth = np.asarray([p.sku_code for p in case.asked])
    rows: list[dict[str, object]] = []
    for code in sorted(case.untaught & set(truth.tolist()) or set(truth.tolist())):
        hit = truth[np.argsort(-(pictures @ tower.texts([skus[code].name])[0]))] == code
        precision = np.cumsum(hit)[hit] / (np.flatnonzero(hit) + 1)
        rows.append(
            {
                "asked": "name → photo",
                "space": "contrastive",
                "held_out": case.held_out,
                "skus": "unseen" if case.untaught else "known",
                "at1": bool(hit[0]),
                "at5": bool(hit[:5].any()),
                "map": float(precision.mean()),
                "chance": float(hit.mean()),
            }
        )
    return rows


def by_words(data: Grocery, documents: int) -> dict[str, float]:
    """Milliseconds to put a caption with OCR text, and to find ten of ``documents``."""
    rng = np.random.default_rng(0)
    index = WordsIndex(WORD_FIELDS)
    photos = [*data.train, *data.val]
    started = time.perf_counter()
    for n in range(documents):
        one, other = photos[n % len(photos)], photos[int(rng.integers(len(photos)))]
        text = " ".join(line.text for line in other.description.ocr_lines)
        index.put(f"cap:{n}", {"caption": [one.caption, f"批次{n}"], "ocr": [text]})
    put_ms = (time.perf_counter() - started) * 1000 / documents
    taken = []
    for n in range(60):
        sku = data.skus[n % len(data.skus)]
        text = (sku.name, sku.pack_text, f"{sku.category} 批次{n * 7}")[n % 3]
        started = time.perf_counter()
        index.search(text, 10)
        taken.append((time.perf_counter() - started) * 1000)
    p50, p95 = (float(np.quantile(taken, q)) for q in (0.5, 0.95))
    return {"documents": documents, "put_ms": put_ms, "p50_ms": p50, "p95_ms": p95}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.retrieval", description=__doc__)
    default_cache = Path(tempfile.gettempdir()) / "warevision-bench"
    parser.add_argument("--cache", type=Path, default=default_cache)
    parser.add_argument("--documents", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    limit_threads(1)
    data = Grocery(data_folder(), options.cache)
    rows = [row for case in cases(data) for row in (*by_picture(data, case), *by_name(data, case))]
    kinds = sorted({(r["asked"], r["held_out"], r["skus"], r["space"]) for r in rows}, key=str)
    for kind in kinds:
        of_kind = [r for r in rows if (r["asked"], r["held_out"], r["skus"], r["space"]) == kind]
        figures = {
            name: float(np.mean([r[name] for r in of_kind]))  # type: ignore[arg-type]
            for name in ("at1", "at5", "map", "chance")
            if name in of_kind[0]
        }
        head = dict(zip(("asked", "held_out", "skus", "space"), kind, strict=True))
        show({**head, "n": len(of_kind), **figures}, as_json=options.json)
    if options.documents:
        show(dict(by_words(data, options.documents)), as_json=options.json)


def show(row: dict[str, object], *, as_json: bool) -> None:
    """One line."""
    if as_json:
        print(json.dumps(row, ensure_ascii=False), flush=True)
        return
    parts = [f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()]
    print("   ".join(parts), flush=True)


if __name__ == "__main__":
    main()
