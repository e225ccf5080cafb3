"""Reading the calls of machines: pictures as files or as base64, and what was measured beside them.
Everything that is wrong is named at its place."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework.request import Request

from annotator.core.errors import FieldError, Invalid

from ..answers import Asked

MAX_PICTURES = 32
MAX_TOLD_BYTES = 16 << 10
MAX_TOLD_DEPTH = 16
TOLD = ("sensor_data", "context_metadata")


def pictures_of(request: Request) -> tuple[list[Asked | Invalid], bool]:
    """The pictures of a call, each with what is wrong with it instead where something is, and whether
    the call is a batch. Raises :class:`Invalid` for a call that is wrong as a whole."""
    if request.FILES:
        return _files(request)
    data = request.data
    if not isinstance(data, Mapping):
        raise Invalid([FieldError("image", "required")])
    if "images" not in data:
        return [asked_of(data)], False
    images = data["images"]
    if not isinstance(images, list) or not images:
        raise Invalid([FieldError("images", "required")])
    _check_count(len(images))
    told = _told(data)
    return [_one_of_many(image, f"images.{n}", told) for n, image in enumerate(images)], True


def asked_of(data: Mapping[str, Any]) -> Asked:
    """One picture in JSON. Raises :class:`Invalid`."""
    return Asked(_decoded(data.get("image_base64"), ""), "image", **_told(data))


def file_of(request: Request) -> Asked | None:
    """The one file ``image`` of a call, if it has any. Raises :class:`Invalid`."""
    files = request.FILES.getlist("image")
    if len(files) > 1:
        raise Invalid([FieldError("image", "one_picture")])
    return Asked(bytes(files[0].read()), "image", **_told(request.data)) if files else None


def _files(request: Request) -> tuple[list[Asked | Invalid], bool]:
    many = request.FILES.getlist("images")
    if not many:
        one = file_of(request)
        if one is None:
            raise Invalid([FieldError("image", "required")])
        return [one], False
    if "image" in request.FILES:
        raise Invalid([FieldError("image", "one_picture")])
    _check_count(len(many))
    told = _told(request.data)
    return [
        Asked(bytes(file.read()), f"images.{place}", **told) for place, file in enumerate(many)
    ], True


def _check_count(count: int) -> None:
    if count > MAX_PICTURES:
        raise Invalid([FieldError("images", "too_many_files", {"limit": MAX_PICTURES})])


def _one_of_many(image: Any, where: str, told: Mapping[str, Any]) -> Asked | Invalid:
    try:
        if not isinstance(image, Mapping):
            raise Invalid([FieldError(where, "required")])
        return Asked(
            _decoded(image.get("image_base64"), f"{where}."),
            where,
            **{**told, **_told(image, f"{where}.")},
        )
    except Invalid as error:
        return error


def _decoded(encoded: Any, prefix: str) -> bytes:
    """The bytes of a base64 text, which may be a data URL."""
    if not isinstance(encoded, str) or not encoded:
        raise Invalid([FieldError(f"{prefix}image", "required")])
    if len(encoded) > settings.MAX_UPLOAD_BYTES * 4 // 3 + 1024:
        size = {"size_mb": len(encoded) >> 20, "limit_mb": settings.MAX_UPLOAD_BYTES >> 20}
        raise Invalid([FieldError(f"{prefix}image", "file_too_large", size)])
    try:
        return base64.b64decode(encoded.partition("base64,")[2] or encoded, validate=True)
    except ValueError as error:  # binascii.Error is one; text beyond ASCII another
        where = f"{prefix}image_base64"
        raise Invalid([FieldError(where, "bad_record", {"detail": str(error)})]) from error


def _told(data: Any, prefix: str = "") -> dict[str, Any]:
    """What the caller tells of a picture: objects that can be kept; in a form, as JSON texts."""
    errors, told = [], {}
    for key in TOLD:
        value = data.get(key)
        if value in (None, ""):
            continue
        try:
            told[key] = _plain_object(value)
        except ValueError as error:
            errors.append(FieldError(f"{prefix}{key}", "bad_object", {"detail": str(error)}))
    if errors:
        raise Invalid(errors)
    return told


def _plain_object(value: Any) -> dict[str, Any]:
    """A JSON object that every database keeps as it is. Raises ValueError."""
    try:
        read = json.loads(value, parse_constant=_no_constant) if isinstance(value, str) else value
        text = json.dumps(read, allow_nan=False, ensure_ascii=False)
        size = len(text.encode())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(read, dict):
        raise ValueError(f"{type(read).__name__}, not an object")
    if size > MAX_TOLD_BYTES:
        raise ValueError(f"{size} bytes; at most {MAX_TOLD_BYTES}")
    if "\\u0000" in json.dumps(read):
        raise ValueError("a NUL character")
    if _depth(read) > MAX_TOLD_DEPTH:
        raise ValueError("nested too deeply")
    return read


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _depth(value: Any) -> int:
    """How deep a value is nested, told without recursion."""
    level, depth = [value], 0
    while level := [
        inner
        for one in level
        if isinstance(one, dict | list)
        for inner in (one.values() if isinstance(one, dict) else one)
    ]:
        depth += 1
    return depth
