"""The recognizer that this process uses, loaded by a setting."""

from __future__ import annotations

import threading
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from inference.contracts import Recognizer

_making = threading.Lock()


def get_recognizer() -> Recognizer:
    """One recognizer a process; implementations are thread-safe. One that works in this process loads
    its models when it is first asked for: after a worker has forked, and once, however many threads
    ask."""
    with _making:
        return _recognizer()


@cache
def _recognizer() -> Recognizer:
    recognizer: Recognizer = import_string(settings.RECOGNIZER)(**settings.RECOGNIZER_OPTIONS)
    return recognizer


def forget_recognizer() -> None:
    """Make another one when it is asked for again; the settings have changed."""
    _recognizer.cache_clear()
