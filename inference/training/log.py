"""What a training tells while it works: ``progress.jsonl``, and bars on a terminal."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from .fit import Epoch


class Log:
    """One JSON line for each thing done: ``stage``, ``done``, ``of``, ``s`` since the start; lines of
    epochs have their figures too. Of several processes the first one writes."""

    def __init__(self, path: Path) -> None:
        self._began = time.monotonic()
        writes = not int(os.environ.get("RANK", "0"))
        self._file = path.open("a", encoding="utf-8") if writes else None
        self._bars: dict[str, Any] = {}

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *error: object) -> None:
        if self._file:
            self._file.close()

    @property
    def seconds(self) -> float:
        """Since the start of this process's part."""
        return time.monotonic() - self._began

    def progress(self, stage: str, done: int, total: int, **figures: Any) -> None:
        """``done`` of ``total`` in ``stage``."""
        if not self._file:
            return
        line = {"stage": stage, "done": done, "of": total, "s": round(self.seconds, 1), **figures}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        bar = self._bars.setdefault(
            stage, tqdm(desc=stage, total=total, disable=not sys.stderr.isatty())
        )
        bar.update(done - bar.n)

    def epoch(self, epoch: Epoch, of: int) -> None:
        """An epoch is over."""
        self.progress("epochs", epoch.number, of, **epoch.figures())
