"""How many pictures go to the recognizer in one request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
MAX_REQUEST_BYTES = 32 << 20


def batches(items: Sequence[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """``items`` in turn, as many together as make no unreasonable request; ``size_of`` gives bytes."""
    batch: list[T] = []
    for item in items:
        if batch and sum(map(size_of, batch)) + size_of(item) > MAX_REQUEST_BYTES:
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch
