"""What a trained model makes of photos that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.engines.torch import TorchDecoder
from inference.minigpt.alternatives import Tree, weigh
from inference.minigpt.model import MiniGPT
from inference.minigpt.pixels import to_pixels
from inference.minigpt.vocabulary import END, Vocabulary

from .metrics import bleu_4, cider, rouge_l
from .snapshot import CatalogEntry, Record, text_of

FloatArray = NDArray[np.float64]
_BATCH = 8
_LONGEST = 64
_HANG_ON_THE_SKU = ("sku", "category", "spec")


def judge(
    model: MiniGPT,
    vocabulary: Vocabulary,
    records: Sequence[Record],
    catalog: Mapping[str, CatalogEntry],
) -> dict[str, Any]:
    """Figures on ``records`` whose SKU is in the catalog: SKU right first and among the first five,
    by the decoder, by the class head and by both together; and how close whole captions come, whose
    category and spec are those of the catalog."""
    codes = sorted(catalog)
    records = [r for r in records if r.sku in catalog]
    if not records:
        return {"photos": 0}
    log_p = sku_log_p(model, vocabulary, records, codes)
    both = sum(log_p.values())
    assert not isinstance(both, int)
    truth = [codes.index(r.sku or "") for r in records]
    figures: dict[str, Any] = {"photos": len(records)}
    for name, found in {**log_p, "both": both}.items():
        figures[name] = {
            "top_1": round(top(found, truth, 1), 4),
            "top_5": round(top(found, truth, 5), 4),
        }
    said = [
        write_caption(model, vocabulary, record, catalog[codes[best]])
        for record, best in zip(records, both.argmax(axis=1).tolist(), strict=True)
    ]
    written = [text_of(values) for values in said]
    decided = [text_of(r.values) for r in records]
    for key in vocabulary.fields:
        right = [v.get(key) == r.values.get(key) for v, r in zip(said, records, strict=True)]
        figures[key] = round(sum(right) / len(right), 4)
    return figures | {
        "caption": round(sum(map(str.__eq__, written, decided)) / len(decided), 4),
        "bleu_4": round(bleu_4(written, decided), 4),
        "rouge_l": round(rouge_l(written, decided), 4),
        "cider": round(cider(written, decided), 3),
    }


@torch.no_grad()
def write_caption(
    model: MiniGPT, vocabulary: Vocabulary, record: Record, entry: CatalogEntry
) -> dict[str, str | None]:
    """The caption of a photo whose SKU is settled: what hangs on it is the catalog's, the rest the
    most probable characters, one after the other."""
    settled: dict[str, str | None] = dict(
        zip(_HANG_ON_THE_SKU, (entry.code, entry.category, entry.spec), strict=True)
    )
    rest = [key for key in vocabulary.fields if key not in settled]
    tokens = vocabulary.encode_caption(settled)[:-1]
    past = model.begin(model.encode(pixels_of(model, [record])).outputs)
    fresh = [*tokens, vocabulary.header(rest[0])]
    tokens = list(fresh)
    while tokens[-1] != END and len(tokens) < _LONGEST + len(fresh):
        logits, past, _ = model.step(torch.tensor([fresh]), past)
        fresh = [int(logits[0, -1].argmax())]
        tokens += fresh
    return vocabulary.decode_caption(tokens)


@torch.no_grad()
def sku_log_p(
    model: MiniGPT, vocabulary: Vocabulary, records: Sequence[Record], codes: Sequence[str]
) -> dict[str, FloatArray]:
    """Log-probabilities [R, K] over ``codes``: what the decoder gives each code written out,
    normalised over them (``decoder``), and the class head (``head``; classes that are not in
    ``codes`` drop out)."""
    model.eval()
    decoder = TorchDecoder(model)
    close = vocabulary.header("category")
    tree = Tree.of(vocabulary.header("sku"), [[*vocabulary.encode(c), close] for c in codes])
    written: list[FloatArray] = []
    headed: list[Tensor] = []
    places = [model.config.classes.index(c) for c in codes if c in model.config.classes]
    for first in range(0, len(records), _BATCH):
        encoded = model.encode(pixels_of(model, records[first : first + _BATCH]))
        for past in model.begin(encoded.outputs).numpy():
            written.append(weigh(decoder, past[None], model.config.queries, tree)[0])
        if len(places) == len(codes):
            headed.append(model.heads["sku"](encoded.summary)[:, places].log_softmax(dim=1))
    found = {"decoder": torch.from_numpy(np.stack(written)).log_softmax(dim=1).numpy()}
    if headed:
        found["head"] = torch.cat(headed).double().numpy()
    return found


def pixels_of(model: MiniGPT, records: Sequence[Record]) -> Tensor:
    """What ``model`` takes of photos: [B, K, 3, S, S]."""
    pictures = [record.picture() for record in records]
    return torch.from_numpy(to_pixels(pictures, model.config.side_px, model.config.looks))


def top(log_p: FloatArray, truth: Sequence[int], n: int) -> float:
    """The share of rows whose truth is among the ``n`` most probable."""
    better = (log_p > log_p[np.arange(len(truth)), list(truth)][:, None]).sum(axis=1)
    return float((better < n).mean())
