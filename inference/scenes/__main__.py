"""Write a data set of rendered scenes, or a contact sheet to look at:

python -m inference.scenes OUT --scenes N --seed S
python -m inference.scenes sheet OUT.png --by package
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tqdm import tqdm

from .dataset import Plan, render_plan
from .fonts import FontMissing
from .render import CAM_TYPES, DEFAULT_SIZE
from .sheets import KINDS, write_sheet


def main(argv: list[str] | None = None) -> int:
    """Run the command; answers the exit status."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["sheet"]:
        return _sheet(words[1:])
    return _dataset(words)


def _sheet(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m inference.scenes sheet")
    parser.add_argument("out", type=Path, help="a picture to write, such as sheet.png")
    parser.add_argument("--by", choices=KINDS, default="package", help="what goes round (package)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same pictures (1)")
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("--rows", type=int, default=5)
    options = parser.parse_args(words)
    if min(options.columns, options.rows) < 1:
        parser.error("--columns and --rows must be 1 or more")
    try:
        write_sheet(options.out, options.by, options.seed, options.columns, options.rows)
    except (OSError, FontMissing) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _dataset(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m inference.scenes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", type=Path, help="a new or empty folder")
    parser.add_argument("--scenes", type=int, default=100, help="how many scenes (100)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same bytes (1)")
    parser.add_argument(
        "--views", default=",".join(CAM_TYPES), help="cameras, by commas (top,front,side)"
    )
    parser.add_argument(
        "--size", default="{}x{}".format(*DEFAULT_SIZE), help="of photos in pixels (960x720)"
    )
    parser.add_argument(
        "--catalog", type=int, default=0, help="so many invented SKUs (0: the demo's)"
    )
    parser.add_argument("--catalog-seed", type=int, default=1, help="of the invented SKUs (1)")
    parser.add_argument(
        "--unseen", type=float, default=0.0, help="share of SKUs that train never shows (0)"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that render (1)")
    parser.add_argument("--json", action="store_true", help="one machine-readable result line")
    options = parser.parse_args(words)
    views = tuple(name for name in CAM_TYPES if name in options.views.split(","))
    width, _, height = options.size.partition("x")
    if not views or not (width.isdigit() and height.isdigit()) or options.workers < 1:
        parser.error("--views must be of top,front,side, --size like 960x720, --workers 1 or more")
    try:
        plan = Plan(
            scenes=options.scenes,
            seed=options.seed,
            cam_types=views,
            size_px=(int(width), int(height)),
            catalog=options.catalog,
            catalog_seed=options.catalog_seed,
            unseen=options.unseen,
        )
    except ValueError as error:
        parser.error(str(error))
    try:
        with tqdm(total=options.scenes, unit="scene", disable=not sys.stderr.isatty()) as bar:

            def show(done: int) -> None:
                bar.update(done - bar.n)

            manifest = render_plan(options.out, plan, workers=options.workers, progress=show)
    except (FileExistsError, FontMissing) as error:
        print(error, file=sys.stderr)
        return 1
    counts = manifest["counts"]
    if options.json:
        print(json.dumps({"ok": True, "out": str(options.out), **counts}))
    else:
        print(f"{options.out}: {counts['images']} photos of {counts['scenes']} scenes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
