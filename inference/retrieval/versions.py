"""Coded vectors on disk, so that a process that starts need not code them again.

A version is a folder, written beside its place and renamed into it, so that there is all of it or none.
It may be behind or ahead of what is known by now: :meth:`PictureIndex.adopt` counts only what has the
same key and vector.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
from pathlib import Path

import faiss
import numpy as np

from inference.retrieval.index import Coded
from inference.retrieval.tiers import Sealed, Tier

logger = logging.getLogger(__name__)

KEPT = 2
"""Versions that stay: the newest, and the one that others may be reading."""
_FORM = 1
_NAME = re.compile(r"^v-(\d{10})-([0-9a-f]{16})$")
_DIGEST_BYTES = 16


def save(folder: Path, coded: Coded) -> Path:
    """Write a version and drop all but the last :data:`KEPT`; the folder of the version."""
    folder.mkdir(parents=True, exist_ok=True)
    content = hashlib.sha256(b"".join(coded.digests)).hexdigest()
    known = _versions(folder)
    if known and known[-1].name.endswith(content[:16]):
        return known[-1]
    number = int(known[-1].name.split("-")[1]) + 1 if known else 1
    partial = folder / f".partial-{os.getpid()}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    faiss.write_index(coded.sealed.index, str(partial / "codes.faiss"))
    (partial / "keys.json").write_text(json.dumps(coded.keys), "utf-8")
    np.save(partial / "digests.npy", np.frombuffer(b"".join(coded.digests), np.uint8))
    tier = coded.sealed.tier
    manifest = {
        "form": _FORM,
        "tier": tier.name,
        "ef": tier.ef,
        "probes": tier.probes,
        "factory": tier.factory,
        "count": len(coded.keys),
        "dimensions": coded.sealed.index.d,
        "sha256": {path.name: _sha256(path) for path in sorted(partial.iterdir())},
    }
    (partial / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    for path in partial.iterdir():
        _sync(path)
    version = folder / f"v-{number:010d}-{content[:16]}"
    try:
        partial.rename(version)
    except OSError:  # another replica has just written it
        shutil.rmtree(partial, ignore_errors=True)
    _sync(folder)
    for old in _versions(folder)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return version


def load(folder: Path, dimensions: int, *, gpu: bool = False) -> Coded | None:
    """The newest version that is whole, of so many dimensions; None where there is none."""
    for version in reversed(_versions(folder)):
        try:
            return _read(version, dimensions, gpu=gpu)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            logger.warning("index version %s is passed over: %s", version, error)
    return None


def _read(version: Path, dimensions: int, *, gpu: bool) -> Coded:
    manifest = json.loads((version / "manifest.json").read_text("utf-8"))
    if manifest["form"] != _FORM or manifest["dimensions"] != dimensions:
        raise ValueError("it is of another form or of other vectors")
    for name, sha256 in manifest["sha256"].items():
        if _sha256(version / name) != sha256:
            raise ValueError(f"{name} does not match its hash")
    keys = json.loads((version / "keys.json").read_text("utf-8"))
    digests = np.load(version / "digests.npy", allow_pickle=False).tobytes()
    tier = Tier(
        manifest["tier"],
        float("inf"),
        manifest["factory"],
        ef=manifest["ef"],
        probes=manifest["probes"],
    )
    sealed = Sealed(tier, faiss.read_index(str(version / "codes.faiss")), gpu=gpu)
    count = manifest["count"]
    if not len(sealed) == len(keys) == len(digests) // _DIGEST_BYTES == count:
        raise ValueError(f"it says that it holds {count} vectors, and does not")
    each = range(0, len(digests), _DIGEST_BYTES)
    return Coded(sealed, keys, [digests[n : n + _DIGEST_BYTES] for n in each])


def _versions(folder: Path) -> list[Path]:
    """Oldest first."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if _NAME.match(path.name))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
