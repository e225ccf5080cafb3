"""Frames between the server and its model processes: a JSON object and byte strings, never a pickle.

``HEAD`` (bytes of the JSON, bytes of all that follows it), the JSON, whose ``sizes`` cut the rest into
byte strings. Both sides bound what they read; a peer that breaks the form is not believed any further.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

HEAD = struct.Struct(">II")
MAX_JSON_BYTES = 4 << 20
MAX_BLOB_BYTES = 1 << 30


class BrokenFrame(Exception):
    """The peer sent what is no frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """``fields`` is any JSON object; ``blobs`` are byte strings."""

    fields: dict[str, Any]
    blobs: tuple[bytes, ...] = ()


def encode(fields: dict[str, Any], blobs: Sequence[bytes] = ()) -> list[bytes]:
    """The pieces to write, in order; the blobs themselves are not copied."""
    head = json.dumps({**fields, "sizes": [len(blob) for blob in blobs]}).encode()
    total = sum(len(blob) for blob in blobs)
    if len(head) > MAX_JSON_BYTES or total > MAX_BLOB_BYTES:
        raise ValueError(f"a frame of {len(head)} + {total} bytes is too large")
    return [HEAD.pack(len(head), total), head, *blobs]


def read(stream: BinaryIO) -> Frame | None:
    """The next frame, or None at the end of the stream. Raises :class:`BrokenFrame`."""
    head = stream.read(HEAD.size)
    if not head:
        return None
    if len(head) < HEAD.size:
        raise BrokenFrame("the stream ended inside a frame")
    json_bytes, blob_bytes = _sizes(head)
    text, body = stream.read(json_bytes), stream.read(blob_bytes)
    if len(text) < json_bytes or len(body) < blob_bytes:
        raise BrokenFrame("the stream ended inside a frame")
    return _frame(text, body)


async def read_async(reader: asyncio.StreamReader) -> Frame:
    """The next frame. Raises :class:`BrokenFrame`, or what ``readexactly`` raises at the end."""
    json_bytes, blob_bytes = _sizes(await reader.readexactly(HEAD.size))
    text = await reader.readexactly(json_bytes)
    return _frame(text, await reader.readexactly(blob_bytes) if blob_bytes else b"")


def _sizes(head: bytes) -> tuple[int, int]:
    json_bytes, blob_bytes = HEAD.unpack(head)
    if json_bytes > MAX_JSON_BYTES or blob_bytes > MAX_BLOB_BYTES:
        raise BrokenFrame(f"{json_bytes} + {blob_bytes} bytes are too many")
    return json_bytes, blob_bytes


def _frame(text: bytes, body: bytes) -> Frame:
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise BrokenFrame("not JSON") from error
    sizes = fields.pop("sizes", None) if isinstance(fields, dict) else None
    if not isinstance(sizes, list) or not all(isinstance(n, int) and n >= 0 for n in sizes):
        raise BrokenFrame("no sizes")
    if sum(sizes) != len(body):
        raise BrokenFrame("the sizes do not add up")
    blobs, at = [], 0
    for size in sizes:
        blobs.append(body[at : at + size])
        at += size
    return Frame(fields, tuple(blobs))
