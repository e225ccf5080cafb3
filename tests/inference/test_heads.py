from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.retrieval import heads


def blobs(per_sku: int, skus: int = 4, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(skus, 32))
    x = np.repeat(centres, per_sku, axis=0) + 0.8 * rng.normal(size=(skus * per_sku, 32))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x.astype(np.float32), [f"SKU-{i // per_sku}" for i in range(skus * per_sku)]


@pytest.mark.parametrize("per_sku", [1, 2, 8])
def test_picture_head_learns(per_sku: int) -> None:
    head = heads.fit_picture_head(*blobs(per_sku))
    assert head is not None
    x, labels = blobs(10, seed=1)
    log_p = head.log_p(x)
    assert np.exp(log_p).sum(axis=1) == pytest.approx(1, abs=1e-6)
    right = np.mean(
        [head.codes[i] == label for i, label in zip(log_p.argmax(1), labels, strict=True)]
    )
    assert right > 0.8


def test_words_head_learns_through_ocr_errors() -> None:
    texts = ["MELLANMJÖLK arla", "MELLANMIOLK", "BRAVO äpple", "BRAVO APPLE juice", ""]
    head = heads.fit_words_head(texts, ["milk", "milk", "juice", "juice", "milk"])
    assert head is not None
    log_p = head.log_p(["MELLAN MJOLK", "aepple juice"])
    assert [head.codes[i] for i in log_p.argmax(1)] == ["milk", "juice"]


def test_the_words_head_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, labels = ["alpha beta gamma", "delta epsilon zeta", "eta theta"], ["A", "B", "C"]
    monkeypatch.setattr(heads, "MAX_WORDS_WEIGHTS", 30)
    head = heads.fit_words_head(texts, labels)
    assert head is not None
    assert head.model.coef_.shape == (3, 10)
    monkeypatch.setattr(heads, "MAX_WORDS_SKUS", 2)
    assert heads.fit_words_head(texts, labels) is None


def test_one_sku_or_no_words_make_no_head() -> None:
    x, _ = blobs(1)
    assert heads.fit_picture_head(x, ["A"] * len(x)) is None
    assert heads.fit_words_head(["a b", ""], ["A", "B"]) is None


def test_near_duplicates_and_scenes_share_a_group() -> None:
    x = np.eye(6, dtype=np.float32)
    x[1] = x[0]  # the same picture twice
    labels = ["A", "A", "A", "A", "B", "B"]
    groups = heads.near_duplicate_groups(x, labels, ["", "", "s1", "s1", "", ""])
    assert groups[0] == groups[1]
    assert groups[2] == groups[3]
    assert len(set(groups.tolist())) == 4


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 5)), max_size=30))
def test_folds_keep_groups_whole_and_test_only_what_was_taught(
    rows: list[tuple[str, int]],
) -> None:
    labels = [label for label, _ in rows]
    groups = np.asarray([group for _, group in rows], dtype=np.intp)
    tested: list[int] = []
    for train, test in heads.grouped_folds(labels, groups):
        assert not set(groups[train]) & set(groups[test])
        assert {labels[i] for i in test} <= {labels[i] for i in train}
        tested += test.tolist()
    assert len(tested) == len(set(tested))
