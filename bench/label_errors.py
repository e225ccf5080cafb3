"""How well wrong captions are found among right ones (ADR 34).

On the grocery training photos: a share of the captions is given another SKU, at random and, apart from that,
that of the SKU that looks most alike; then all are ranked by how much their neighbours contradict them
(``annotator.quality.doubts``). Precision at the number planted, and how many are among the first tenth.

    python -m bench.label_errors [--share 0.05] [--draws 5]

Twice: without votes of near-duplicates, as in service; and without votes of the same shoot, as if nobody had
decided anything like it. Only looks are asked, not barcodes, print, the catalog or the model.
Embeddings are cached in ``--cache``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering
from tqdm import tqdm

from annotator.quality import doubts
from bench.recognition import data_folder
from inference.captions import parse
from inference.decided import FOLDS
from inference.local import limit_threads
from inference.pictures import decode
from inference.retrieval.backbone import ImageEmbedder


def photos(folder: Path) -> list[tuple[Path, str]]:
    """The training photos with their SKU."""
    lines = (folder / "annotations/train.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [(folder / r["image_path"], str(parse(r["caption"]).values["sku"])) for r in rows]


def embeddings(paths: list[Path], cache: Path) -> NDArray[np.float32]:
    """How the photos look [N, D], each of length one; from the cache where it has them."""
    name = hashlib.sha256("\n".join(map(str, paths)).encode()).hexdigest()[:12]
    kept = cache / f"looks-{name}.npy"
    if not kept.exists():
        embedder = ImageEmbedder(threads=1)
        found = [
            embedder.embed([decode(path.read_bytes())])[0]
            for path in tqdm(paths, "look", disable=not sys.stderr.isatty())
        ]
        cache.mkdir(parents=True, exist_ok=True)
        np.save(kept, np.asarray(found, np.float32))
    vectors: NDArray[np.float32] = np.load(kept)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def near_duplicates(vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number for each photo [N], the same for those of one SKU that are nearly the same."""
    groups = np.arange(len(labels))
    for at, near in enumerate(vectors @ vectors.T > 0.97):
        same = near & (labels == labels[at])
        groups[np.isin(groups, groups[same])] = groups[same].min()
    return groups


def shoots(vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number for each photo [N], the same for those of one shoot: the photos of a SKU in five clusters of
    look-alikes (as ``inference.decided.shoot_folds``)."""
    groups = np.zeros(len(labels), np.int64)
    for label in range(labels.max() + 1):
        rows = np.flatnonzero(labels == label)
        clusters = AgglomerativeClustering(
            min(FOLDS, len(rows)), metric="cosine", linkage="average"
        )
        groups[rows] = label * FOLDS + clusters.fit_predict(vectors[rows])
    return groups


def most_alike(vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each label the one whose photos look most like its own on the average."""
    count = labels.max() + 1
    means = np.stack([vectors[labels == label].mean(axis=0) for label in range(count)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    alike = means @ means.T
    np.fill_diagonal(alike, -1)
    return alike.argmax(axis=1)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.label_errors", description=__doc__)
    default_cache = Path(tempfile.gettempdir()) / "warevision-bench"
    parser.add_argument("--cache", type=Path, default=default_cache)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--draws", type=int, default=5)
    options = parser.parse_args()
    limit_threads(1)
    known = photos(data_folder())
    vectors = embeddings([path for path, _ in known], options.cache)
    codes = sorted({code for _, code in known})
    truth = np.array([codes.index(code) for _, code in known])
    alike = most_alike(vectors, truth)
    planted = round(options.share * len(truth))
    print(f"{len(truth)} photos, {len(codes)} SKUs, {planted} planted")
    everything = np.arange(len(truth))
    for aside, groups in (
        ("near-duplicates", near_duplicates(vectors, truth)),
        ("the whole shoot", shoots(vectors, truth)),
    ):
        for name in ("another SKU at random", "the SKU most alike"):
            precision, early = [], []
            for seed in range(options.draws):
                rng = np.random.default_rng(seed)
                wrong = rng.choice(len(truth), planted, replace=False)
                given = truth.copy()
                given[wrong] = (
                    (truth[wrong] + rng.integers(1, len(codes), planted)) % len(codes)
                    if name.endswith("random")
                    else alike[truth[wrong]]
                )
                shares = doubts.votes(vectors, given, groups, everything)
                scores = [
                    doubts.combined([doubts.against(share, int(label))[0]])
                    for share, label in zip(shares, given, strict=True)
                ]
                order = np.argsort(scores)[::-1]
                precision.append(np.isin(order[:planted], wrong).mean())
                early.append(np.isin(wrong, order[: len(order) // 10]).mean())
            print(
                f"{name}, {aside} aside: precision at {planted} {np.mean(precision):.2f} "
                f"({min(precision):.2f}–{max(precision):.2f}), by chance {options.share:.2f}; "
                f"{100 * np.mean(early):.0f}% among the first tenth"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
