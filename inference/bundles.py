"""A model's folder as a bundle: a manifest of the hashes of its files, looked at before any is loaded.
The SHA-256 of the manifest names the bundle. Nothing but the standard library is needed for that."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

MANIFEST: Final = "manifest.json"
SHIPPED: Final = Path(__file__).parent / "minigpt" / "base"
"""Where a model that comes with the package lies (``python -m inference.training.ship`` writes it)."""
LOADED: Final = frozenset({".onnx", ".safetensors", ".json"})
"""What is loaded of a bundle, and sealed: nothing that can run."""
SUFFIXES: Final = LOADED | {".txt"}
"""What a manifest may name."""
MAKE: Final = 3
"""Counts changes of MiniGPT's parts. Any model answers, but trainings go on from those of this make alone."""
_NOT_SEALED = frozenset({MANIFEST, "report.json"})
_PARTS = ("", "model", "onnx")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class BundleError(Exception):
    """A folder that is no bundle, or not the one that was sealed; says why."""


def base(named: Path | str | None = None) -> Path | None:
    """The model of sites that have none of their own: the ``named`` one, else the one that comes with the
    package; None where none does."""
    if named:
        return Path(named)
    return SHIPPED if is_sealed(SHIPPED) else None


def is_of_this_make(folder: Path) -> bool:
    """Whether a training can go on from the model of ``folder``."""
    try:
        config = json.loads((folder / "model" / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and config.get("make", 1) == MAKE


def seal(folder: Path) -> str:
    """Write the manifest of ``folder``: the SHA-256 of each file that is loaded. Returns the digest."""
    files = {name: _sha256(path) for name, path in _found(folder).items()}
    text = json.dumps({"files": files}, indent=1) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return digest_of(folder)


def is_sealed(folder: Path) -> bool:
    """Whether ``folder`` has a manifest."""
    return (folder / MANIFEST).is_file()


def digest_of(folder: Path) -> str:
    """The SHA-256 of the manifest, in hexadecimal. Raises :class:`BundleError` without one."""
    try:
        return _sha256(folder / MANIFEST)
    except OSError as error:
        raise BundleError(f"{folder} is no sealed model: {error}") from error


def is_digest(text: str) -> bool:
    """Whether ``text`` could be a digest."""
    return _DIGEST.fullmatch(text) is not None


def verify(folder: Path, digest: str = "") -> None:
    """Raises :class:`BundleError` when a file of a sealed ``folder`` is missing, strange or another
    than it was; with ``digest``, also when it is another bundle."""
    if digest and digest_of(folder) != digest:
        raise BundleError(f"{folder} holds another model than {digest[:12]}: register it anew")
    files, found = _manifest(folder), _found(folder)
    for name in sorted({*files, *found}):
        if not (folder / name).is_file():
            raise BundleError(f"{folder} is not complete: {name} is missing")
        if files.get(name) != _sha256(folder / name):
            raise BundleError(f"{folder / name} is not what was sealed: restore or train it anew")


def shelve(folder: Path, shelf: Path) -> str:
    """Copy what is sealed in ``folder`` to ``shelf``/digest and return the digest. The copy is verified
    before it takes its place, all at once; one that is there already stays, unless it is broken.
    Raises :class:`BundleError`."""
    if not folder.is_dir():
        raise BundleError(f"{folder} is no folder")
    digest, names = digest_of(folder), _manifest(folder)
    target = shelf / digest
    if target.is_dir() and _intact(target, digest):
        verify(folder, digest)
        return digest
    shelf.mkdir(parents=True, exist_ok=True)
    partial = shelf / f".{digest[:12]}-{uuid.uuid4().hex}.partial"
    try:
        for name in (*names, MANIFEST):
            _copy(folder / name, partial / name)
        verify(partial, digest)
        _take_place(partial, target, digest)
    except OSError as error:
        raise BundleError(f"{folder} cannot be copied: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return digest


def _take_place(partial: Path, target: Path, digest: str) -> None:
    try:
        partial.rename(target)
    except OSError:  # it is there: another one was as quick, or what lies there is broken
        if _intact(target, digest):
            return
        broken = partial.with_suffix(".broken")
        target.rename(broken)
        partial.rename(target)
        shutil.rmtree(broken, ignore_errors=True)


def _intact(folder: Path, digest: str) -> bool:
    try:
        verify(folder, digest)
    except BundleError:
        return False
    return True


def _copy(source: Path, target: Path) -> None:
    if source.is_symlink() or not source.is_file():
        raise BundleError(f"{source} is no plain file")
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as read, target.open("xb") as written:
        shutil.copyfileobj(read, written, 1 << 20)
        written.flush()
        os.fsync(written.fileno())
    target.chmod(0o444)


def _manifest(folder: Path) -> Mapping[str, str]:
    """The hashes by name. Raises :class:`BundleError` for names that no bundle has."""
    manifest = folder / MANIFEST
    try:
        files = dict(json.loads(manifest.read_text("utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{manifest} cannot be read: {error}") from error
    for name, sha256 in files.items():
        path = PurePosixPath(name)
        plain = len(path.parts) <= 2 and "\\" not in name and path.as_posix() == name
        where = path.parent.name if len(path.parts) == 2 else ""
        if not plain or where not in _PARTS or path.suffix not in SUFFIXES:
            raise BundleError(f"{manifest} names {name!r}, which no model has")
        if not isinstance(sha256, str) or not is_digest(sha256):
            raise BundleError(f"{manifest} has no hash of {name!r}")
    if not files:
        raise BundleError(f"{manifest} names no files")
    return files


def _found(folder: Path) -> dict[str, Path]:
    """The files of a bundle by their names."""
    return {
        path.relative_to(folder).as_posix(): path
        for part in _PARTS
        if (folder / part).is_dir()
        for path in sorted((folder / part).iterdir())
        if path.suffix in LOADED and path.name not in _NOT_SEALED
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
