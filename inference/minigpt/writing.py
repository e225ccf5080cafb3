"""Writing a field character by character: the n best texts, by beam search with what the decoder has
seen so far kept (KV cache)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from inference.evidence.fusion import log_softmax

from .alternatives import Decoder, Float32Array

BEAMS = 5


@dataclass(frozen=True, slots=True)
class Written:
    """The tokens of a text, without what closes it, and its log-probability with that."""

    tokens: tuple[int, ...]
    log_p: float


def write(
    decoder: Decoder,
    past: Float32Array,
    header: int,
    place: int,
    closing: int,
    letters: Collection[int],
    most: int,
) -> list[Written]:
    """The best texts of ``letters`` after ``header``, which stands at ``place``, with ``past``
    [1, L, 2, H, P, D / H] before it, each closed by ``closing`` after at most ``most`` letters; the
    best first. The same model and picture give the same texts."""
    may = np.zeros(max(*letters, closing) + 1, dtype=bool)
    may[[*letters, closing]] = True
    done: list[Written] = []
    beams, tokens = [Written((), 0.0)], np.array([[header]], np.int64)
    for length in range(most + 1):
        seen = past.shape[4]
        logits, past, _ = decoder.step(
            tokens,
            past,
            np.full((len(beams), 1), place + length, np.int64),
            np.zeros((len(beams), 1, 1, seen + 1), np.float32),
        )
        log_p = log_softmax(logits[:, 0].astype(np.float64))[:, : len(may)]
        log_p = np.where(may, log_p, -np.inf) + np.array([[one.log_p] for one in beams])
        done += [
            Written(one.tokens, float(row[closing])) for one, row in zip(beams, log_p, strict=True)
        ]
        done = sorted(done, key=lambda one: -one.log_p)[:BEAMS]
        log_p[:, closing] = -np.inf
        order = np.argsort(-log_p, axis=None, kind="stable")[:BEAMS]
        rows, letters_ = np.unravel_index(order, log_p.shape)
        least = done[-1].log_p if len(done) == BEAMS else -np.inf
        going = [
            (int(row), int(letter))
            for row, letter in zip(rows, letters_, strict=True)
            if log_p[row, letter] > least
        ]
        if not going:
            break
        beams = [Written((*beams[r].tokens, t), float(log_p[r, t])) for r, t in going]
        past = past[[r for r, _ in going]]
        tokens = np.array([[t] for _, t in going], np.int64)
    return done
