"""Re-fit a site's light heads and fusion weights from its decided pictures."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping

import numpy as np

from inference.contracts import Example, OcrLine
from inference.evidence import fusion
from inference.evidence.shipped import SHIPPED
from inference.gathering import Heads, MatchCache, Seen, gather
from inference.retrieval.backbone import Float32Array, unpack
from inference.retrieval.heads import (
    fit_metric_head,
    fit_picture_head,
    fit_words_head,
    grouped_folds,
    harmonic_mean,
    near_duplicate_groups,
)
from inference.retrieval.memory import SiteMemory
from inference.retrieval.towers import fit_text_tower

MAX_WEIGHT_PICTURES = 200
"""Pictures on which the fusion weights are fitted: five numbers need no more."""
PRIOR_PICTURES = 60.0
"""By how many pictures the shipped weights count. Pictures decided so far are mostly of the shoots
that taught the heads, and weights fitted on them suit the next shoot less well."""


def fit_heads(
    memory: SiteMemory, cache: MatchCache, *, weights: Mapping[str, float] | None = None
) -> Heads:
    """Heads for what ``memory`` holds now. The same examples give the same heads. Fusion ``weights`` are
    fitted too, unless they are given.

    Reference pictures join the training set of SKUs that have a decided picture; SKUs without one
    stay out of the heads, where a single studio picture would compete with photos on unlike terms.
    """
    revision = memory.revision
    examples = memory.examples()
    decided = [e for e in examples if e.kind == "decided"]
    taught = {e.sku_code for e in decided}
    references = [e for e in examples if e.kind == "reference" and e.sku_code in taught]
    if len(taught) < 2:
        return Heads(weights=weights or SHIPPED.weights(0.0), revision=revision)
    if weights is None:
        weights = _fit_weights(memory, cache, decided, references)
    final = decided + references
    embeddings, labels = _embeddings(final), [e.sku_code for e in final]
    metric = fit_metric_head(embeddings, labels)
    return Heads(
        picture=fit_picture_head(embeddings, labels),
        metric=metric,
        tower=fit_text_tower(examples, memory.catalog().skus, metric),
        words=fit_words_head([e.ocr_text for e in final], labels),
        weights=weights,
        revision=revision,
    )


def _fit_weights(
    memory: SiteMemory, cache: MatchCache, decided: list[Example], references: list[Example]
) -> dict[str, float]:
    """Fusion weights from out-of-fold predictions, folds keeping near-duplicates together."""
    labels = [e.sku_code for e in decided]
    embeddings = _embeddings(decided)
    groups = near_duplicate_groups(embeddings, labels, [e.group for e in decided])
    sample = set(
        sorted(range(len(decided)), key=lambda i: _stable_order(decided[i].key))[
            :MAX_WEIGHT_PICTURES
        ]
    )
    prior = SHIPPED.weights(harmonic_mean(list(Counter(labels).values())))
    catalog = memory.catalog()
    collected: list[dict[str, fusion.FloatArray]] = []
    truth: list[int] = []
    for train, test in grouped_folds(labels, groups):
        part = [decided[i] for i in train]
        kept = {e.sku_code for e in part}
        part += [e for e in references if e.sku_code in kept]
        heads = Heads(
            picture=fit_picture_head(_embeddings(part), [e.sku_code for e in part]),
            words=fit_words_head([e.ocr_text for e in part], [e.sku_code for e in part]),
        )
        held_out = frozenset(decided[i].key for i in test)
        for i in test:
            if i in sample:
                seen = see_example(decided[i])
                evidence = gather(memory, catalog, heads, cache, seen, without=held_out)
                collected.append(dict(evidence.parts))
                truth.append(catalog.row_of[decided[i].sku_code])
    if not collected:
        return prior
    silent = np.full(len(catalog.codes), -np.log(len(catalog.codes)))
    sources = sorted({source for parts in collected for source in parts})
    stacked = {s: np.stack([parts.get(s, silent) for parts in collected]) for s in sources}
    return fusion.fit_weights(
        fusion.LabelledParts(stacked, np.asarray(truth, dtype=np.intp)),
        prior,
        prior_pictures=PRIOR_PICTURES,
    )


def see_example(example: Example) -> Seen:
    """A decided example as ranking would see it; its words have lost place and confidence."""
    lines = (OcrLine(example.ocr_text, 1.0, ()),) if example.ocr_text else ()
    return Seen(example.embedding, example.keypoints, lines)


def _embeddings(examples: list[Example]) -> Float32Array:
    return np.stack([unpack(e.embedding) for e in examples])


def _stable_order(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
