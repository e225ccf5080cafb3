"""``python -m inference.scenes OUT --scenes N --seed S``: write a data set of rendered scenes."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tqdm import tqdm

from .dataset import write_dataset
from .fonts import FontMissing
from .render import CAM_TYPES, DEFAULT_SIZE


def main(argv: list[str] | None = None) -> int:
    """Run the command; answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m inference.scenes", description=__doc__)
    parser.add_argument("out", type=Path, help="a new or empty folder")
    parser.add_argument("--scenes", type=int, default=100, help="how many scenes (100)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same bytes (1)")
    parser.add_argument(
        "--views", default=",".join(CAM_TYPES), help="cameras, by commas (top,front,side)"
    )
    parser.add_argument(
        "--size", default="{}x{}".format(*DEFAULT_SIZE), help="of photos in pixels (960x720)"
    )
    parser.add_argument("--json", action="store_true", help="one machine-readable result line")
    options = parser.parse_args(argv)
    views = tuple(name for name in CAM_TYPES if name in options.views.split(","))
    width, _, height = options.size.partition("x")
    if options.scenes < 1 or not views or not (width.isdigit() and height.isdigit()):
        parser.error("--scenes must be 1 or more, --views of top,front,side, --size like 960x720")
    try:
        with tqdm(total=options.scenes, unit="scene", disable=not sys.stderr.isatty()) as bar:

            def show(done: int) -> None:
                bar.update(done - bar.n)

            manifest = write_dataset(
                options.out,
                scenes=options.scenes,
                seed=options.seed,
                cam_types=views,
                size_px=(int(width), int(height)),
                progress=show,
            )
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
