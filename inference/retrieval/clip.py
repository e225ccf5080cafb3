"""A CLIP or SigLIP from a local directory: pictures and texts in one space, without training.

Wants torch and transformers (the ``train`` extra), and nothing from any network.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Float32Array = NDArray[np.float32]
_MOST_TOKENS = 512


class ClipError(ValueError):
    """The directory holds no such model, or what it needs is not installed."""


class Clip:
    """Embeds pictures and texts. Thread-safe. Raises :class:`ClipError` when it cannot be loaded.

    ``folder`` is what transformers' ``save_pretrained`` writes: configuration, weights in safetensors,
    tokenizer and image processor. No code in it is run.
    """

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        try:
            import torch
            from transformers import AutoImageProcessor, AutoModel, AutoTokenizer
        except ImportError as error:
            raise ClipError(f"CLIP wants torch and transformers: {error}") from error
        told: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._model = AutoModel.from_pretrained(folder, use_safetensors=True, **told).eval()
            self._tokenizer = AutoTokenizer.from_pretrained(folder, **told)
            processors: Any = AutoImageProcessor
            self._processor = processors.from_pretrained(folder, **told)
            longest = self._model.config.text_config.max_position_embeddings
        except (OSError, ValueError, KeyError, AttributeError, ImportError) as error:
            raise ClipError(f"{folder} holds no CLIP: {error}") from error
        if not hasattr(self._model, "get_image_features"):
            raise ClipError(f"{folder} holds a {type(self._model).__name__}, which is no CLIP")
        self._torch = torch
        torch.set_num_threads(threads)
        self._longest = min(longest, _MOST_TOKENS)
        # SigLIP was taught texts padded to their full length, CLIP takes no notice
        self._padding = "max_length" if "siglip" in self._model.config.model_type else True
        self._lock = threading.Lock()
        self.name = f"clip-{_digest(folder)}"

    def pictures(self, pictures: Sequence[Image.Image]) -> Float32Array:
        """Unit vectors [B, D] of RGB pictures."""
        pixels = self._processor(images=list(pictures), return_tensors="np")["pixel_values"]
        return self._unit("get_image_features", pixel_values=np.asarray(pixels))

    def texts(self, texts: Sequence[str]) -> Float32Array:
        """Unit vectors [T, D] of texts; what is too long is cut off."""
        with self._lock:  # fast tokenizers are set up anew by each call
            tokens = self._tokenizer(
                list(texts),
                padding=self._padding,
                truncation=True,
                max_length=self._longest,
                return_tensors="np",
            )
        wanted = {name: tokens[name] for name in ("input_ids", "attention_mask") if name in tokens}
        return self._unit("get_text_features", **wanted)

    def _unit(self, method: str, **arrays: NDArray[Any]) -> Float32Array:
        torch = self._torch
        with torch.inference_mode():
            inputs = {name: torch.from_numpy(array) for name, array in arrays.items()}
            found = getattr(self._model, method)(**inputs)
            vectors = getattr(found, "pooler_output", found).float().numpy()
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Float32Array = (vectors / np.maximum(norms, 1e-12)).astype(np.float32)
        return unit


def _digest(folder: Path) -> str:
    """Changes with anything that changes what the model says."""
    digest = hashlib.sha256()
    for path in sorted(
        p for p in folder.iterdir() if p.suffix in (".json", ".safetensors", ".txt")
    ):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]
