"""Finding SKUs in a lexicon: what matches, how well, and in which order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.catalog.lexicon import Entry, Lexicon
from annotator.catalog.naming import code_key, pinyin_keys


def entry(
    pk: int, code: str, name: str, *, brand: str = "", barcode: str = "", weight: float = 0.0
) -> Entry:
    pinyin, initials = pinyin_keys(f"{name} {brand}")
    return Entry(pk, code, code_key(code), name, brand, barcode, pinyin, initials, weight)


SHELF = Lexicon(
    [
        entry(
            1, "WASH-2024-BLUE", "海盐洗发水 500ml", brand="清澜", barcode="4006381333931", weight=1
        ),
        entry(2, "WASH-2024-GREEN", "薄荷洗发水 500ml", brand="清澜", weight=9),
        entry(3, "TEA-1", "乌龙茶", brand="云岭", weight=5),
        entry(4, "MILK-1L", "Oatly 燕麦奶", weight=2),
    ]
)


def found(text: str, limit: int = 8) -> list[tuple[int, str]]:
    return [(match.pk, match.kind) for match in SHELF.find(text, limit=limit)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wash-2024-blue", [(1, "exact")]),
        ("4006381333931", [(1, "exact")]),
        ("400638", [(1, "barcode")]),
        ("381333", []),  # a barcode is typed or scanned from its beginning
        ("2024", [(2, "code_part"), (1, "code_part")]),
        ("洗发", [(2, "name"), (1, "name")]),
        ("OATLY", [(4, "name")]),
        ("清澜", [(2, "brand"), (1, "brand")]),
        ("xfs", [(2, "initials"), (1, "initials")]),
        # words match by different keys
        ("清澜 海盐", [(1, "brand")]),
        ("bohe 500", [(2, "pinyin")]),
        # misspelt
        ("wsah-2024-blue", [(1, "typo"), (2, "typo")]),
        ("oatlly", [(4, "typo")]),
        ("wulnogcha", [(3, "typo")]),
        ("zz", []),
        ("", []),
        ("\n", []),
    ],
)
def test_what_is_found(text: str, expected: list[tuple[int, str]]) -> None:
    assert found(text) == expected


def test_the_limit_keeps_the_best() -> None:
    assert found("wash", limit=1) == [(2, "code")]


def test_an_empty_catalog_finds_nothing() -> None:
    assert Lexicon([]).find("a", limit=8) == []


texts = st.text(alphabet="ab洗-1", min_size=1, max_size=5)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=12), texts)
def test_it_finds_what_a_plain_search_finds(rows: list[tuple[str, str]], wanted: str) -> None:
    entries = [entry(n, code, name, weight=n) for n, (code, name) in enumerate(rows)]
    matches = Lexicon(entries).find(wanted, limit=100, typos=False)
    assert {match.pk for match in matches} == {
        e.pk
        for e in entries
        if wanted in e.code_key or wanted in e.name or wanted in e.pinyin or wanted in e.initials
    }
    assert [m.place for m in matches] == sorted(m.place for m in matches)
