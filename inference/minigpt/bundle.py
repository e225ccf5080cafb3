"""A model's folder as a bundle: a manifest of the hashes of its files, looked at before any is loaded."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from inference.engines import EngineError

_MANIFEST = "manifest.json"
_SUFFIXES = (".onnx", ".safetensors", ".json")
"""What a bundle is made of: nothing that can run."""
_NOT_LOADED = (_MANIFEST, "report.json")


def seal(folder: Path) -> None:
    """Write the manifest of ``folder``: the SHA-256 of each file that is loaded."""
    files = {path.relative_to(folder).as_posix(): _sha256(path) for path in _loaded(folder)}
    text = json.dumps({"files": files}, indent=1) + "\n"
    (folder / _MANIFEST).write_text(text, encoding="utf-8")


def verify(folder: Path) -> None:
    """Raises :class:`EngineError` when a file of a sealed ``folder`` is missing, strange or another
    than it was. One without a manifest was never sealed."""
    manifest = folder / _MANIFEST
    if not manifest.is_file():
        return
    try:
        files = dict(json.loads(manifest.read_text("utf-8"))["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise EngineError(f"{manifest} cannot be read: {error}") from error
    found = {path.relative_to(folder).as_posix(): path for path in _loaded(folder)}
    for name in sorted({*files, *found}):
        if name not in found:
            raise EngineError(f"{folder} is not complete: {name} is missing")
        if files.get(name) != _sha256(found[name]):
            raise EngineError(f"{folder / name} is not what was sealed: restore or train it anew")


def _loaded(folder: Path) -> list[Path]:
    parts = (folder, folder / "model", folder / "onnx")
    return sorted(
        path
        for part in parts
        if part.is_dir()
        for path in part.iterdir()
        if path.suffix in _SUFFIXES and path.name not in _NOT_LOADED
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
