"""How reliable people are, from whom they agree with: the model of Dawid and Skene (1979), fitted by
expectation maximisation. Pure; answers with a known truth (gold) anchor it.

Fields with few values have a matrix of confusion for each person; those with many (SKU) one figure for
each, with errors spread evenly, since most cells of a matrix would stay empty (ADR 31).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MANY = 12
"""From so many values on a field has one figure a person."""
ROUNDS = 40
_SMOOTH = 0.5


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers to one field, as numbers from 0: task, person and label of each [N]; ``known`` is the
    true label of some tasks."""

    tasks: NDArray[np.int64]
    people: NDArray[np.int64]
    labels: NDArray[np.int64]
    known: Mapping[int, int]

    @classmethod
    def of(
        cls, rows: Sequence[tuple[Any, Any, Any]], known: Mapping[Any, Any]
    ) -> tuple[Answers, list[Any]]:
        """From (task, person, label) of any kind; also the people in their order."""
        numbers: tuple[dict[Any, int], ...] = ({}, {}, {})
        table = [
            [place.setdefault(value, len(place)) for place, value in zip(numbers, row, strict=True)]
            for row in rows
        ]
        tasks, people, labels = numbers
        truth = {
            tasks[task]: labels.setdefault(label, len(labels))
            for task, label in known.items()
            if task in tasks
        }
        columns = np.array(table, np.int64).reshape(-1, 3).T
        return cls(columns[0], columns[1], columns[2], truth), list(people)


def right_by_answer(answers: Answers) -> NDArray[np.float64]:
    """The probability that each answer is right [N]."""
    if not len(answers.tasks):
        return np.zeros(0)
    labels = int(max(answers.labels.max(), *answers.known.values(), 0)) + 1
    return _matrices(answers, labels) if labels <= MANY else _one_coin(answers, labels)


def _matrices(answers: Answers, labels: int) -> NDArray[np.float64]:
    tasks, people, given = answers.tasks, answers.people, answers.labels
    truth = np.full((tasks.max() + 1, labels), 1e-3)
    np.add.at(truth, (tasks, given), 1.0)
    truth /= truth.sum(axis=1, keepdims=True)
    _clamp(truth, answers.known)
    for _ in range(ROUNDS):
        prior = truth.mean(axis=0) + 1e-9
        confusion = np.full((people.max() + 1, labels, labels), _SMOOTH / labels)
        np.add.at(confusion.transpose(0, 2, 1), (people, given), truth[tasks])
        confusion /= confusion.sum(axis=2, keepdims=True)
        score = np.tile(np.log(prior), (len(truth), 1))
        np.add.at(score, tasks, np.log(confusion[people, :, given]))
        truth = np.exp(score - score.max(axis=1, keepdims=True))
        truth /= truth.sum(axis=1, keepdims=True)
        _clamp(truth, answers.known)
    right: NDArray[np.float64] = truth[tasks, given]
    return right


def _clamp(truth: NDArray[np.float64], known: Mapping[int, int]) -> None:
    for task, label in known.items():
        truth[task] = 0.0
        truth[task, label] = 1.0


def _one_coin(answers: Answers, labels: int) -> NDArray[np.float64]:
    """Candidates for a task's truth are the labels that somebody gave it."""
    tasks, people, given = answers.tasks, answers.people, answers.labels
    pairs, own = np.unique(tasks * labels + given, return_inverse=True)
    owner = pairs // labels
    known = np.array([answers.known.get(int(task), -1) for task in owner])
    right = np.ones(len(tasks)) * 0.8
    for _ in range(ROUNDS):
        hits, n = np.bincount(people, right), np.bincount(people)
        skill = np.clip((hits + _SMOOTH) / (n + 2 * _SMOOTH), 1e-3, 1 - 1e-3)
        missed = np.log((1 - skill) / (labels - 1))
        gain = np.log(skill)[people] - missed[people]
        score = np.bincount(own, gain, minlength=len(pairs))
        best = np.full(tasks.max() + 1, -np.inf)
        np.maximum.at(best, owner, score)
        odds = np.exp(score - best[owner])
        # What nobody said may be true as well.
        unsaid = np.exp(-best) * np.maximum(labels - np.bincount(owner), 0)
        share = odds / (np.bincount(owner, odds) + unsaid)[owner]
        share = np.where(known < 0, share, pairs % labels == known)
        right = share[own]
    return right
