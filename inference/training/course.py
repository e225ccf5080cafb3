"""A whole training: from a snapshot and a base to a sealed folder with its report."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file

from inference import bundles
from inference.engines import EngineError
from inference.minigpt.bundle import seal
from inference.minigpt.config import MiniGPTConfig
from inference.minigpt.familiar import Familiar
from inference.minigpt.model import MiniGPT
from inference.minigpt.reading import Reader, name_of
from inference.minigpt.towers import ForkedLite0Tower, Lite0Tower
from inference.minigpt.vocabulary import Vocabulary

from .acuity import acuity
from .answers import tell_details
from .export import export_onnx
from .fit import Run, fit
from .judge import calibrated, codes_of, judged, see, seen_often, write_answers
from .log import Log
from .lora import Ranks, adapted, merged, save_adapter
from .quantize import quantize_model
from .recipe import Recipe
from .snapshot import Record, Snapshot, units_of

WORK = "work"
"""Folder in ``out`` of what a killed training goes on from."""
SIDE_PX = 256
LOOKS = (1.0, 0.6)
PARTS: Final[dict[str, Any]] = {"tower": "efficientnet-lite0-forked", "detail_layers": 2}
"""Of a model that is begun, or of a base that goes on from one without them."""
_FEWEST_UNSEEN = 10
_MOST_UNSEEN = 400
"""Photos to calibrate on."""
_MOST_TAUGHT = 3000
"""Photos by which others are told to be familiar."""
_MOST_WATCHED = 300
"""Photos that each epoch is looked at on."""


@dataclass(frozen=True, slots=True)
class Course:
    """What is to become of what: ``base`` is a folder of an earlier training to go on from, by a LoRA of
    ``ranks`` or ``joint``; without one the model has looks of ``side`` px and ``looks`` shares.
    ``general`` makes a base of it, that knows no SKUs by heart."""

    recipe: Recipe
    base: Path | None = None
    joint: bool = False
    general: bool = False
    side: int = SIDE_PX
    looks: Sequence[float] = LOOKS
    ranks: Ranks = field(default_factory=Ranks)
    checkpointing: bool = False
    report_to: str | None = None


def train(snapshot: Snapshot, out: Path, course: Course) -> dict[str, Any]:
    """Train, calibrate, judge and write everything into ``out``; answers the report. What a killed
    training left in ``out`` is gone on from."""
    recipe, base = course.recipe, course.base
    out.mkdir(parents=True, exist_ok=True)
    records, unseen = held_out(snapshot)
    pictures = records if course.general else [*records, *snapshot.references()]
    classes = [] if course.general else sorted({r.sku for r in pictures if r.sku})
    torch.manual_seed(recipe.seed)
    vocabulary, model = _start(course, classes)
    if base and not tell_details(pictures):
        model.details.hold()
    lora = adapted(model, course.ranks) if base and not course.joint else None
    if course.checkpointing:
        model.gradient_checkpointing_enable()
    with Log(out / "progress.jsonl") as log:
        run = Run(
            out / WORK, log.progress, log.epoch, tuple(unseen[:_MOST_WATCHED]), course.report_to
        )
        epochs = fit(model, vocabulary, pictures, snapshot.catalog, recipe, run)
        if int(os.environ.get("RANK", "0")):  # what follows is done once
            return {}
        log.progress("export", 0, 3)
        if lora is not None:
            save_adapter(lora, out / "adapter")
            model = merged(lora)
        model.save_pretrained(out / "model")
        export_onnx(model, out / "onnx")
        _write(out / "vocabulary.json", vocabulary.to_json())
        some = unseen[:_MOST_UNSEEN]
        facts: dict[str, Any] = {"units": units_of(pictures), "photos": len(some)}
        _write(out / "calibration.json", {**facts, "temperatures": {}, "sku_weights": {}})
        log.progress("export", 1, 3)
        reader = Reader.open(out, "onnx", threads=torch.get_num_threads())
        _write(out / "calibration.json", facts | calibrated(reader, some, snapshot.catalog))
        if course.general:  # photos of sites are of another kind
            taught = _some(records, recipe.seed)
            Familiar.fit(see(reader, taught), see(reader, some or taught)).save(out)
        log.progress("export", 2, 3)
        int8 = quantize_model(out, records, codes_of(records, snapshot.catalog))
        log.progress("export", 3, 3)
        report: dict[str, Any] = {
            "recipe": asdict(recipe),
            "photos": {split: len(rows) for split, rows in snapshot.splits.items()},
            "base": name_of(base) if base else None,
            "method": "lora" if lora else "joint",
            "classes": len(model.config.classes),
            "parameters": sum(p.numel() for p in model.parameters()),
            "losses": [round(epoch.loss, 4) for epoch in epochs],
            "epochs": [{"epoch": epoch.number, **epoch.figures()} for epoch in epochs],
            "int8": int8,
        }
        report |= _judged(out, snapshot, unseen, course, int8["kept"])
        report["seconds"] = round(log.seconds)
    _write(out / "report.json", report)
    shutil.rmtree(out / WORK)
    seal(out)
    return report


def _judged(
    out: Path, snapshot: Snapshot, unseen: Sequence[Record], course: Course, int8: bool
) -> dict[str, Any]:
    """What the model makes of photos that it has not seen, in each precision; its answers on them are
    written down."""
    readers = {"": Reader.open(out, "onnx")}
    if int8:
        readers["_int8"] = Reader.open(out, "onnx-int8")
    val = snapshot.splits.get("val", unseen)
    if course.general:
        asked = snapshot.splits.get("test", val)
        return {f"unseen{k}": acuity(r, asked, snapshot.catalog) for k, r in readers.items()}
    figures, often = {}, seen_often(snapshot)
    for kind, reader in readers.items():
        figures[f"val{kind}"], answers = judged(reader, val, snapshot.catalog, often)
        write_answers(
            out / "answers.jsonl", answers
        )  # those of the one that will be used, the last
    return figures


def held_out(snapshot: Snapshot) -> tuple[list[Record], list[Record]]:
    """The photos to learn from, and those to calibrate on: the ``val`` split or, where there is none
    or next to none, some of the ``train`` split."""
    records, unseen = list(snapshot.splits["train"]), list(snapshot.splits.get("val", ()))
    if len(unseen) < _FEWEST_UNSEEN and len(records) > _FEWEST_UNSEEN:
        step = max(2, min(10, len(records) // _FEWEST_UNSEEN))
        unseen += records[::step]
        del records[::step]
    return records, unseen


def _some(records: Sequence[Record], seed: int) -> list[Record]:
    return random.Random(seed).sample(records, min(_MOST_TAUGHT, len(records)))


def _write(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")


def _start(course: Course, classes: list[str]) -> tuple[Vocabulary, MiniGPT]:
    """The vocabulary and model to go on from, with a class head for ``classes``."""
    base = course.base
    if base is None:
        vocabulary = Vocabulary.default()
        config = MiniGPTConfig(
            vocabulary_size=len(vocabulary),
            side_px=course.side,
            looks=course.looks,
            classes=classes,
            **PARTS,
        )
        model = MiniGPT(config)
        assert isinstance(model.tower, Lite0Tower)
        model.tower.load_imagenet()
        return vocabulary, model
    if not (bundles.is_of_this_make(base) or (course.general and bundles.is_sealed(base))):
        raise EngineError(
            f"{base} is no model, or one of another version, whose parts differ: go on from the shipped base, "
            "or from nothing"
        )
    vocabulary = Vocabulary.from_json(json.loads((base / "vocabulary.json").read_text("utf-8")))
    known = json.loads((base / "model" / "config.json").read_text("utf-8"))
    own = {"classes": classes, "make": bundles.MAKE, "dtype": "float32"}
    model = MiniGPT(MiniGPTConfig(**known | own | (PARTS if course.general else {})))
    shapes = {name: weight.shape for name, weight in model.state_dict().items()}
    weights = {
        name: weight.float()
        for name, weight in load_file(base / "model" / "model.safetensors").items()
        if weight.shape == shapes.get(name) and not name.startswith("heads.sku.")
    }
    new, _ = model.load_state_dict(weights, strict=False)
    if isinstance(model.tower, ForkedLite0Tower) and any("tower.fork." in name for name in new):
        model.tower.begin_fork()
    return vocabulary, model
