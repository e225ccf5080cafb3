"""What a caller of ``POST /v1/recognize`` waits for: the shipped model, real photos, real processes.

    python -m bench.machine_api [--photos 40] [--seconds 15] [--clients 1 8 32] [--workers 1] [--json]

gunicorn on SQLite as ``manage.py up`` runs it and the inference server with ``--workers`` model processes, on the cores
that there are. The site knows the grocery catalog (see bench/recognition.py) and all its training photos as decided. It
is asked about photos of the data set, cut by some pixels and encoded anew, 640 px wide, whose bytes nobody has seen.
``new`` and ``cached``: one caller, one photo after the other, then the same ones again. Numbers of callers: each has
photos of its own, all of them new, and waits for nothing but answers; with batches (at most 8 photos,
10 ms) and without.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from bench import databases
from bench.recognition import Grocery, data_folder
from bench.web import web_process
from inference.decided import changes_of

WIDTH_PX = 640
BATCHED, SINGLE = ("--max-batch", "8", "--max-wait-ms", "10"), ("--max-batch", "1")


def photos() -> Iterator[bytes]:
    """Photos that nobody has seen: cut by some pixels and encoded anew."""
    files = sorted((data_folder() / "images").rglob("*.jpg"))
    for number in itertools.count():
        picture = Image.open(files[number * 37 % len(files)]).convert("RGB")
        picture = picture.resize((WIDTH_PX, round(WIDTH_PX * picture.height / picture.width)))
        left, top = 1 + number % 16, 1 + number // 16 % 16
        out = io.BytesIO()
        picture.crop((left, top, picture.width, picture.height)).save(out, "JPEG", quality=90)
        yield out.getvalue()


class Callers:
    """Callers of one site's API, each with photos of its own."""

    def __init__(self, url: str, token: str, new: Iterator[bytes]) -> None:
        self._url, self._new = url, new
        self._headers = {"Authorization": f"Token {token}"}
        self._lock = threading.Lock()

    def alone(self, images: Sequence[bytes]) -> list[float]:
        """The milliseconds of one answer after the other."""
        with self._client() as client:
            return [self._ask(client, image) for image in images]

    def together(self, clients: int, seconds: float) -> tuple[float, list[float]]:
        """How many photos ``clients`` have answered a second, and the milliseconds of each."""
        taken: list[float] = []
        failed: list[Exception] = []
        until = time.monotonic() + seconds

        def work() -> None:
            try:
                with self._client() as client:
                    while time.monotonic() < until:
                        with self._lock:
                            image = next(self._new)
                        taken.append(self._ask(client, image))
            except Exception as error:
                failed.append(error)

        began = time.monotonic()
        threads = [threading.Thread(target=work) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]
        return len(taken) / (time.monotonic() - began), taken

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=self._url, headers=self._headers, timeout=300)

    def _ask(self, client: httpx.Client, image: bytes) -> float:
        began = time.perf_counter()
        answer = client.post("/v1/recognize", files={"image": image})
        answer.raise_for_status()
        assert answer.json()["result"]["sku"] or answer.json()["candidates"]
        return (time.perf_counter() - began) * 1000


def measure(
    home: Path, token: str, new: Iterator[bytes], options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """A row for each way and number of callers."""
    from tests.inference.servers import serving

    for ocr in (True, False):
        for batches in (BATCHED, SINGLE):
            told = json.dumps({"ocr": ocr})
            places = ("--sites", str(home / "sites"), "--models", str(home / "models"))
            way = {"ocr": ocr, "batches": batches is BATCHED}
            server = ("--workers", str(options.workers), "--recognizer-options", told, *batches)
            folder = home / f"recognizer-{ocr}-{way['batches']}"
            with serving(folder, *places, *server) as recognizer:
                os.environ["INFERENCE_URL"] = recognizer.url
                with web_process() as url:
                    callers = Callers(url, token, new)
                    callers.alone(list(itertools.islice(new, 3)))  # the site's log is read
                    if way["batches"]:
                        some = list(itertools.islice(new, options.photos))
                        for kind in ("new", "cached"):
                            yield way | {"clients": kind} | figures(callers.alone(some))
                    for clients in options.clients:
                        rate, taken = callers.together(clients, options.seconds)
                        yield way | {"clients": clients, "photos_s": rate} | figures(taken)


def figures(taken: Sequence[float]) -> dict[str, float]:
    """Of milliseconds."""
    p50, p95 = np.percentile(taken, (50, 95))
    return {"photos": len(taken), "p50_ms": float(p50), "p95_ms": float(p95)}


def show(row: dict[str, Any], *, as_json: bool) -> None:
    """Print one line at once: the next takes a while."""
    if as_json:
        print(json.dumps(row), flush=True)
        return
    way = f"{'with' if row['ocr'] else 'no':>4} OCR, {'batches' if row['batches'] else 'one by one':10}"
    rate = f"{row['photos_s']:6.2f} photos/s" if "photos_s" in row else ""
    print(
        f"{way}  {row['clients']:>6}  p50 {row['p50_ms']:7.0f} ms  p95 {row['p95_ms']:7.0f} ms  {rate}"
        f"  ({row['photos']} photos)",
        flush=True,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.machine_api", description=__doc__)
    parser.add_argument("--photos", type=int, default=40, help="asked about alone")
    parser.add_argument("--seconds", type=float, default=15.0, help="for each number of clients")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--workers", type=int, default=1, help="model processes")
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "warevision-bench"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    data = Grocery(data_folder(), options.cache)
    with databases.environment("SQLite") as variables:
        os.environ.update(variables)
        home = Path(variables["WAREVISION_HOME"])
        (home / "sites").mkdir()
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        token = fill(data)
        for row in measure(home, token, photos(), options):
            show(row, as_json=options.json)
    return 0


def fill(data: Grocery) -> str:
    """A site that knows the data set; a token for it."""
    from annotator.accounts.models import Site
    from annotator.accounts.services import create_token
    from annotator.suggestions import memory

    site = Site.objects.create(slug="bench", name="bench", keep_answers="nothing")
    changes = []
    for number, change in enumerate(changes_of(data.skus, data.references, data.train), start=1):
        if change.example is not None:  # captures and SKUs are called by their numbers
            kind = change.example.key.partition(":")[0]
            changes.append(memory.put_example(replace(change.example, key=f"{kind}:{number}")))
        elif change.sku is not None:
            key, told = f"sku:{change.sku.code}", change.to_json()
            changes.append((change.op, key, {"sku": told["sku"]}))
    memory.append(site_id=site.pk, changes=changes)
    _, token = create_token(site=site, name="line")
    return token


if __name__ == "__main__":
    sys.exit(main())
