"""How close written captions come to decided ones, over characters: BLEU, ROUGE-L, CIDEr."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

_MOST = 4
_SIGMA = 6.0


def _grams(text: str, n: int) -> Counter[str]:
    return Counter(text[i : i + n] for i in range(len(text) - n + 1))


def bleu(written: Sequence[str], decided: Sequence[str], most: int = _MOST) -> float:
    """Corpus BLEU of n-grams up to ``most`` with uniform weights and brevity penalty, unsmoothed
    (Papineni et al. 2002)."""
    matched, total = [0] * most, [0] * most
    for ours, theirs in zip(written, decided, strict=True):
        for n in range(most):
            mine = _grams(ours, n + 1)
            matched[n] += sum((mine & _grams(theirs, n + 1)).values())
            total[n] += sum(mine.values())
    if min(matched, default=0) == 0:
        return 0.0
    precision = sum(math.log(m / t) for m, t in zip(matched, total, strict=True)) / most
    length, wanted = sum(map(len, written)), sum(map(len, decided))
    return math.exp(precision + min(0.0, 1 - wanted / length))


def rouge_l(written: Sequence[str], decided: Sequence[str]) -> float:
    """Mean F-measure of the longest common subsequence, β = 1.2 (Lin 2004)."""
    beta = 1.2**2
    scores = []
    for ours, theirs in zip(written, decided, strict=True):
        common = _longest_common(ours, theirs)
        if not common:
            scores.append(0.0)
            continue
        precision, recall = common / len(ours), common / len(theirs)
        scores.append((1 + beta) * precision * recall / (recall + beta * precision))
    return sum(scores) / len(scores) if scores else 0.0


def _longest_common(a: str, b: str) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        before = 0
        for n, y in enumerate(b, start=1):
            before, row[n] = row[n], before + 1 if x == y else max(row[n], row[n - 1])
    return row[-1]


def cider(written: Sequence[str], decided: Sequence[str]) -> float:
    """Mean CIDEr-D: cosine of TF-IDF n-grams, counts clipped, lengths weighed by a Gaussian of
    σ = 6, times ten (Vedantam et al. 2015). Document frequencies are those of ``decided``."""
    documents = len(decided)
    seen: list[Counter[str]] = [Counter() for _ in range(_MOST)]
    for text in decided:
        for n in range(_MOST):
            seen[n].update(_grams(text, n + 1).keys())
    scores = []
    for ours, theirs in zip(written, decided, strict=True):
        score = 0.0
        for n in range(_MOST):
            weight = {g: math.log(documents) - math.log(c) for g, c in seen[n].items()}
            unseen = math.log(documents)
            a = {g: c * weight.get(g, unseen) for g, c in _grams(ours, n + 1).items()}
            b = {g: c * weight.get(g, unseen) for g, c in _grams(theirs, n + 1).items()}
            clipped = sum(min(a[g], b[g]) * b[g] for g in a.keys() & b.keys())
            norm = math.sqrt(sum(v * v for v in a.values()) * sum(v * v for v in b.values()))
            score += clipped / norm if norm else 0.0
        apart = len(ours) - len(theirs)
        scores.append(10 * score / _MOST * math.exp(-(apart**2) / (2 * _SIGMA**2)))
    return sum(scores) / len(scores) if scores else 0.0
