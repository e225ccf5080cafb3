"""Which errors are faults of the machine rather than of a picture.

A picture that cannot be described fails alone and for good. Running out of memory, or a graphics card
that has given up, says nothing about the picture: the work is done again, in smaller pieces or in
another process (:mod:`inference.serving`).
"""

from __future__ import annotations

from typing import Literal

Fault = Literal["out_of_memory", "fatal"]

_OUT_OF_MEMORY = (
    "out of memory",
    "bad_alloc",
    "failed to allocate",
    "cannot allocate memory",
    "outofmemory",
    "alloc_failed",  # CUBLAS_STATUS_ALLOC_FAILED and its siblings
)
_FATAL = (
    "cuda error",
    "cuda failure",
    "cudaerror",
    "illegal memory access",
    "device-side assert",
    "unspecified launch failure",
    "cublas_status",
    "cudnn_status",
    "misaligned address",
)
"""After any of these the CUDA context of a process answers nothing but errors."""


def fault_of(error: BaseException) -> Fault | None:
    """The fault that an engine's error stands for, by type or by what the engine wrote; None for an
    ordinary error."""
    if isinstance(error, MemoryError):
        return "out_of_memory"
    text = f"{type(error).__name__}: {error}".lower()
    if any(sign in text for sign in _OUT_OF_MEMORY):
        return "out_of_memory"
    if any(sign in text for sign in _FATAL):
        return "fatal"
    return None
