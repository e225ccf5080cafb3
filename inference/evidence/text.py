"""Match printed words to what the catalog says is printed on a pack.

OCR of crumpled, small print is noisy: letters swap (``0``/``O``), words run together or break.
Words are therefore compared by their character bigrams, and each catalog word counts by its
inverse document frequency, so that ``naturell`` decides where ``arla`` cannot.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from inference.contracts import OcrLine

FloatArray = NDArray[np.float64]

_TOKEN = re.compile(r"\d+(?:[.,]\d+)?%|[a-z]+|\d+(?:[.,]\d+)?|[\u3040-\u30ff\u3400-\u9fff]+")
_MIN_SIMILARITY = 0.5
_RUN_ON_DISCOUNT = 0.9


def normalise(text: str) -> str:
    """Lower case, full width to half width, accents removed (OCR drops them at random)."""
    # Twice, since decomposing brings new capitals and folding new accents (𝕬, İ).
    for _ in range(2):
        text = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in text if not unicodedata.combining(c))


def tokens(text: str, *, shortest: int = 2) -> list[str]:
    """The words, numbers, percentages and CJK runs of a text, normalised.

    Those of fewer than ``shortest`` characters are dropped: OCR invents single letters and digits.
    ``3,0%`` and ``3%`` are one.
    """
    found = []
    for token in _TOKEN.findall(normalise(text)):
        if token[0].isdigit():
            number = token.rstrip("%").replace(",", ".")
            if "." in number:
                number = number.rstrip("0").rstrip(".")
            token = number + ("%" if token.endswith("%") else "")
        if len(token) >= shortest:
            found.append(token)
    return found


def _is_number(token: str) -> bool:
    return token[0].isdigit()


def _bigrams(token: str) -> list[str]:
    if _is_number(token):  # numbers match whole or not at all: 1,5% is not 0,5%
        return [f"#{token}"]
    if ord(token[0]) > 0x3000:
        return [token[i : i + 2] for i in range(len(token) - 1)]
    padded = f"^{token}$"
    return [padded[i : i + 2] for i in range(len(padded) - 1)]


@dataclass(frozen=True, slots=True)
class TextMatch:
    """``scores`` [S] are unnormalised evidence per SKU; ``words`` names, for each SKU, the printed
    words that contribute, strongest first."""

    scores: FloatArray
    words: tuple[tuple[str, ...], ...]


class PackTextMatcher:
    """Scores OCR lines against one text document per SKU.

    ``documents`` maps SKU code → the texts known to be on its pack (pack text, brand, name, and
    the OCR of its reference pictures). A word's weight is ``log((1 + S) / (1 + df)) + 0.1``.
    """

    def __init__(self, documents: Mapping[str, Iterable[str]]) -> None:
        self.codes = sorted(documents)
        per_sku = [
            sorted({t for text in documents[code] for t in tokens(text)}) for code in self.codes
        ]
        self._vocabulary = sorted({t for doc in per_sku for t in doc})
        column = {token: i for i, token in enumerate(self._vocabulary)}
        self._bigram_ids: dict[str, int] = {}
        for token in self._vocabulary:
            for bigram in _bigrams(token):
                self._bigram_ids.setdefault(bigram, len(self._bigram_ids))
        self._vocabulary_bigrams = self._bigram_matrix(self._vocabulary)
        self._vocabulary_sizes = np.asarray(
            [max(1, len(set(_bigrams(t)))) for t in self._vocabulary], dtype=np.float64
        )
        self._long = np.asarray(
            [len(t) >= 5 and not _is_number(t) for t in self._vocabulary], dtype=bool
        )
        rows = [i for i, doc in enumerate(per_sku) for _ in doc]
        cols = [column[t] for doc in per_sku for t in doc]
        self._has_word = sparse.csr_matrix(
            (np.ones(len(rows)), (rows, cols)), shape=(len(self.codes), len(self._vocabulary))
        )
        frequency = np.asarray(self._has_word.sum(axis=0)).ravel()
        self._idf = np.log((1 + len(self.codes)) / (1 + frequency)) + 0.1

    def match(self, lines: Sequence[OcrLine]) -> TextMatch:
        """Score every SKU for the lines of one picture; each distinct word counts once."""
        weights: dict[str, float] = {}
        for line in lines:
            for token in tokens(line.text):
                weights[token] = max(weights.get(token, 0.0), line.confidence)
        if not weights or not self._vocabulary:
            return TextMatch(np.zeros(len(self.codes)), ((),) * len(self.codes))
        words = sorted(weights)
        weight = np.asarray([weights[w] for w in words])
        value = self._similarities(words) ** 2 * self._idf * weight[:, None]  # [W, V]
        support = np.zeros((len(self.codes), len(words)))
        indptr, indices = self._has_word.indptr, self._has_word.indices
        for i in range(len(self.codes)):
            known = indices[indptr[i] : indptr[i + 1]]
            if known.size:
                # each catalog word is credited to one printed word, so that ten shelf tags
                # that look a bit like it do not add up
                best_word = value[:, known].argmax(axis=0)
                credit = value[best_word, known]
                np.maximum.at(support[i], best_word, credit)
        scores = support.sum(axis=1)
        spoken = tuple(
            tuple(words[w] for w in np.argsort(-row, kind="stable")[:5] if row[w] > 0.3)
            for row in support
        )
        return TextMatch(scores, spoken)

    def _similarities(self, words: Sequence[str]) -> FloatArray:
        """Similarity of printed words to catalog words [W, V] in 0…1.

        Dice coefficient of bigrams; or, for a catalog word of five letters or more inside a longer
        printed word (run-on), the share of its bigrams that are found, slightly discounted.
        """
        common = np.asarray((self._bigram_matrix(words) @ self._vocabulary_bigrams.T).todense())
        sizes = np.asarray([max(1, len(set(_bigrams(w)))) for w in words], dtype=np.float64)
        dice = 2 * common / (sizes[:, None] + self._vocabulary_sizes)
        contained = np.where(self._long, common / self._vocabulary_sizes, 0.0) * _RUN_ON_DISCOUNT
        similarity = np.maximum(dice, contained)
        return np.where(similarity >= _MIN_SIMILARITY, similarity, 0.0)

    def _bigram_matrix(self, words: Sequence[str]) -> sparse.csr_matrix:
        rows, cols = [], []
        for i, word in enumerate(words):
            for bigram in sorted(set(_bigrams(word))):
                if bigram in self._bigram_ids:
                    rows.append(i)
                    cols.append(self._bigram_ids[bigram])
        shape = (len(words), len(self._bigram_ids))
        return sparse.csr_matrix((np.ones(len(rows)), (rows, cols)), shape=shape)
