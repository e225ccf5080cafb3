"""How a model is taught."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """``views`` of each photo are drawn once and kept as the tower's stem sees them; each epoch takes one
    of them in turn. Each studio picture is ``staged`` so many times before the surroundings of photos.
    Rates are AdamW's, with a cosine to zero; ``accumulate`` batches make a step. Of rendered photos the
    places of units and words are learned too, with ``unit_weight`` and ``word_weight``; how many units there
    are, with ``count_weight``, of all whose quantity is a number of one unit. ``balance`` lends
    rare SKUs weight: 0 none, 1 as much to each SKU (see :meth:`.answers.Answers.weights`). Training ends
    after ``patience`` epochs in which nothing became better on photos that are held out (0: never).

    ``hold_tower`` teaches nothing to the tower; then ``detail_epochs`` of counting alone, which the tower's fork
    learns too, and ``copying_steps`` of writing alone may come before (see :mod:`.warmup`)."""

    epochs: int = 18
    views: int = 6
    staged: int = 8
    batch: int = 32
    accumulate: int = 1
    rate: float = 1e-3
    tail_rate: float = 1e-4
    weight_decay: float = 0.02
    warmup: float = 0.05
    smoothing: float = 0.05
    head_weight: float = 0.3
    gaze_weight: float = 0.1
    unit_weight: float = 0.5
    count_weight: float = 0.1
    word_weight: float = 0.1
    balance: float = 0.0
    patience: int = 0
    hold_tower: bool = False
    detail_epochs: int = 0
    copying_steps: int = 0
    seed: int = 1
