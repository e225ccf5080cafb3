"""Decoding happens in processes that may die: of a hostile picture, that picture alone is refused."""

from __future__ import annotations

import io
import os
import random
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from annotator.media import pictures, services
from annotator.media.decoding import DecoderPool
from annotator.media.pictures import BadPicture
from tests.factories import picture_bytes

LIMIT_S = 120.0
MISBEHAVING = """
import os, sys, time
sys.path.insert(0, {root!r})
from annotator.media import decoder, pictures
verify = pictures.verify
def misbehave(data, **limits):
    if data.startswith(b"DIE"): os.kill(os.getpid(), 11)
    if data.startswith(b"HANG"): time.sleep(600)
    if data.startswith(b"ONCE") and not os.path.exists(data[4:].decode()):
        os.mkdir(data[4:].decode()); os.kill(os.getpid(), 9)
    if data.startswith(b"EAT"): bytearray(1 << 33)
    if data.startswith(b"LIE"): os.write(0, data[3:] * 100); os._exit(0)
    if data.startswith(b"ENV"): raise pictures.BadPicture("env", names=sorted(os.environ))
    return verify(data[data.find(b":") + 1:] if data.startswith(b"ONCE") else data, **limits)
pictures.verify = misbehave
decoder.main()
"""


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    root = str(Path(__file__).parents[2])
    pool = DecoderPool(
        size=2, memory_mb=512, command=[sys.executable, "-c", MISBEHAVING.format(root=root)]
    )
    yield pool
    pool.close()


def children() -> list[str]:
    """The processes that this one has started, by the thread that did."""
    found: list[str] = []
    for path in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        with suppress(OSError):  # a thread that has just ended
            found += path.read_text().split()
    return found


def ask(pool: DecoderPool, data: bytes, limit_s: float = LIMIT_S) -> str:
    try:
        return pool.verify(data, max_pixels=64_000_000, limit_s=limit_s).sha256
    except BadPicture as bad:
        return bad.code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"DIE", "decoder_died"),
        (b"HANG", "decoder_timed_out"),
        (b"EAT", "decoder_out_of_memory"),
        (b"LIE\x00", "decoder_died"),
        (b"LIE\xff", "decoder_died"),
        (b"LIE{}", "decoder_died"),
    ],
)
def test_a_picture_that_ends_its_decoder_is_refused_alone(
    pool: DecoderPool, data: bytes, code: str
) -> None:
    good = picture_bytes(3)
    with ThreadPoolExecutor(4) as threads:
        asked = [good, data, good, good]
        limits = [LIMIT_S, 1.0 if code == "decoder_timed_out" else LIMIT_S, LIMIT_S, LIMIT_S]
        answers = list(threads.map(lambda a: ask(pool, *a), zip(asked, limits, strict=True)))
    assert answers[1] == code
    assert {answers[0], answers[2], answers[3]} == {answers[0]} and len(answers[0]) == 64


def test_a_decoder_that_was_killed_from_outside_is_no_fault_of_its_picture(
    pool: DecoderPool, tmp_path: Path
) -> None:
    mark = tmp_path / "killed"
    assert ask(pool, b"ONCE" + str(mark).encode()) == "not_a_picture"
    assert mark.exists()


def test_a_decoder_knows_no_secrets(pool: DecoderPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREVISION_SECRET_KEY", "secret")
    with pytest.raises(BadPicture) as caught:
        DecoderPool(size=1, memory_mb=512, command=pool._command[:-1]).verify(
            b"ENV", max_pixels=1, limit_s=LIMIT_S
        )
    known = set(caught.value.params["names"])  # type: ignore[call-overload]
    assert known <= {"PATH", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "LC_CTYPE"}


def test_memory_is_bounded() -> None:
    pool = DecoderPool(size=1, memory_mb=64)
    out = io.BytesIO()
    Image.new("RGB", (6000, 6000), "red").save(out, "PNG")
    try:
        assert ask(pool, out.getvalue()) == "decoder_out_of_memory"
        assert len(ask(pool, picture_bytes(1))) == 64
    finally:
        pool.close()


def test_a_pool_serves_many_threads_with_few_processes() -> None:
    pool = DecoderPool(size=1, memory_mb=512)
    data = [picture_bytes(n) for n in range(4)]
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda d=d: found.append(ask(pool, d)))  # type: ignore[misc]
        for d in data * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 4 and len(found) == 12
    assert children()
    pool.close()


def verdict(data: bytes) -> str:
    try:
        picture = pictures.verify(data, max_pixels=64_000_000)
    except BadPicture as bad:
        return bad.code
    return f"{picture.width}×{picture.height}"


@pytest.mark.parametrize("progressive", [False, True])
def test_decoding_at_half_size_misses_no_damage(
    progressive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large JPEG is decoded at half its size: every verdict is that of the full decode."""
    rng = random.Random(5)
    noise = Image.frombytes("RGB", (410, 350), rng.randbytes(410 * 350 * 3))
    out = io.BytesIO()
    noise.resize((3300, 2800)).save(out, "JPEG", quality=60, progressive=progressive)
    whole = out.getvalue()
    damaged = [whole, *(whole[: rng.randrange(len(whole))] for _ in range(4)), whole[:-2]]
    for _ in range(4):
        place = rng.randrange(600, len(whole) - 2000)
        damaged.append(
            whole[:place] + rng.randbytes(rng.choice([1, 40, 1500])) + whole[place + 40 :]
        )
    half = [verdict(data) for data in damaged]
    monkeypatch.setattr(Image.Image, "draft", lambda *_: None)
    # JpegImageFile has a draft of its own
    monkeypatch.setattr("PIL.JpegImagePlugin.JpegImageFile.draft", lambda *_: None)
    assert half == [verdict(data) for data in damaged]
    assert half[0] == "3300×2800" and "corrupt_picture" in half


def test_what_is_sent_again_is_not_decoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []
    verify = DecoderPool.verify

    def counted(self: DecoderPool, data: bytes, **limits: Any) -> pictures.Picture:
        decoded.append(data)
        return verify(self, data, **limits)

    monkeypatch.setattr(DecoderPool, "verify", counted)
    good, other, bad = picture_bytes(71), picture_bytes(72), b"no picture"
    first = services.verify_again(good)
    assert services.verify_again(good) == first == services.verify(good)
    assert services.verify_again(other).sha256 != first.sha256
    for _ in range(2):
        with pytest.raises(BadPicture, match="not_a_picture"):
            services.verify_again(bad)
    assert decoded == [good, good, other, bad, bad]
