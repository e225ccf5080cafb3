"""What is asked of a picture, on its way to a model process: which model is to look, and whether the rest is
known already. And the two parts of the answer, which are kept apart: what is in the picture whoever looks,
and what that model saw."""

from __future__ import annotations

import json
from dataclasses import dataclass

from inference.contracts import Description, Sighting


@dataclass(frozen=True, slots=True)
class Ask:
    """``model`` is a digest, or empty for the one that is loaded anyhow; ``sight``: only what it sees."""

    model: str = ""
    sight: bool = False

    def pack(self, image: bytes) -> bytes:
        """The ask before the picture's bytes."""
        return f"{self.model} {int(self.sight)}\n".encode() + image

    @classmethod
    def unpack(cls, payload: bytes) -> tuple[Ask, bytes]:
        """What :meth:`pack` made."""
        head, _, image = payload.partition(b"\n")
        model, sight = head.decode().split(" ")
        return cls(model, sight == "1"), image

    def key(self, sha256: str) -> str:
        """The same for the same question about the same picture."""
        return f"{sha256} {self.model} {int(self.sight)}"


def parts_of(description: Description) -> tuple[bytes, bytes]:
    """A description without what a model saw, and that alone, each as a JSON object."""
    data = description.to_json()
    sight = {key: data.pop(key) for key in ("sight", "seen_by")}
    return _json(data), _json(sight)


def part_of(sighting: Sighting) -> bytes:
    """The second part alone."""
    data = sighting.to_json()
    return _json({key: data[key] for key in ("sight", "seen_by")})


def whole(described: bytes, sight: bytes) -> bytes:
    """The JSON of the description whose parts these are."""
    return described[:-1] + b", " + sight[1:]


def sighting(sha256: str, sight: bytes) -> bytes:
    """The JSON of a sighting."""
    return json.dumps({"image_sha256": sha256})[:-1].encode() + b", " + sight[1:]


def _json(data: object) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode()
