"""What a model is told of a record: the tokens of its caption, which of them it is to learn, and what it
hears before them."""

from __future__ import annotations

import random
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.minigpt.heard import Heard
from inference.minigpt.vocabulary import PAD, Vocabulary

from .snapshot import CatalogEntry, Record

HEARS = 0.6
"""Share of rendered records before which words are heard."""
LABELLED = 0.3
"""Share of them with a code on a label that the photo does not show: copying is learned by copying."""
_MISREAD = 0.02
_HEADINGS = ("货号", "SKU", "商品编码", "物料号", "Item No.", "")


@dataclass(frozen=True, slots=True)
class Told:
    """``tokens`` of a caption, ``taught`` whether each is to be learned, ``heard`` before them."""

    tokens: Sequence[int]
    taught: Sequence[bool]
    heard: Sequence[int] = ()


def told(
    record: Record,
    catalog: Mapping[str, CatalogEntry],
    vocabulary: Vocabulary,
    rng: random.Random,
    hears: float = HEARS,
    labelled: float = LABELLED,
) -> Told:
    """What a model is told of ``record`` this time; words are heard with a chance of ``hears``, a code among
    them with one of ``labelled`` at least.

    A decided caption is told as it is. Of a rendered record some words are heard, by chance. What
    cannot be known of it is not taught: a code or spec that is neither heard nor a site's, a quantity
    of units that hide each other. A code that is not heard may be unknown.
    """
    entry = catalog.get(record.sku or "")
    if record.truth is None or entry is None:
        tokens = vocabulary.encode_caption(record.values)
        return Told(tokens, [True] * len(tokens))
    heard, code = (
        (Heard(), None) if rng.random() > hears else words_heard(record, entry, rng, labelled)
    )
    values = dict(record.values)
    known = dict.fromkeys(values, True) | {"quantity": record.truth.countable}
    if code:
        values["sku"] = code
    elif rng.random() < 0.5:
        values["sku"] = None
    else:
        known["sku"] = False
    known["spec"] = entry.spec in heard.printed
    tokens, taught = [], []
    for key, value in values.items():
        written = vocabulary.encode_caption({key: value})[:-1]
        tokens += written
        taught += [True, *[known[key]] * (len(written) - 1)]
    end = vocabulary.encode_caption({})
    return Told([*tokens, *end], [*taught, True], heard.tokens(vocabulary))


def batch(rows: Sequence[Told]) -> tuple[Tensor, Tensor, Tensor | None]:
    """``tokens`` [B, T], ``wanted`` after each [B, T − 1], :data:`PAD` where nothing is, and what is
    heard [B, P], None where nothing is."""
    tokens = _padded([one.tokens for one in rows])
    taught = _padded([one.taught for one in rows])
    wanted = torch.where(taught[:, 1:] > 0, tokens[:, 1:], PAD)
    heard = _padded([one.heard for one in rows]) if any(one.heard for one in rows) else None
    return tokens, wanted, heard


def _padded(rows: Sequence[Sequence[int]]) -> Tensor:
    found = torch.full((len(rows), max(map(len, rows))), PAD)
    for n, row in enumerate(rows):
        found[n, : len(row)] = torch.tensor(row, dtype=torch.long)
    return found


def words_heard(
    record: Record, entry: CatalogEntry, rng: random.Random, labelled: float = LABELLED
) -> tuple[Heard, str | None]:
    """Words on the pack of a rendered record as a reader of print would have them, and the code
    among them: made up by half, since a code that comes again and again is not copied but known."""
    assert record.truth is not None
    seen = record.truth.words
    lines = [
        _misread(text, rng)
        for word, text in (("brand", entry.brand), ("name", entry.name))
        if word in seen and rng.random() < 0.85
    ]
    if "spec" in seen and rng.random() < 0.85:
        whole = record.attributes.get("package_type") in ("carton", "tray")
        lines.append(entry.spec if whole else f"净含量 {entry.spec.partition('/')[0]}")
    rng.shuffle(lines)
    barcodes = [entry.barcode] if "barcode" in seen and entry.barcode else []
    code = None
    if "code" in seen or rng.random() < labelled:
        code = entry.code if rng.random() < 0.5 else _made_up(entry.code, rng)
        if rng.random() < 0.2:
            barcodes.append(code)
        else:
            lot = f"{rng.randint(2024, 2027)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
            label = [rng.choice(_HEADINGS), lot, code]
            at = rng.randint(0, len(lines))
            lines[at:at] = [line for line in label if line]
    return Heard(lines, barcodes), code


def _made_up(code: str, rng: random.Random) -> str:
    """A code in the style of ``code``."""
    kinds = (string.digits, string.ascii_uppercase, string.ascii_lowercase)
    return "".join(next((rng.choice(kind) for kind in kinds if c in kind), c) for c in code)


def _misread(text: str, rng: random.Random) -> str:
    return "".join(c for c in text if rng.random() > _MISREAD)
