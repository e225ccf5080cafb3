"""A trainer and a judge that learn nothing, as processes of their own: they keep the contract of
``inference.training`` (folders, progress, resuming) and are quick enough to be killed in tests.

    python tests/trainer.py train|judge [--pace S] [--right N] [--fail] … the contract's arguments
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

PHOTOS = 40


def answers(path: Path, right: int) -> None:
    """Answers to PHOTOS photos, the first ``right`` of them right."""
    with path.open("w", encoding="utf-8") as file:
        for n in range(PHOTOS):
            good = n < right
            line = {
                "image_id": f"IMG_{n:03d}",
                "scene_id": f"scene-{n}",
                "truth": {"sku": "SKU-A", "quantity": "1"},
                "said": {"sku": "SKU-A" if good else "SKU-B", "quantity": "1"},
                "confidence": {"sku": 0.5 + n / 100, "quantity": 0.9},
                "category": "零食" if n % 2 else "饮料",
                "cam_type": "front",
                "rarity": "tail" if n % 4 == 3 else "head",
                "correct": {"sku": good, "quantity": True},
                "whole": good,
                "group": "gold" if n % 10 == 9 else "val",
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def alive(pid: int) -> bool:
    """Whether a process runs; one that is only waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def train(options: argparse.Namespace) -> int:
    out: Path = options.out
    if out.exists() and any(out.iterdir()) and not options.resume:
        print("the folder is not empty", file=sys.stderr)
        return 2
    out.mkdir(parents=True, exist_ok=True)
    try:
        with (out.parent / "writer").open("x") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        other = int((out.parent / "writer").read_text() or 0)
        if alive(other):
            (out.parent / "two-writers").touch()
            return 9
        (out.parent / "writer").write_text(str(os.getpid()))
    checkpoint = out / "checkpoint"
    begin = int(checkpoint.read_text()) if checkpoint.exists() else 0
    for epoch in range(begin, options.epochs):
        time.sleep(options.pace)
        line = {"stage": "epochs", "done": epoch + 1, "of": options.epochs, "s": 1.0}
        line |= {"loss": 1 / (epoch + 1), "rate": 1e-3, "val": {"caption": epoch / 10}}
        with (out / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, "pid": os.getpid()}) + "\n")
        checkpoint.write_text(str(epoch + 1))
        print(f"epoch {epoch + 1}", flush=True)
    if options.fail:
        print("no more room on the moon", flush=True)
        return 3
    (out / "model").mkdir(exist_ok=True)
    (out / "model" / "model.safetensors").write_bytes(f"{options.right}/{out}".encode())
    from inference.bundles import MAKE, seal

    (out / "model" / "config.json").write_text(json.dumps({"make": MAKE}))
    answers(out / "answers.jsonl", options.right)
    (out / "report.json").write_text(json.dumps({"val": {"caption": options.right / PHOTOS}}))
    seal(out)
    (out.parent / "writer").unlink()
    return 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["train", "judge"])
    parser.add_argument("--pace", type=float, default=0.0)
    parser.add_argument("--right", type=int, default=30)
    parser.add_argument("--fail", action="store_true")
    parser.add_argument("--snapshot", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--joint", action="store_true")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--epochs", type=int, default=3)
    for name in ("views", "seed", "side", "threads"):
        parser.add_argument(f"--{name}", type=int)
    options = parser.parse_args()
    if not (options.snapshot / "manifest.json").is_file():
        print("no snapshot", file=sys.stderr)
        return 1
    if options.what == "train":
        return train(options)
    answers(options.out, options.right)
    return 0


if __name__ == "__main__":
    sys.exit(main())
