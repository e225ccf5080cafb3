"""Sealed model folders for tests of the platform's rules: nothing in them can be loaded."""

from __future__ import annotations

import json
from pathlib import Path

from inference import bundles


def bundle(folder: Path, content: str = "one") -> Path:
    """A sealed folder whose digest follows from ``content``."""
    for name in ("model/config.json", "model/model.safetensors", "onnx/encode.onnx"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"content": content, "name": name, "make": bundles.MAKE}))
    (folder / "calibration.json").write_text("{}")
    (folder / "vocabulary.json").write_text("{}")
    (folder / "report.json").write_text("{}")
    (folder / "progress.jsonl").write_text("{}\n")
    bundles.seal(folder)
    return folder


def tamper(folder: Path) -> None:
    """Change one byte of a file that is sealed."""
    path = folder / "onnx" / "encode.onnx"
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(bytes(data))
