"""What WareVision says to people, by code, in the three languages of its users.

One table, so that an error reads the same from the browser, the API and a command. A message says
what is wrong, where, and how to mend it. It stands in the module of the app that says it; where several
do, of the one that all of them may import.
"""

from __future__ import annotations

from typing import Literal

from django.utils.translation import get_language

from . import (
    accounts,
    captures,
    catalog,
    core,
    datasets,
    labeling,
    media,
    modelhub,
    review,
    suggestions,
    training,
)

_TABLE: dict[str, tuple[str, str, str]] = {
    **core.MESSAGES,
    **accounts.MESSAGES,
    **media.MESSAGES,
    **catalog.MESSAGES,
    **modelhub.MESSAGES,
    **captures.MESSAGES,
    **suggestions.MESSAGES,
    **labeling.MESSAGES,
    **review.MESSAGES,
    **datasets.MESSAGES,
    **training.MESSAGES,
}
_COLUMN = {"zh-hans": 0, "en": 1, "ja": 2}


def caption_language() -> Literal["zh", "en", "ja"]:
    """The language in force, by the name that the caption language gives it."""
    language = get_language()
    return "en" if language == "en" else "ja" if language == "ja" else "zh"


def text(code: str, /, **params: object) -> str:
    """The message of ``code`` in the language in force (Chinese where none is)."""
    row = _TABLE.get(code)
    if row is None:
        return code
    return row[_COLUMN.get(get_language() or "zh-hans", 0)].format(**params)
