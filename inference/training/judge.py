"""What a trained model makes of photos that it has not seen::

    python -m inference.training.judge --model DIR --snapshot DIR --out answers.jsonl

writes a line for each photo of the snapshot's ``val`` split, and prints the figures. What two models make of the
same photos can so be compared.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from inference.engines import EngineError
from inference.evidence.fusion import expected_calibration_error, log_softmax
from inference.evidence.openset import auroc, coverage_at
from inference.minigpt.reading import ATTRIBUTES, MOST_CODES, WEIGHED, Reader, place_of
from inference.minigpt.sight import Sight

from .metrics import bleu, cider, rouge_l
from .snapshot import (
    SPLITS,
    CatalogEntry,
    Record,
    Snapshot,
    SnapshotError,
    read_snapshot,
    text_of,
)

FloatArray = NDArray[np.float64]
_BATCH = 8
_HEAD = 0.8
"""Share of the photos that the head of the SKUs has."""
_HANG_ON_THE_SKU = ("sku", "category", "spec")
_TEMPERATURES = (0.05, 20.0)
_FEWEST_ATTRIBUTES = 20
"""Photos with an attribute, to be calibrated on."""
_WEIGHTS = (0.01, 10.0)
_NEVER = -1e6
"""Log-probability of what is no alternative."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of one photo beside what is true, by field, and how probable the model takes it to
    be. ``top_5`` are the most probable SKUs."""

    image_id: str
    scene_id: str
    cam_type: str
    category: str
    rarity: str
    group: str
    truth: Mapping[str, str | None]
    said: Mapping[str, str | None]
    confidence: Mapping[str, float]
    top_5: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """As a line of ``answers.jsonl``: with which fields are right, and whether the whole is."""
        right = {key: self.said.get(key) == value for key, value in self.truth.items()}
        return {**asdict(self), "correct": right, "whole": all(right.values())}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m inference.training.judge", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="a folder of a training's --out")
    parser.add_argument("--snapshot", type=Path, required=True)
    parser.add_argument("--split", choices=SPLITS, default="val")
    parser.add_argument("--out", type=Path, required=True, help="a file, written anew")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(argv)
    try:
        snapshot = read_snapshot(options.snapshot)
        records = snapshot.splits.get(options.split, ())
        reader = Reader.open(options.model, threads=options.threads)
        figures, answers = judged(reader, records, snapshot.catalog, seen_often(snapshot))
        write_answers(options.out, answers)
    except (SnapshotError, EngineError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(figures))
    return 0


def judge(
    reader: Reader, records: Sequence[Record], catalog: Mapping[str, CatalogEntry]
) -> dict[str, Any]:
    """The figures of :func:`judged`."""
    return judged(reader, records, catalog)[0]


def judged(
    reader: Reader,
    records: Sequence[Record],
    catalog: Mapping[str, CatalogEntry],
    seen_often: Collection[str] = (),
) -> tuple[dict[str, Any], list[Answer]]:
    """Figures on ``records``, and the answer to each of them.

    The figures are of those whose SKU is in the catalog: SKU right first and among the first five,
    by the decoder and the class head alone too; what its confidence is worth (see
    :func:`confidence_figures`), weighted as half of the records would have it for the other half; and how
    close whole captions come, whose category and spec are those of the catalog. SKUs that are not
    ``seen_often`` are the tail.
    """
    codes = codes_of(records, catalog)
    records = [r for r in records if r.sku in codes]
    if not records:
        return {"photos": 0}, []
    sights = see(reader, records)
    parts = [reader.sku_parts(sight, codes) for sight in sights]
    log_p = np.stack([reader.sku_log_p(sight, codes) for sight in sights])
    truth = [codes.index(r.sku or "") for r in records]
    figures: dict[str, Any] = {
        "photos": len(records),
        "top_1": round(top(log_p, truth, 1), 4),
        "top_5": round(top(log_p, truth, 5), 4),
    }
    honest = cross_fitted(parts, truth)
    figures |= confidence_figures(np.exp(honest.max(axis=1)), honest.argmax(axis=1) == truth)
    for name in parts[0]:
        alone = np.stack([part[name] for part in parts])
        figures[f"{name}_top_1"] = round(top(alone, truth, 1), 4)
    answers = []
    for record, sight, row in zip(records, sights, log_p, strict=True):
        order = np.argsort(-row)[:5]
        said, confidence = caption(reader, sight, catalog[codes[order[0]]])
        sure = float(np.exp(row[order[0]]))
        answers.append(
            Answer(
                record.image_id,
                record.scene_id,
                record.cam_type,
                record.values.get("category") or "",
                "head" if record.sku in seen_often else "tail",
                record.group,
                record.values,
                said,
                dict.fromkeys(_HANG_ON_THE_SKU, sure) | confidence,
                [codes[n] for n in order],
            )
        )
    return figures | figures_of(answers, reader.vocabulary.fields), answers


def figures_of(answers: Sequence[Answer], fields: Iterable[str]) -> dict[str, float]:
    """Shares of right fields and whole captions, and how close the texts come."""
    figures = {}
    for key in fields:
        equal = [a.said.get(key) == a.truth.get(key) for a in answers]
        figures[key] = round(sum(equal) / len(equal), 4)
    written = [text_of(a.said) for a in answers]
    decided = [text_of(a.truth) for a in answers]
    figures["caption"] = round(sum(map(str.__eq__, written, decided)) / len(decided), 4)
    for n in (1, 2, 3, 4):
        figures[f"bleu_{n}"] = round(bleu(written, decided, n), 4)
    figures["rouge_l"] = round(rouge_l(written, decided), 4)
    figures["cider"] = round(cider(written, decided), 3)
    return figures


def seen_often(snapshot: Snapshot) -> set[str]:
    """The SKUs of the training photos that make up the larger part of them: the head; the others,
    each seen seldom, are the long tail."""
    often = Counter(r.sku for r in snapshot.splits["train"] if r.sku)
    head: set[str] = set()
    covered, whole = 0, sum(often.values())
    for code, count in often.most_common():
        if covered >= _HEAD * whole:
            break
        head.add(code)
        covered += count
    return head


def write_answers(path: Path, answers: Iterable[Answer]) -> None:
    """One line an answer."""
    lines = (json.dumps(answer.to_json(), ensure_ascii=False) + "\n" for answer in answers)
    path.write_text("".join(lines), encoding="utf-8")


def calibrated(
    reader: Reader, records: Sequence[Record], catalog: Mapping[str, CatalogEntry]
) -> dict[str, dict[str, float]]:
    """``temperatures`` and weights (see :class:`inference.minigpt.reading.Facts`) that make
    ``records``, which the model has not seen, most probable (Guo et al. 2017). A field of which
    they say nothing has no temperature, nor an attribute of which they say next to nothing."""
    codes = codes_of(records, catalog)
    records = [r for r in records if r.sku in codes]
    parts: list[dict[str, FloatArray]] = []
    found: dict[str, list[tuple[dict[str, FloatArray], int]]] = {}
    attributes: dict[str, list[tuple[FloatArray, int]]] = {}
    for sight, record in zip(see(reader, records), records, strict=True):
        if reader.facts.classes:
            parts.append(reader.sku_parts(sight, codes))
        for name in ATTRIBUTES:
            place = place_of(name, record.attributes.get(name))
            if place is not None:
                log_p = log_softmax(sight.heads[name].astype(np.float64))
                attributes.setdefault(name, []).append((log_p, place))
        fields = list(record.values)
        for key in WEIGHED:
            hidden = key == "quantity" and record.truth and not record.truth.countable
            if key not in fields or hidden:
                continue
            before = {k: record.values[k] for k in fields[: fields.index(key)]}
            values, heard = reader.weights(sight, before, key, catalog[record.sku or ""].unit)
            if record.values[key] in values:
                found.setdefault(key, []).append((heard, values.index(record.values[key])))
    truth = [codes.index(r.sku or "") for r in records]
    counted = found.pop("quantity", [])
    facts = {
        "temperatures": {
            key: temperature([(heard["decoder"], place) for heard, place in rows])
            for key, rows in found.items()
        },
        "attribute_temperatures": {
            name: temperature(rows)
            for name, rows in attributes.items()
            if len(rows) >= _FEWEST_ATTRIBUTES
        },
        "sku_weights": pool_weights(parts, truth),
        "quantity_weights": pool_weights(*zip(*counted, strict=True)) if counted else {},
    }
    if counted:  # its weights are one already
        facts["temperatures"]["quantity"] = 1.0
    return facts


def pool_weights(
    parts: Sequence[Mapping[str, FloatArray]], truth: Sequence[int]
) -> dict[str, float]:
    """The weights of the sources of ``parts`` (log-probabilities [S] a photo) that make the true
    alternatives, named by their places, most probable."""
    names = list(parts[0]) if parts else []
    longest = max((len(part[name]) for part in parts for name in names), default=0)
    x = np.full((len(parts), len(names), longest), _NEVER)  # [R, sources, S]
    for row, part in zip(x, parts, strict=True):
        for line, name in zip(row, names, strict=True):
            line[: len(part[name])] = part[name]

    def loss(log_w: FloatArray) -> float:
        log_p = log_softmax(np.einsum("k,rks->rs", np.exp(log_w), x))
        return -float(log_p[np.arange(len(truth)), list(truth)].sum())

    if not names:
        return {}
    bounds = [tuple(np.log(_WEIGHTS))] * len(names)
    start = np.full(len(names), np.log(1 / len(names)))
    best = minimize(loss, start, method="L-BFGS-B", bounds=bounds)
    return {name: round(float(np.exp(v)), 4) for name, v in zip(names, best.x, strict=True)}


def cross_fitted(parts: Sequence[Mapping[str, FloatArray]], truth: Sequence[int]) -> FloatArray:
    """Log-probabilities [R, S] of SKUs, each half of the rows pooled with the weights that fit the
    other half: a fit judged on its own rows flatters itself."""
    log_p = np.zeros((len(parts), len(next(iter(parts[0].values())))))
    half = np.arange(len(parts)) % 2 == 0
    for rows, others in ((half, ~half), (~half, half)):
        fitted_on = np.flatnonzero(others).tolist() or list(range(len(parts)))
        weights = pool_weights([parts[n] for n in fitted_on], [truth[n] for n in fitted_on])
        for n in np.flatnonzero(rows).tolist():
            log_p[n] = log_softmax(np.sum([w * parts[n][k] for k, w in weights.items()], axis=0))
    return log_p


def confidence_figures(confidence: FloatArray, right: NDArray[np.bool_]) -> dict[str, float]:
    """The expected calibration error, how well confidence tells right answers from wrong ones (area
    under the ROC curve; absent where all are right or wrong), and the share of photos that can be taken
    as they are with 98% of them right."""
    figures = {
        "ece": expected_calibration_error(confidence, right),
        "coverage_98": coverage_at(0.98, confidence, right)[1],
    }
    if 0 < right.sum() < len(right):
        figures["auroc"] = auroc(confidence, right)
    return {name: round(value, 4) for name, value in figures.items()}


def temperature(rows: Sequence[tuple[FloatArray, int]]) -> float:
    """What to divide the log-probabilities of alternatives by, so that the true ones, named by
    their place, are most probable. One photo more, any of them, counts as mistaken for the likeliest of its others
    (after Laplace's rule of succession): without a mistake confidence would have no bound."""

    def loss(log_t: float) -> float:
        right, wrong = 0.0, []
        for log_p, place in rows:
            told = log_softmax(log_p / np.exp(log_t))
            right += float(told[place])
            wrong.append(float(np.delete(told, place).max(initial=_NEVER)))
        return -right - float(np.logaddexp.reduce(wrong))

    best = minimize_scalar(loss, bounds=np.log(_TEMPERATURES), method="bounded")
    return round(float(np.exp(best.x)), 4)


def codes_of(records: Sequence[Record], catalog: Mapping[str, CatalogEntry]) -> list[str]:
    """The codes among which the model is to tell: the catalog's, or of a large one those of
    ``records`` and as many others as are weighed at once."""
    if len(catalog) <= MOST_CODES:
        return sorted(catalog)
    wanted = sorted({r.sku for r in records if r.sku and r.sku in catalog})
    others = [code for code in sorted(catalog) if code not in set(wanted)]
    return sorted([*wanted, *others][:MOST_CODES])


def see(reader: Reader, records: Sequence[Record]) -> list[Sight]:
    """What the model sees in photos, as it is kept with them."""
    sights = []
    for first in range(0, len(records), _BATCH):
        sights += reader.see([r.picture() for r in records[first : first + _BATCH]])
    return [Sight.unpack(sight.pack()) for sight in sights]


def caption(
    reader: Reader, sight: Sight, entry: CatalogEntry
) -> tuple[dict[str, str | None], dict[str, float]]:
    """The caption of a photo of ``entry`` and how probable its fields are: what hangs on the SKU is
    the catalog's, the rest the most probable."""
    settled = dict(zip(_HANG_ON_THE_SKU, (entry.code, entry.category, entry.spec), strict=True))
    read = reader.read(sight, settled, entry.unit)
    best = {key: options[0] for key, options in read.options.items()}
    said = {**settled, **{key: option.value for key, option in best.items()}}
    return said, {key: round(option.p, 4) for key, option in best.items()}


def top(log_p: FloatArray, truth: Sequence[int], n: int) -> float:
    """The share of rows whose truth is among the ``n`` most probable."""
    better = (log_p > log_p[np.arange(len(truth)), list(truth)][:, None]).sum(axis=1)
    return float((better < n).mean())


if __name__ == "__main__":
    sys.exit(main())
