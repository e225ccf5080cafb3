"""Run every measurement: ``python -m bench [name ...]``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MEASUREMENTS = (
    "recognition",
    "retrieval",
    "index",
    "describe",
    "serving",
    "machine_api",
    "promotion",
    "engines",
    "loop",
    "intake",
    "export",
    "pages",
    "catalog",
    "canvas",
    "keystrokes",
    "next_photo",
    "quality",
    "overlap",
    "label_errors",
    "captions",
)


def main() -> int:
    """Run the named measurements, each in a process of its own; all of them when none is named."""
    names = sys.argv[1:] or list(MEASUREMENTS)
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        print(f"No such measurement: {', '.join(unknown)}. There are: {', '.join(MEASUREMENTS)}")
        return 2
    root = Path(__file__).parent.parent
    status = 0
    for name in names:
        print(f"== {name}", flush=True)
        status |= subprocess.run([sys.executable, "-m", f"bench.{name}"], cwd=root).returncode
    return status


if __name__ == "__main__":
    sys.exit(main())
