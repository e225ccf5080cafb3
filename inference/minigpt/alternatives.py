"""Weighing everything that could stand in a field, in one pass of the decoder.

The alternatives (a catalog's codes, the quantities that a grammar allows) share beginnings: as a tree,
each beginning is computed once, and a mask lets every token see its ancestors alone. The result is
the exact probability of every alternative rather than the best few that a search would find, so
confidence can be had by normalising over them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
IntArray = NDArray[np.int64]


class Decoder(Protocol):
    """The decoder of an engine. See :meth:`inference.minigpt.model.MiniGPT.step`."""

    def step(
        self, tokens: IntArray, past: Float32Array, place: IntArray, mask: Float32Array
    ) -> tuple[Float32Array, Float32Array, Float32Array]:
        """Tokens [B, T] at ``place`` [B, T] after ``past`` [B, L, 2, H, P, D / H], each seeing what
        ``mask`` [B, 1, T, P + T] adds nothing to → logits [B, T, V], present, looks [B, T, Q]."""
        ...


@dataclass(frozen=True, slots=True)
class Tree:
    """Alternatives with their beginnings in common, after tokens that are settled.

    ``tokens``, ``parent`` and ``depth`` (the place in the caption) [N] are those of its nodes, of which each has
    something after it: what comes last is weighed, not read. The tokens of all alternatives are ``then`` [M], each
    ``after`` a node and in alternative ``which``, of ``count``.
    """

    tokens: IntArray
    parent: IntArray
    depth: IntArray
    then: IntArray
    after: IntArray
    which: IntArray
    count: int

    @classmethod
    def of(
        cls, before: Sequence[int], alternatives: Sequence[Sequence[int]], place: int = 0
    ) -> Tree:
        """The tree of ``alternatives``, a token or more each, after one or more tokens ``before``, of
        which the first stands at ``place`` of the caption."""
        tokens, depth = list(before), [place + n for n in range(len(before))]
        parent = [n - 1 for n in range(len(before))]
        settled = len(before) - 1
        children: dict[tuple[int, int], int] = {}
        weighed: list[tuple[int, int, int]] = []
        for number, (*beginning, last) in enumerate(alternatives):
            node = settled
            for token in beginning:
                weighed.append((token, node, number))
                known = children.get((node, token))
                if known is None:
                    known = children[node, token] = len(tokens)
                    tokens.append(token)
                    parent.append(node)
                    depth.append(depth[node] + 1)
                node = known
            weighed.append((last, node, number))
        then, after, which = np.asarray(weighed, np.int64).reshape(-1, 3).T
        array = partial(np.asarray, dtype=np.int64)
        nodes = array(tokens), array(parent), array(depth)
        return cls(*nodes, then, after, which, len(alternatives))

    def alternative(self, number: int) -> list[int]:
        """The tokens of one of them."""
        return self.then[self.which == number].tolist()

    def sees(self) -> NDArray[np.bool_]:
        """Whether node i has node j among its ancestors or is it [N, N]."""
        sees = np.eye(len(self.tokens), dtype=bool)
        for node, parent in enumerate(self.parent.tolist()):
            if parent >= 0:  # parents come first
                sees[node] |= sees[parent]
        return sees


def distinct(alternatives: Sequence[Sequence[int]]) -> list[list[int]]:
    """Each of different ``alternatives`` up to the token that tells it from all others: what comes
    after that token is certain. None may begin another."""
    beginnings = Counter(
        tuple(one[:length]) for one in alternatives for length in range(1, len(one) + 1)
    )
    return [
        list(one[: next(n for n in range(1, len(one) + 1) if beginnings[tuple(one[:n])] == 1)])
        for one in alternatives
    ]


def fed(past: Float32Array, tree: Tree) -> dict[str, NDArray[Any]]:
    """What a decoder's ``step`` is given for ``tree`` after ``past``."""
    before = past.shape[4]
    mask = np.full((1, 1, len(tree.tokens), before + len(tree.tokens)), -1e4, np.float32)
    mask[..., :before] = 0.0
    mask[0, 0, :, before:][tree.sees()] = 0.0
    return {"tokens": tree.tokens[None], "past": past, "place": tree.depth[None], "mask": mask}


def weigh(decoder: Decoder, past: Float32Array, tree: Tree) -> NDArray[np.float64]:
    """The log-probability of each alternative [K] of a tree after ``past`` [1, L, 2, H, P, D / H].

    The last token of an alternative should close it (the next header), or an alternative that
    begins another one would win whenever the longer does.
    """
    logits, _, _ = decoder.step(**fed(past, tree))
    said = logits[0]
    top = said.max(axis=1)
    norm = top + np.log(np.exp(said - top[:, None]).sum(axis=1))
    each = said[tree.after, tree.then] - norm[tree.after]
    log_p = np.zeros(tree.count)
    np.add.at(log_p, tree.which, each)
    return log_p
