"""How fast an engine is and how much memory it takes, each in a process of its own."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.minigpt.alternatives import Float32Array, IntArray, Tree, weigh
from inference.minigpt.vocabulary import Vocabulary

from . import Kind, open_engine
from .base import Engine, Graph
from .feeds import follow
from .parity import Answers, sku_tree

_STATUS = Path("/proc/self/status")
_PREFILL_TOKENS = 24
_GREEDY_TOKENS = 10
_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Task:
    """What every engine is given: pictures [R, *pixel_shape], and a catalog's codes as a tree."""

    pixels: Float32Array
    tree: Tree
    batches: tuple[int, ...]
    times: int = 30
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """``ms`` [part][batch] is that of a whole batch: the least and the median by the clock, and the
    least of the CPU, which other work beside does not stretch. Memory is what the process holds
    after its work, and the most it held."""

    answers: Answers
    ms: dict[str, dict[int, tuple[float, float, float]]]
    open_s: float
    rss_mib: int
    peak_mib: int


def measure(folder: Path, kind: Kind, task: Task) -> Measured:
    """Measure ``kind`` in a new process. Raises what opening it raises."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:  # its process may have children
        return pool.submit(_measure, folder, kind, task).result()


def _measure(folder: Path, kind: Kind, task: Task) -> Measured:
    if kind.startswith("torch"):
        import torch

        torch.set_num_threads(task.threads)
    began = time.perf_counter()
    engine = open_engine(folder, kind, threads=task.threads)
    open_s = time.perf_counter() - began
    answers = Answers.of(engine, task.pixels, task.tree)
    ms: dict[str, dict[int, tuple[float, float, float]]] = {}
    for batch in task.batches:
        for part, run in _parts(engine, task, batch).items():
            ms.setdefault(part, {})[batch] = _time(run, task.times)
    return Measured(answers, ms, open_s, _memory("VmRSS"), _memory("VmHWM"))


def _parts(engine: Engine, task: Task, batch: int) -> dict[str, Callable[[], object]]:
    pixels = np.ascontiguousarray(np.resize(task.pixels, (batch, *task.pixels.shape[1:])))
    picture = engine.encode(pixels)
    begun = engine.begin(picture.outputs)
    chunk = np.resize(task.tree.tokens, (batch, _PREFILL_TOKENS))
    token = chunk[:, :1]

    def write(tokens: IntArray, past: Float32Array) -> Float32Array:
        return engine.step(**follow(tokens, past))[1]

    def weigh_all(past: Float32Array) -> None:
        for one in past:
            weigh(engine, one[None], task.tree)

    def photo() -> None:
        past = engine.begin(engine.encode(pixels).outputs)
        weigh_all(past)
        past = write(chunk, past)
        for _ in range(_GREEDY_TOKENS):
            past = write(token, past)

    return {
        "encode": lambda: engine.encode(pixels),
        "prefill": lambda: write(chunk, begun),
        "token": lambda: write(token, begun),
        "catalog": lambda: weigh_all(begun),
        "photo": photo,
    }


def inputs(engine: Engine, task: Task) -> dict[Graph, dict[str, NDArray[Any]]]:
    """What each graph is given for the first picture and a chunk of tokens after it."""
    pixels = task.pixels[:1]
    picture = engine.encode(pixels)
    chunk = np.resize(task.tree.tokens, (1, _PREFILL_TOKENS))
    return {
        "encode": {"pixels": pixels},
        "begin": {"outputs": picture.outputs},
        "step": follow(chunk, engine.begin(picture.outputs)),
    }


def _time(run: Callable[[], object], times: int) -> tuple[float, float, float]:
    run()
    took: list[float] = []
    used: list[float] = []
    until = time.perf_counter() + _SECONDS
    while len(took) < times and (len(took) < 3 or time.perf_counter() < until):
        began, busy = time.perf_counter(), time.process_time()
        run()
        took.append(1e3 * (time.perf_counter() - began))
        used.append(1e3 * (time.process_time() - busy))
    return min(took), float(np.median(took)), min(used)


def _memory(name: str) -> int:
    """MiB of this process, by the kernel's name for it; 0 where it does not say."""
    try:
        lines = _STATUS.read_text("ascii").splitlines()
    except OSError:
        return 0
    found = next((line.split()[1] for line in lines if line.startswith(f"{name}:")), "0")
    return int(found) // 1024


def catalog_of(folder: Path) -> Tree:
    """The SKUs that a model's class head knows, as a tree."""
    vocabulary = Vocabulary.from_json(json.loads((folder / "vocabulary.json").read_text("utf-8")))
    config = json.loads((folder / "model" / "config.json").read_text("utf-8"))
    return sku_tree(vocabulary, config.get("classes") or [f"SKU-{n:04}" for n in range(31)])
