"""The broker on disk, with messages that appear whole.

kombu writes a message into a file that readers see already. One that takes it before it is written finds it empty, and
the worker dies of that. Here it is written beside the queue, and then renamed.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):  # type: ignore[misc]
    """A queue is a folder's files that end with its name and ``.msg``; the oldest goes first."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        part = folder / f"{name}.part"
        part.write_text(dumps(payload), encoding="utf-8")  # type: ignore[no-untyped-call]
        part.replace(folder / name)


class Transport(filesystem.Transport):  # type: ignore[misc]
    """What ``filesystem://`` names."""

    Channel = Channel
