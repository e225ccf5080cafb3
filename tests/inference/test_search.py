from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.contracts import Change, Example, Hit, SkuRecord
from inference.retrieval import search
from inference.retrieval.backbone import DIMENSIONS, pack
from inference.retrieval.memory import SiteMemory
from inference.retrieval.words import WordsIndex, ngrams

LOOKS = np.eye(8, DIMENSIONS, dtype=np.float32)


def known(key: str, code: str, look: int, **more: str) -> Change:
    kind = "reference" if key.startswith("ref:") else "decided"
    made = Example(key, code, kind, pack(LOOKS[look]), **more)  # type: ignore[arg-type]
    return Change(0, "put_example", example=made)


@pytest.fixture
def memory() -> SiteMemory:
    memory = SiteMemory("s")
    skus = [
        SkuRecord(
            "MILK", "伊利纯牛奶", category="乳品", spec="250ml×24盒/箱", pack_text="Pure Milk"
        ),
        SkuRecord("JUICE", "苹果汁", category="果汁", spec="1L"),
        SkuRecord("SOAP", "香皂", category="个人护理", pack_text="Soft Care"),
    ]
    memory.apply([Change(0, "put_sku", sku=sku) for sku in skus])
    memory.apply(
        [
            known("ref:milk", "MILK", 0),
            known("cap:milk", "MILK", 1, caption="【SKU】MILK|【状态】轻微压痕"),
            known("cap:juice", "JUICE", 2, ocr_text="BRAVO aepple juice"),
        ]
    )
    return memory


def keys(hits: list[Hit]) -> list[str]:
    return [hit.key for hit in hits]


def test_words_of_the_catalog_the_caption_and_the_pack(memory: SiteMemory) -> None:
    assert set(keys(search.by_words(memory, "纯牛奶", 9))) == {"ref:milk", "cap:milk"}
    assert keys(search.by_words(memory, "压痕", 9)) == ["cap:milk"]
    assert keys(search.by_words(memory, "pure milk", 1)) == ["cap:milk"]
    assert keys(search.by_words(memory, "apple", 9)) == ["cap:juice"]  # OCR got a letter wrong
    assert search.by_words(memory, "火箭", 9) == []


def test_a_sku_without_a_picture_answers_for_itself(memory: SiteMemory) -> None:
    (hit,) = search.by_words(memory, "香皂", 9)
    assert (hit.key, hit.sku_code, hit.kind, hit.by) == ("sku:SOAP", "SOAP", "sku", ("words",))


def test_numbers_match_whole(memory: SiteMemory) -> None:

    assert "=50" in ngrams("50ml") and "=250" not in ngrams("50ml")


def test_what_is_deleted_is_not_found(memory: SiteMemory) -> None:
    memory.apply([Change(0, "delete_example", key="cap:milk")])
    assert search.by_words(memory, "压痕", 9) == []
    memory.apply([Change(0, "delete_sku", key="MILK")])
    assert search.by_words(memory, "牛奶", 9) == []
    assert keys(search.similar_pictures(memory, LOOKS[0], 9)) == ["cap:juice"]


def test_a_changed_caption_replaces_the_former(memory: SiteMemory) -> None:
    memory.apply([known("cap:milk", "MILK", 1, caption="【状态】渗漏")])
    assert search.by_words(memory, "压痕", 9) == []
    assert keys(search.by_words(memory, "渗漏", 9)) == ["cap:milk"]


def test_pictures_by_cosine(memory: SiteMemory) -> None:
    first, *_ = search.similar_pictures(memory, LOOKS[1], 2)
    assert (first.key, first.score, first.by) == ("cap:milk", 1.0, ("picture",))


class Tower:
    """Thinks of juice whatever it is told."""

    def texts(self, texts: list[str]) -> np.ndarray:
        return np.ones((len(texts), 2), np.float32)

    def nearest(self, vector: np.ndarray, count: int) -> list[tuple[str, float]]:
        return [("cap:juice", 0.9), ("cap:gone", 0.8), ("cap:milk", 0.7)][:count]


def test_words_and_meaning_are_merged_by_rank(memory: SiteMemory) -> None:
    found = search.by_text(memory, Tower(), "压痕", 5)
    assert keys(found) == ["cap:milk", "cap:juice"]  # found both ways, then one way
    assert found[0].by == ("words", "meaning") and found[1].by == ("meaning",)
    assert keys(search.by_text(memory, None, "压痕", 5)) == ["cap:milk"]


@given(st.text(max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    index = WordsIndex({"a": 1.0, "b": 1.0})
    index.put("k", {"a": ["牛奶 milk"], "b": [text]})
    assert index.search(text, 3) in ([], index.search(text, 1))
    index.put("k", {"a": [text]})
    index.remove("k")
    assert (len(index), index.search("milk", 3)) == (0, [])


def test_a_hit_survives_json() -> None:
    hit = Hit("cap:1", "A", "decided", 0.5, ("words", "meaning"))
    assert Hit.from_json(hit.to_json()) == hit
