"""The recognizer that this process uses, loaded by a setting."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from inference.contracts import Recognizer


@cache
def get_recognizer() -> Recognizer:
    """One recognizer a process; implementations are thread-safe."""
    recognizer: Recognizer = import_string(settings.RECOGNIZER)(**settings.RECOGNIZER_OPTIONS)
    return recognizer
