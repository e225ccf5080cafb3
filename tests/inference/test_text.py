from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.contracts import OcrLine
from inference.evidence.text import PackTextMatcher, normalise, tokens


def lines(*texts: str, confidence: float = 1.0) -> list[OcrLine]:
    return [OcrLine(text, confidence, ()) for text in texts]


MATCHER = PackTextMatcher(
    {
        "low": ["Mellanmjölk 1,5%", "ARLA"],
        "full": ["Standardmjölk 3%", "ARLA"],
        "yog": ["Mild Lättyoghurt Naturell", "ARLA"],
        "noodles": ["康师傅 红烧牛肉面", "康师傅"],
        "soup": ["康师傅 香辣牛肉面", "康师傅"],
        "bare": [],
    }
)


def best(*texts: str) -> str:
    match = MATCHER.match(lines(*texts))
    return MATCHER.codes[int(match.scores.argmax())]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GRÄDDFIL 12%", ["graddfil", "12%"]),
        ("3,0% fett", ["3%", "fett"]),
        ("ARLA", ["arla"]),
        ("a 1 é", []),
        ("康师傅红烧", ["康师傅红烧"]),
        ("", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        (["ARLA", "MELLANMJOLK"], "low"),
        (["MELLANMIOLK", "Aria"], "low"),  # OCR took J for I, l for i
        (["MILDLATTYOGHURT"], "yog"),  # words run together
        (["ARLA", "3%"], "full"),
        (["ARLA", "1.5%FETT"], "low"),
        (["红烧牛肉面"], "noodles"),
        (["香辣牛肉"], "soup"),
    ],
)
def test_finds_the_sku_through_ocr_errors(printed: list[str], code: str) -> None:
    assert best(*printed) == code


def test_names_the_words_that_speak_for_a_sku() -> None:
    match = MATCHER.match(lines("ARLA", "MELLANMJÖLK"))
    words = match.words[MATCHER.codes.index("low")]
    assert words[0] == "mellanmjolk"


def test_a_brand_that_all_share_decides_little() -> None:
    scores = MATCHER.match(lines("ARLA")).scores
    naturell = MATCHER.match(lines("NATURELL")).scores
    assert naturell.max() > 2 * scores.max()


def test_no_words_no_score() -> None:
    assert not MATCHER.match([]).scores.any()
    assert not MATCHER.match(lines("zzzzzz", "88888")).scores.any()
    assert PackTextMatcher({}).match(lines("ARLA")).scores.shape == (0,)
    assert not PackTextMatcher({"x": []}).match(lines("ARLA")).scores.any()


def test_uncertain_words_count_less() -> None:
    sure = MATCHER.match(lines("NATURELL")).scores.max()
    unsure = MATCHER.match(lines("NATURELL", confidence=0.4)).scores.max()
    assert unsure == pytest.approx(0.4 * sure)


@given(st.lists(st.text(max_size=30), max_size=6))
def test_any_text_is_survived_and_repeats_change_nothing(texts: list[str]) -> None:
    once = MATCHER.match(lines(*texts)).scores
    twice = MATCHER.match(lines(*texts, *texts)).scores
    assert (once >= 0).all()
    assert twice == pytest.approx(once)


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
