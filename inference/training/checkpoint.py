"""A training as it stood after an epoch: weights, the optimiser's moments and what each epoch came to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.optim.lr_scheduler import LambdaLR

from inference.minigpt.model import MiniGPT

if TYPE_CHECKING:
    from .fit import Epoch

_WEIGHTS, _MOMENTS = "model.", "optimizer."


class Checkpoint:
    """One file of tensors that takes another's place at once: a trainer that is killed while it writes
    leaves the one before."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def exists(self) -> bool:
        """Whether there is one to go on from."""
        return self._path.is_file()

    def save(
        self,
        model: MiniGPT,
        optimizer: torch.optim.Optimizer,
        schedule: LambdaLR,
        epochs: Sequence[Epoch],
    ) -> None:
        """Write how things stand after ``epochs``."""
        tensors = {_WEIGHTS + k: v.detach().cpu() for k, v in model.state_dict().items()}
        for number, moments in optimizer.state_dict()["state"].items():
            for name, value in moments.items():
                tensors[f"{_MOMENTS}{number}.{name}"] = torch.as_tensor(value).cpu()
        known = {"epochs": [asdict(epoch) for epoch in epochs], "step": schedule.last_epoch}
        part = self._path.with_suffix(".part")
        tensors = {k: v.contiguous().clone() for k, v in tensors.items()}
        save_file(tensors, part, metadata={"known": json.dumps(known)})
        part.replace(self._path)

    def load(
        self, model: MiniGPT, optimizer: torch.optim.Optimizer, schedule: LambdaLR
    ) -> list[dict[str, Any]]:
        """Bring everything back to how it stood; answers the epochs as they were written, none where
        there is no checkpoint."""
        if not self.exists():
            return []
        weights: dict[str, torch.Tensor] = {}
        moments: dict[int, dict[str, torch.Tensor]] = {}
        with safe_open(self._path, framework="pt") as file:
            known = json.loads(file.metadata()["known"])
            for key in file.keys():  # noqa: SIM118 - it cannot be walked itself
                if key.startswith(_WEIGHTS):
                    weights[key.removeprefix(_WEIGHTS)] = file.get_tensor(key)
                else:
                    number, name = key.removeprefix(_MOMENTS).split(".", 1)
                    moments.setdefault(int(number), {})[name] = file.get_tensor(key)
        model.load_state_dict(weights)
        state = optimizer.state_dict()
        schedule.last_epoch = known["step"]
        rates = [
            r * f(known["step"])
            for r, f in zip(schedule.base_lrs, schedule.lr_lambdas, strict=True)
        ]
        for group, rate in zip(state["param_groups"], rates, strict=True):
            group["lr"] = rate
        optimizer.load_state_dict({**state, "state": moments})
        return list(known["epochs"])
