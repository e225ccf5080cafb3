"""Sealed models (:mod:`inference.bundles`), as those see them who load one."""

from __future__ import annotations

from pathlib import Path

from inference import bundles
from inference.engines import EngineError


def seal(folder: Path) -> None:
    """Write the manifest of ``folder``: the SHA-256 of each file that is loaded."""
    bundles.seal(folder)


def verify(folder: Path) -> None:
    """Raises :class:`EngineError` when a file of a sealed ``folder`` is missing, strange or another
    than it was. One without a manifest was never sealed."""
    if not bundles.is_sealed(folder):
        return
    try:
        bundles.verify(folder)
    except bundles.BundleError as error:
        raise EngineError(str(error)) from error
