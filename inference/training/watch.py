"""How a training comes along, on photos that it is not shown."""

from __future__ import annotations

import random

import numpy as np
import torch
from torch import Tensor

from inference.minigpt.model import MiniGPT
from inference.minigpt.vocabulary import PAD

from .answers import NO_ANSWER, Answers
from .telling import batch
from .views import Views

_BATCH = 32


@torch.no_grad()
def exact(model: MiniGPT, views: Views, answers: Answers) -> dict[str, float]:
    """The share of held-out photos in which each field's every token is the most probable one, given
    those before it, and in which each head is right. A quick look: what is written freely, or of what a
    catalog holds, is judged at the end."""
    device = next(model.parameters()).device
    right: dict[str, list[Tensor]] = {}
    for first in range(0, len(answers.records), _BATCH):
        rows = np.arange(first, min(first + _BATCH, len(answers.records)))
        seen = views.get(np.zeros(len(rows), np.intp), rows).to(device)
        tokens, wanted, heard = batch(answers.told(rows.tolist(), random.Random(first)))
        heard = None if heard is None else heard.to(device)
        said = model(seen.stems, tokens[:, :-1].to(device), heard, seen.cells)
        hit = (said["logits"].argmax(dim=2).cpu() == wanted) | (wanted == PAD)
        for key in answers.vocabulary.fields:
            inside = _inside(tokens[:, :-1], answers, key)
            asked = (inside & (wanted != PAD)).any(dim=1)
            right.setdefault(key, []).append((hit | ~inside).all(dim=1)[asked])
        for name, truth in answers.heads.items():
            if name in said:
                here = truth[rows]
                known = here != NO_ANSWER
                found = said[name].argmax(dim=1).cpu() == here
                right.setdefault(f"{name}_head", []).append(found[known])
    shares = {name: torch.cat(parts).float() for name, parts in right.items()}
    return {name: float(share.mean()) for name, share in shares.items() if len(share)}


def _inside(tokens: Tensor, answers: Answers, key: str) -> Tensor:
    """Where in captions [B, T] the tokens stand after which those of field ``key`` come [B, T]."""
    vocabulary = answers.vocabulary
    header = tokens == vocabulary.header(key)
    others = [vocabulary.header(k) for k in vocabulary.fields if k != key]
    other = torch.isin(tokens, torch.tensor(others))
    started = header.cumsum(dim=1) > 0
    return started & ((other & started).cumsum(dim=1) == 0)
