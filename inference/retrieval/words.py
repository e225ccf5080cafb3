"""Find texts by the words in them: BM25 over character n-grams, kept by SQLite's FTS5 in memory.

No dictionary segments Chinese or Japanese here: a run of their characters is its single characters and
its pairs. Other words are themselves and, from four letters on, their trigrams, so that what OCR got half
wrong is still found. Numbers match whole or not at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from inference.evidence.text import tokens

_MIN_WORD = 4
_CJK = 0x3000
_WHOLE = "="
"""Before a whole word, so that it is no trigram."""
MOST_TOKENS = 64
"""Of a query: each costs a walk through its postings."""


def ngrams(text: str) -> list[str]:
    """The terms under which ``text`` is found, in order, repeated as often as they occur."""
    found: list[str] = []
    for token in tokens(text, shortest=1):
        if ord(token[0]) > _CJK:
            found += [*token, *(token[i : i + 2] for i in range(len(token) - 1))]
            continue
        found.append(_WHOLE + token)
        if len(token) >= _MIN_WORD and token.isalpha():
            padded = f"^{token}$"
            found += [padded[i : i + 3] for i in range(len(padded) - 2)]
    return found


class WordsIndex:
    """Texts by key, each of several fields that weigh unlike. Not thread-safe: its owner holds a lock.

    ``fields`` maps the name of a field to its weight in BM25.
    """

    def __init__(self, fields: Mapping[str, float]) -> None:
        self._fields = tuple(fields)
        # one connection, which the owner's lock keeps to one thread at a time
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        columns = ", ".join(self._fields)
        self._db.execute("CREATE TABLE keys (id INTEGER PRIMARY KEY, key TEXT UNIQUE)")
        self._db.execute(
            f"CREATE VIRTUAL TABLE texts USING fts5({columns}, "
            "tokenize=\"unicode61 remove_diacritics 0 tokenchars '=^$%.,'\")"
        )
        marks = ", ".join("?" for _ in range(len(self._fields) + 1))
        self._insert = f"INSERT INTO texts (rowid, {columns}) VALUES ({marks})"  # noqa: S608
        weights = ", ".join(str(float(weight)) for weight in fields.values())
        self._select = (
            f"SELECT key, -bm25(texts, {weights}) AS score FROM texts "  # noqa: S608
            "JOIN keys ON keys.id = texts.rowid WHERE texts MATCH ? "
            "ORDER BY score DESC, key LIMIT ?"
        )

    def __len__(self) -> int:
        (count,) = self._db.execute("SELECT count(*) FROM keys").fetchone()
        return int(count)

    def put(self, key: str, texts: Mapping[str, Iterable[str]]) -> None:
        """Keep ``texts`` by field, in place of those of the same key."""
        self.remove(key)
        row = self._db.execute("INSERT INTO keys (key) VALUES (?)", (key,)).lastrowid
        terms = [
            " ".join(term for text in texts.get(field, ()) for term in ngrams(text))
            for field in self._fields
        ]
        self._db.execute(self._insert, (row, *terms))

    def remove(self, key: str) -> None:
        """Forget a key; one that is not there does no harm."""
        found = self._db.execute("SELECT id FROM keys WHERE key = ?", (key,)).fetchone()
        if found is not None:
            self._db.execute("DELETE FROM texts WHERE rowid = ?", found)
            self._db.execute("DELETE FROM keys WHERE id = ?", found)

    def search(self, text: str, count: int) -> list[tuple[str, float]]:
        """The ``count`` keys whose texts have most to do with ``text``, with their BM25 (larger is
        better), ties by key. Any term may match; rare ones count most."""
        terms = list(dict.fromkeys(ngrams(text)))[:MOST_TOKENS]
        if not terms or count < 1:
            return []
        query = " OR ".join(f'"{term}"' for term in terms)
        return [
            (key, float(score)) for key, score in self._db.execute(self._select, (query, count))
        ]
