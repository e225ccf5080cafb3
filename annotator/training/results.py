"""Reading what the trainer writes: answers, the course of the training, its report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotator.core.errors import Conflict

from .gates import HEAD, Answer
from .supervision import Lines

ANSWERS = "answers.jsonl"
PROGRESS = "progress.jsonl"
REPORT = "report.json"
EPOCHS = "epochs"


@dataclass(frozen=True, slots=True)
class Picture:
    """One photo as a model saw it: the truth, what it said and how sure it was, by field."""

    answer: Answer
    truth: dict[str, str | None]
    said: dict[str, str | None]
    confidence: dict[str, float]

    @property
    def sureness(self) -> float:
        """How sure the model was of the SKU, or where it says nothing of it, of the rest."""
        known = self.confidence
        return known.get("sku", max(known.values(), default=0.0))


def pictures_in(path: Path) -> list[Picture]:
    """What a model said of each photo. Raises Conflict for a file that is missing or cannot be read."""
    try:
        return [_picture(line) for line in _lines(path)]
    except FileNotFoundError as error:
        raise Conflict("training_no_answers", file=path.name) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Conflict("training_bad_answers", file=path.name, detail=str(error)) from error


def answers_in(path: Path) -> list[Answer]:
    """As a gate compares them; see :func:`pictures_in`."""
    return [picture.answer for picture in pictures_in(path)]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def _picture(line: dict[str, Any]) -> Picture:
    answer = Answer(
        image_id=str(line["image_id"]),
        scene_id=str(line.get("scene_id") or line["image_id"]),
        correct={str(key): bool(right) for key, right in line["correct"].items()},
        whole=bool(line["whole"]),
        category=str(line.get("category") or ""),
        cam_type=str(line.get("cam_type") or ""),
        rarity=str(line.get("rarity") or HEAD),
        group=str(line.get("group") or "val"),
    )
    confidence = {key: float(p) for key, p in (line.get("confidence") or {}).items()}
    return Picture(answer, dict(line["truth"]), dict(line["said"]), confidence)


def curve(path: Path) -> list[dict[str, Any]]:
    """The lines of ``progress.jsonl`` that tell of an epoch, each epoch once: of one that was done
    again after a kill, the last."""
    found = {line.get("done"): line for line in Lines(path).new() if line.get("stage") == EPOCHS}
    return [found[done] for done in sorted(found, key=lambda done: done or 0)]


def report_in(folder: Path) -> dict[str, Any]:
    """The trainer's own figures. Raises Conflict where it wrote none."""
    try:
        report: dict[str, Any] = json.loads((folder / REPORT).read_text("utf-8"))
    except (FileNotFoundError, ValueError) as error:
        raise Conflict("training_no_report") from error
    return report


def worst_of(pictures: Sequence[Picture]) -> list[Picture]:
    """The photos that were wrong, those first of which the model was the surest."""
    wrong = [picture for picture in pictures if not picture.answer.whole]
    return sorted(wrong, key=lambda p: (-p.sureness, p.answer.image_id))


def confusions(pictures: Sequence[Picture], most: int = 20) -> list[tuple[str, str, int]]:
    """The SKUs that were most often taken for another: true, said, how often."""
    found: dict[tuple[str, str], int] = {}
    for picture in pictures:
        true, said = picture.truth.get("sku") or "", picture.said.get("sku") or ""
        if true and true != said:
            found[true, said] = found.get((true, said), 0) + 1
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [(true, said, n) for (true, said), n in ordered[:most]]
