"""Doubts: margins, votes of neighbours, what adds up."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.quality import doubts


def test_a_label_is_doubted_for_another_that_is_more_probable() -> None:
    assert doubts.against({"a": 0.9, "b": 0.1}, "a") == (pytest.approx(0.1), "b")
    assert doubts.against({"a": 0.9, "b": 0.1}, "b") == (pytest.approx(0.9), "a")
    assert doubts.against({"a": 1.0}, "b") == (1.0, "a")
    assert doubts.against({}, "a") == (0.5, None)


def test_contradictions_add_to_margins() -> None:
    assert doubts.combined([]) == 0.5
    assert doubts.combined([0.2, 0.4]) == pytest.approx(0.3)
    assert doubts.combined([0.2], [0.9]) == pytest.approx(0.92)


def test_nothing_votes_for_itself_or_its_duplicates() -> None:
    vectors = np.eye(4, dtype=np.float32)[[0, 0, 0, 1, 1]]
    labels, groups = np.array([7, 7, 8, 9, 9]), np.array([1, 1, 2, 3, 4])
    found = doubts.votes(vectors, labels, groups, np.array([0, 3]), k=2)
    assert max(found[0], key=lambda label: found[0][label]) == 8, (
        "its twin says 7, and is not asked"
    )
    assert found[1][9] > 0.99
    assert all(sum(shares.values()) == pytest.approx(1) for shares in found)
    alone = doubts.votes(vectors[:2], labels[:2], groups[:2], np.array([0]))
    assert alone == [{}], "nothing else is known"
