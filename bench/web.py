"""The web process of one measurement: gunicorn on SQLite as ``manage.py up`` runs it."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent


@contextmanager
def web_process() -> Iterator[str]:
    """Its address, on a free port, from when it is ready until it is no longer wanted; it has the environment
    of this process."""
    from annotator.pipeline.supervisor import answers, web

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*web("127.0.0.1", port, sqlite=True), "--log-level", "error"]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, cwd=ROOT) as server:
        try:
            while not answers(f"{url}/readyz"):
                time.sleep(0.2)
            yield url
        finally:
            server.terminate()
