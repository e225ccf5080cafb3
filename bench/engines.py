"""Whether the engines agree with torch, and how fast each is: ``python -m inference.engines``, which has
the options."""

from __future__ import annotations

import sys

from inference.engines.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
