"""Curves of measurements as a picture: a panel a figure, a line a way, each run's thin and their mean thick."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot

_COLUMNS = 2
_PANEL_INCHES = (4.6, 3.0)


def curves(
    rows: Sequence[Mapping[str, Any]],
    path: Path,
    *,
    x: str,
    way: str,
    run: str,
    panels: Mapping[str, str],
) -> None:
    """Draw ``panels`` (a row's key → title) of ``rows`` against their ``x`` into ``path``, whose suffix
    says in which format."""
    down = -(-len(panels) // _COLUMNS)
    size = (_COLUMNS * _PANEL_INCHES[0], down * _PANEL_INCHES[1])
    figure, axes = pyplot.subplots(
        down, _COLUMNS, figsize=size, squeeze=False, layout="constrained"
    )
    ways = list(dict.fromkeys(row[way] for row in rows))
    for axis, (key, title) in zip(axes.flat, panels.items(), strict=False):
        for colour, name in enumerate(ways):
            at: dict[float, list[float]] = defaultdict(list)
            lines: dict[Any, list[tuple[float, float]]] = defaultdict(list)
            for row in rows:
                if row[way] == name:
                    at[row[x]].append(row[key])
                    lines[row[run]].append((row[x], row[key]))
            for line in lines.values():
                axis.plot(*zip(*line, strict=True), color=f"C{colour}", alpha=0.25, linewidth=0.8)
            steps = sorted(at)
            means = [float(np.mean(at[step])) for step in steps]
            axis.plot(steps, means, color=f"C{colour}", marker="o", markersize=3, label=name)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel(x, fontsize=9)
        axis.grid(alpha=0.3)
    axes.flat[0].legend(fontsize=9)
    for axis in list(axes.flat)[len(panels) :]:
        axis.set_axis_off()
    figure.savefig(path)
    pyplot.close(figure)
