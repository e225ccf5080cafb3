"""Taking photos in, end to end: from a folder through decoder processes into storage and database.

First the speed on photos of 348 px and of 12 megapixels; then a folder of which a tenth is corrupt,
with the memory of this process as it grows through it. ``--full`` takes 10,000 files for the latter
instead of 2,000, on both databases.
"""

from __future__ import annotations

import io
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw

POSTGRES = os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
SMALL, LARGE = 600, 24
MIXED, MIXED_FULL = 2_000, 10_000


def photo(seed: int, size: tuple[int, int]) -> bytes:
    """A JPEG of about the weight of a photo that no other seed resembles."""
    rng = random.Random(seed)
    image = Image.effect_noise((size[0] // 2, size[1] // 2), 40).resize(size).convert("RGB")
    draw = ImageDraw.Draw(image)
    for _ in range(14):
        x, y = rng.randrange(size[0]), rng.randrange(size[1])
        w, h = rng.randrange(20, size[0] // 2), rng.randrange(20, size[1] // 2)
        draw.rectangle((x, y, x + w, y + h), fill=tuple(rng.randrange(256) for _ in range(3)))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


def bomb(seed: int) -> bytes:
    """A PNG of 900 megapixels in about 100 kB."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    packer = zlib.compressobj(1)
    pixels = b"".join(packer.compress(bytes(3751 * 1000)) for _ in range(30)) + packer.flush()
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"tEXt", b"n\0%d" % seed)
        + chunk(b"IDAT", pixels)
        + chunk(b"IEND", b"")
    )


BOMB = bomb(0)
CORRUPT: dict[str, Callable[[int, bytes], bytes]] = {
    "truncated": lambda n, good: good[: len(good) // 2 + n % 100],
    "random": lambda n, good: random.Random(n).randbytes(5000),
    "text": lambda n, good: f"not a picture, number {n}\n".encode() * 50,
    "empty": lambda n, good: b"",
    "bomb": lambda n, good: BOMB + b"%d" % n,
    "wrong_extension": lambda n, good: b"%%PDF-1.7 number %d" % n,
    "head_only": lambda n, good: good[: 200 + n % 50],
    "tiny": lambda n, good: _tiny(n),
}


def _tiny(n: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20, 20), (n % 256, n // 256 % 256, 7)).save(out, "PNG")
    return out.getvalue()


def rss_mb() -> float:
    """Resident memory of this process, MiB."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def measure(mixed: int) -> dict[str, float]:
    """The figures; runs inside a test database."""
    from annotator.captures.intake import take_in_all
    from annotator.captures.models import Capture, Quarantine
    from annotator.captures.sources.folder import files_in
    from annotator.labeling.models import Task
    from tests import factories

    figures: dict[str, float] = {}

    def take(folder: Path) -> float:
        project = factories.ProjectFactory()
        started = time.perf_counter()
        for _ in take_in_all(
            site=project.site, files=files_in(folder), source="bench", project=project
        ):
            pass
        return time.perf_counter() - started

    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        (folder / "warm").mkdir()
        (folder / "warm/a.jpg").write_bytes(photo(-1, (348, 348)))
        take(folder / "warm")
        for label, n, size in (("348px", SMALL, (348, 348)), ("12MP", LARGE, (4000, 3000))):
            (folder / label).mkdir()
            for i in range(n):
                (folder / label / f"{i:05}.jpg").write_bytes(photo(i, size))
            figures[f"photos_per_s_{label}"] = round(n / take(folder / label), 1)
            figures[f"known_per_s_{label}"] = round(n / take_again(folder / label), 1)
        (folder / "mixed").mkdir()
        kinds = list(CORRUPT)
        corrupt = 0
        for i in range(mixed):
            data = photo(1_000_000 + i, (348, 348))
            name = "photo"
            if i % 10 == 9:
                name = kinds[corrupt % len(kinds)]
                data = CORRUPT[name](i, data)
                corrupt += 1
            (folder / "mixed" / f"{i:05}-{name}.jpg").write_bytes(data)
        project = factories.ProjectFactory()
        done, started, peak = 0, time.perf_counter(), 0.0
        for batch in take_in_all(
            site=project.site, files=files_in(folder / "mixed"), source="bench", project=project
        ):
            before, done = done, done + len(batch)
            peak = max(peak, rss_mb())
            if before < mixed // 10 <= done:
                figures["rss_mb_at_tenth"] = round(rss_mb(), 1)
        figures["rss_mb_at_end"] = round(rss_mb(), 1)
        figures["rss_mb_peak"] = round(peak, 1)
        figures["mixed_files"] = mixed
        figures["mixed_per_s"] = round(mixed / (time.perf_counter() - started), 1)
        figures["captures"] = Capture.objects.filter(site=project.site).count()
        figures["tasks"] = Task.objects.filter(project=project).count()
        rows = Quarantine.objects.filter(site=project.site)
        figures["quarantined"] = rows.count()
        for row in sorted(set(rows.values_list("code", flat=True))):
            figures[f"  {row}"] = rows.filter(code=row).count()
        assert figures["quarantined"] == corrupt == mixed // 10
        assert figures["captures"] == figures["tasks"] == mixed - corrupt
    return figures


def take_again(folder: Path) -> float:
    """Take a folder in that is known already: the seconds it takes."""
    from annotator.captures.intake import take_in_all
    from annotator.captures.models import Capture
    from annotator.captures.sources.folder import files_in

    latest = Capture.objects.select_related("site").latest("pk")
    started, new = time.perf_counter(), 0
    for batch in take_in_all(site=latest.site, files=files_in(folder), source="bench"):
        new += sum(one.status == "created" for one in batch)
    assert new == 0
    return time.perf_counter() - started


def run_inside(url: str, mixed: int) -> dict[str, float]:
    """The figures on one database, from a process of its own."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "annotator.settings.test",
            "DATABASE_URL": url,
            "WAREVISION_TEST_HOME": home,
            "BENCH_INSIDE": str(mixed),
        }
        done = subprocess.run(
            [sys.executable, "-m", "bench.intake"],
            env=environment,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parent.parent,
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-1500:])
        figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return figures


def inside() -> None:
    import django
    from django.test.runner import DiscoverRunner

    django.setup()
    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        print(json.dumps(measure(int(os.environ["BENCH_INSIDE"]))))
    finally:
        runner.teardown_databases(databases)


def main() -> None:
    """Print the table."""
    mixed = MIXED_FULL if "--full" in sys.argv else MIXED
    columns: dict[str, dict[str, float]] = {}
    for name, url in (("SQLite", ""), ("PostgreSQL", POSTGRES)):
        try:
            columns[name] = run_inside(url, mixed)
        except RuntimeError as error:
            print(f"{name}: not measured: {str(error).splitlines()[-1]}")
    keys = list(dict.fromkeys(key for figures in columns.values() for key in figures))
    print(f"{SMALL} photos of 348 px, {LARGE} of 12 megapixels, {os.cpu_count()} cores")
    print(f"{'':28}" + "".join(f"{name:>12}" for name in columns))
    for key in keys:
        print(f"{key:28}" + "".join(f"{f.get(key, 0):>12}" for f in columns.values()))


if __name__ == "__main__":
    if os.environ.get("BENCH_INSIDE"):
        inside()
    else:
        main()
