"""Teach a MiniGPT the captions of a snapshot::

    python -m inference.training --snapshot DIR --out DIR [--base DIR [--joint]]

``OUT`` then holds ``model/`` (safetensors, for the Auto classes of transformers), ``onnx/`` (the graphs that
inference runs), ``vocabulary.json``, ``calibration.json`` (what its confidence is divided by, from the ``val``
split), ``report.json`` (what it makes of that split) and
``progress.jsonl``, which grows while it works. ``--base`` is such a folder to go on from: what is learned is
then also written as a LoRA in ``adapter/``, unless everything is to move (``--joint``). Without one the picture
encoder starts from ImageNet and the rest from nothing. What a killed run has learned is in ``work/`` until the end:
``--resume`` goes on from there. ``torchrun --nproc-per-node N -m inference.training …`` learns on N devices.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from inference.engines import EngineError

from .course import LOOKS, SIDE_PX, Course, train
from .lora import Ranks
from .recipe import Recipe
from .snapshot import SnapshotError, read_snapshot

_DEFAULT = Recipe()
_LORA = Ranks()
TRACKERS = ("tensorboard", "mlflow", "wandb")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m inference.training", description=__doc__)
    parser.add_argument(
        "--snapshot", type=Path, required=True, help="a data set with a train split"
    )
    parser.add_argument("--base", type=Path, help="an earlier --out to go on from")
    parser.add_argument("--joint", action="store_true", help="move all of --base's weights")
    parser.add_argument(
        "--general",
        action="store_true",
        help="learn no SKUs by heart and leave the picture encoder alone: a base to go on from",
    )
    parser.add_argument("--out", type=Path, required=True, help="a new or empty folder")
    parser.add_argument(
        "--detail-epochs", type=int, default=8, help="of counting alone, with --general"
    )
    parser.add_argument(
        "--copying-steps", type=int, default=1500, help="of copying alone, with --general"
    )
    parser.add_argument("--resume", action="store_true", help="go on with what is in --out")
    parser.add_argument("--epochs", type=int, default=_DEFAULT.epochs)
    parser.add_argument("--batch", type=int, default=_DEFAULT.batch)
    parser.add_argument(
        "--accumulate", type=int, default=_DEFAULT.accumulate, help="batches that make a step"
    )
    parser.add_argument("--rate", type=float, default=_DEFAULT.rate)
    parser.add_argument(
        "--balance", type=float, default=_DEFAULT.balance, help="weight lent to rare SKUs, 0 … 1"
    )
    parser.add_argument(
        "--patience",
        type=int,
        default=_DEFAULT.patience,
        help="epochs without gain on --snapshot's val split after which to stop (0: never)",
    )
    parser.add_argument("--lora-rank", type=int, default=_LORA.rank)
    parser.add_argument("--lora-alpha", type=int, default=_LORA.alpha)
    parser.add_argument(
        "--checkpointing", action="store_true", help="less memory, more time: see each layer twice"
    )
    parser.add_argument(
        "--report-to",
        choices=(*TRACKERS, "none"),
        default=TRACKERS[0],
        help="keep curves for this too, in OUT/curves (%(default)s)",
    )
    parser.add_argument("--views", type=int, default=_DEFAULT.views, help="of each photo")
    parser.add_argument(
        "--side", type=int, default=SIDE_PX, help="of each look in pixels, without --base"
    )
    parser.add_argument(
        "--looks",
        type=shares,
        default=LOOKS,
        help="at each photo, as shares of its sides, without --base (1,0.6)",
    )
    parser.add_argument("--seed", type=int, default=_DEFAULT.seed)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--json", action="store_true", help="one machine-readable result line")
    options = parser.parse_args(argv)
    if options.out.exists() and any(options.out.iterdir()) and not options.resume:
        parser.error(f"{options.out} is not empty; name a new folder, or go on with --resume")
    if min(options.epochs, options.views, options.threads) < 1 or options.side % 32:
        parser.error("--epochs, --views and --threads are 1 or more, --side a multiple of 32")
    if min(options.batch, options.accumulate, options.lora_rank) < 1:
        parser.error("--batch, --accumulate and --lora-rank are 1 or more")
    torch.set_num_threads(options.threads)
    recipe = Recipe(
        epochs=options.epochs,
        views=options.views,
        batch=options.batch,
        accumulate=options.accumulate,
        rate=options.rate,
        balance=options.balance,
        patience=options.patience,
        hold_tower=options.general,
        detail_epochs=options.detail_epochs if options.general else 0,
        copying_steps=options.copying_steps if options.general else 0,
        seed=options.seed,
    )
    course = Course(
        recipe,
        base=options.base,
        joint=options.joint,
        general=options.general,
        side=options.side,
        looks=options.looks,
        ranks=Ranks(options.lora_rank, options.lora_alpha),
        checkpointing=options.checkpointing,
        report_to=None if options.report_to == "none" else options.report_to,
    )
    try:
        report = train(read_snapshot(options.snapshot), options.out, course)
    except (SnapshotError, EngineError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    figures = report.get("unseen" if options.general else "val", {})
    if options.json:
        print(json.dumps({"ok": True, "out": str(options.out), **figures}))
    else:
        print(json.dumps(figures, indent=1))
    return 0


def shares(text: str) -> tuple[float, ...]:
    """The numbers of ``1,0.6``. Raises ValueError unless each is above 0 and at most 1."""
    found = tuple(float(part) for part in text.split(","))
    if not all(0 < share <= 1 for share in found):
        raise ValueError(text)
    return found


if __name__ == "__main__":
    sys.exit(main())
