"""MiniGPTs for tests: real ones that were taught nothing, small, sealed, and quickly made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from inference import bundles


def tiny_model(folder: Path) -> Path:
    """A sealed MiniGPT with random weights; takes some seconds to export. Wants torch."""
    import torch

    from inference.minigpt.config import MiniGPTConfig
    from inference.minigpt.model import MiniGPT
    from inference.minigpt.vocabulary import Vocabulary
    from inference.training.export import export_onnx

    torch.manual_seed(3)
    vocabulary = Vocabulary.default()
    model = MiniGPT(
        MiniGPTConfig(
            vocabulary_size=len(vocabulary),
            side_px=64,
            width=48,
            heads=4,
            queries=6,
            tower="vit-small-32",
        )
    ).eval()
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder / "model")
    export_onnx(model, folder / "onnx")
    (folder / "vocabulary.json").write_text(json.dumps(vocabulary.to_json()), encoding="utf-8")
    _calibrate(folder, 1.0)
    return folder


def variant(model: Path, folder: Path, temperature: float) -> Path:
    """The same model, surer or less sure of its quantities: another bundle, with another name."""
    shutil.copytree(model, folder)
    _calibrate(folder, temperature)
    return folder


def _calibrate(folder: Path, temperature: float) -> None:
    calibration = {
        "units": ["箱"],
        "temperatures": {"quantity": temperature, "condition": temperature},
        "attribute_temperatures": {"package_type": temperature, "stack_level": temperature},
        "sku_weights": {"decoder": 0.5, "head": 0.5},
    }
    (folder / "calibration.json").write_text(json.dumps(calibration), encoding="utf-8")
    (folder / "report.json").write_text(json.dumps({"val": {"sku": temperature}}), encoding="utf-8")
    bundles.seal(folder)
