"""Importing a data set of many small records: how fast, how much memory, and that a second run
writes nothing. ``python -m bench.dataset_in 20000`` on the database of ``DATABASE_URL``."""

from __future__ import annotations

import io
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from bench.intake import rss_mb

CAPTION = "【SKU】A-{n}|【品类】饮料|【规格】1L|【数量】{q}箱|【状态】完好无损"


def write(root: Path, records: int) -> None:
    """A data set of ``records`` distinct pictures of 48 px."""
    (root / "images/cam_front").mkdir(parents=True)
    (root / "annotations").mkdir()
    with (root / "annotations/train.jsonl").open("w", encoding="utf-8") as out:
        for n in range(records):
            image = Image.frombytes("RGB", (6, 6), random.Random(n).randbytes(108))
            data = io.BytesIO()
            image.resize((48, 48)).save(data, "JPEG")
            name = f"images/cam_front/{n:06}.jpg"
            (root / name).write_bytes(data.getvalue())
            line = {
                "image_id": f"S{n:06}",
                "scene_id": f"S{n:06}",
                "cam_type": "front",
                "image_path": name,
                "caption": CAPTION.format(n=n % 500, q=n % 9 + 1),
                "bbox": [4, 4, 20, 20],
            }
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


def measure(records: int) -> None:
    """Print the figures; runs inside a test database."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from annotator.datasets.services import import_dataset
    from tests import factories

    project = factories.ProjectFactory()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write(root, records)
        seen = [0, 0.0]

        def tick() -> None:
            seen[0] += 1
            if seen[0] == records // 10:
                seen[1] = rss_mb()

        started = time.perf_counter()
        report = import_dataset(root=root, project=project, tick=tick)
        seconds = time.perf_counter() - started
        assert (report.decided, report.failed) == (records, 0), report
        print(f"{records} records: {records / seconds:.0f}/s, {seconds:.0f} s", flush=True)
        print(f"resident: {seen[1]:.0f} MiB at a tenth, {rss_mb():.0f} MiB at the end")
        started = time.perf_counter()
        writes = 0
        with CaptureQueriesContext(connection) as queries:
            again = import_dataset(root=root, project=project)
        writes = sum(q["sql"].startswith(("INSERT", "UPDATE", "DELETE")) for q in queries)
        seconds = time.perf_counter() - started
        assert (again.captures_created, again.already_decided) == (0, records)
        print(f"again: {records / seconds:.0f}/s, {seconds:.0f} s, {writes} writing statements")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.settings.test")
    import django
    from django.test.runner import DiscoverRunner

    django.setup()
    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        measure(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
    finally:
        runner.teardown_databases(databases)


if __name__ == "__main__":
    main()
