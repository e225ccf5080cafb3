"""A decoder process: reads pictures from its socket, decodes them within bounds, answers.

Hostile pictures are decoded here and nowhere else. The process knows no secrets, opens no files,
and may be killed at any moment. It imports no Django, so that it starts fast and stays small.

A request is ``REQUEST`` followed by the file; an answer is ``ANSWER`` followed by a JSON object and
the two derivatives. Nothing is pickled: the asking side reads lengths, JSON and bytes only.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import struct
import sys
from typing import Any

REQUEST = struct.Struct(">QQf")
"""Bytes of the file, pixels allowed, seconds allowed."""
ANSWER = struct.Struct(">III")
"""Bytes of the JSON, of the display derivative, of the thumbnail."""
READY = b"ready\n"


def main() -> None:
    """Serve the socket that is standard input until it is closed."""
    from . import pictures

    stream = socket.socket(fileno=0).makefile("rwb")
    pictures.warm_up()
    _limit_memory(int(sys.argv[1]) << 20)
    stream.write(READY)
    stream.flush()
    # What libraries print about a picture is of no use to anybody.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    while len(head := stream.read(REQUEST.size)) == REQUEST.size:
        size, max_pixels, limit_s = REQUEST.unpack(head)
        data = stream.read(size)
        if len(data) < size:
            return
        # The asking side ends a process that takes too long; this ends one whose asker is gone.
        signal.setitimer(signal.ITIMER_REAL, limit_s * 2)
        try:
            picture = pictures.verify(data, max_pixels=max_pixels)
        except pictures.BadPicture as bad:
            _answer(stream, {"bad": bad.code, "params": bad.params})
        except MemoryError:
            _answer(stream, {"bad": "decoder_out_of_memory", "params": {}})
        else:
            facts = {name: getattr(picture, name) for name in pictures.FACTS}
            _answer(stream, facts, picture.display, picture.thumb)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(stream: Any, facts: dict[str, Any], display: bytes = b"", thumb: bytes = b"") -> None:
    head = json.dumps(facts).encode()
    stream.write(ANSWER.pack(len(head), len(display), len(thumb)) + head + display + thumb)
    stream.flush()


def _limit_memory(extra_bytes: int) -> None:
    """Allow ``extra_bytes`` of address space beyond what the libraries take; no core, no files."""
    with open("/proc/self/statm") as statm:
        taken = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + extra_bytes, taken + extra_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


if __name__ == "__main__":
    main()
