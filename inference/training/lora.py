"""Low-rank adaptation (Hu et al. 2022): a small file that teaches a known model a site's additions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn

from inference.minigpt.model import MiniGPT


@dataclass(frozen=True, slots=True)
class Ranks:
    """How much an adapter can hold: its ``rank``, and ``alpha``, by which its part is scaled (/ rank)."""

    rank: int = 16
    alpha: int = 32


def adapted(model: MiniGPT, ranks: Ranks = Ranks()) -> PeftModel:
    """``model`` with everything held but low ranks of the linear layers of its Q-Former and decoder,
    and what is too near to the pixels or to the SKUs for low ranks: the tower's tail and the class
    head, learned whole."""
    held = ("tower.", "heads.", *(["details."] if model.details.held else []))
    whole = [*model.tower.tail_modules(), *(["heads.sku"] if model.config.classes else [])]
    config = LoraConfig(
        r=ranks.rank,
        lora_alpha=ranks.alpha,
        lora_dropout=0.05,
        target_modules=[
            name
            for name, module in model.named_modules()
            if isinstance(module, nn.Linear) and not name.startswith(held)
        ],
        modules_to_save=whole,
    )
    return get_peft_model(model, config)


def save_adapter(model: PeftModel, folder: Path) -> None:
    """Write the adapter as safetensors, with its configuration."""
    model.save_pretrained(str(folder))


def merged(model: PeftModel) -> MiniGPT:
    """A plain model with the adapter worked in."""
    plain: MiniGPT = model.merge_and_unload()
    return plain
