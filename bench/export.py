"""Exporting decided tasks as a folder and as a zip: seconds and memory, by size of the set.

``python -m bench.export [--full]``: 5,000 tasks, with ``--full`` 100,000 as well."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.side_by_side import INSIDE, Row, analyze, inside, rows

SIDE_PX = 348


def fill(tasks: int) -> object:
    """A project with ``tasks`` decided tasks, each with a picture of its own bytes."""
    from django.core.files.storage import default_storage
    from django.utils import timezone

    from annotator.captures.models import Capture, Scene
    from annotator.labeling.models import Task
    from annotator.media.models import StoredImage
    from annotator.media.queries import image_path
    from annotator.review.models import Decision
    from tests import factories

    project = factories.ProjectFactory()
    site = project.site
    base = [factories.picture_bytes(n, (SIDE_PX, SIDE_PX)) for n in range(50)]
    for start in range(0, tasks, 5000):
        numbers = range(start, min(start + 5000, tasks))
        scenes = Scene.objects.bulk_create([Scene(site=site, key=f"s{n:06d}") for n in numbers])
        images = StoredImage.objects.bulk_create(
            [
                factories.StoredImageFactory.build(
                    site=site, sha256=f"{n:064x}", width=SIDE_PX, height=SIDE_PX
                )
                for n in numbers
            ]
        )
        for n, image in zip(numbers, images, strict=True):
            path = Path(default_storage.path(image_path(image, "original")))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(base[n % 50] + b"%d" % n)
        Capture.objects.bulk_create(
            [
                Capture(
                    site=site, scene=scene, image=image, image_id_text=f"I{n:06d}", source="bench"
                )
                for n, scene, image in zip(numbers, scenes, images, strict=True)
            ]
        )
        made = Task.objects.bulk_create(
            [
                Task(project=project, scene=scene, state="decided", overlap=2, places_left=0)
                for scene in scenes
            ]
        )
        Decision.objects.bulk_create(
            [
                Decision(
                    task=task,
                    fields={},
                    caption=f"【SKU】A-{task.pk}|【品类】饮料|【规格】500ml×6瓶/箱|【数量】2箱|【状态】完好无损",
                    sku_code=f"A-{task.pk}",
                    source="agreed",
                    created_at=timezone.now(),
                )
                for task in made
            ]
        )
    return project


def measure(tasks: int) -> Iterator[Row]:
    """Export the same project as a folder and as a zip."""
    from annotator.datasets.export import write_folder, zip_stream

    project = fill(tasks)
    analyze()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for form in ("folder", "zip"):
        with tempfile.TemporaryDirectory() as out:
            cpu, started = time.process_time(), time.perf_counter()
            if form == "folder":
                write_folder(project, Path(out) / "set")  # type: ignore[arg-type]
            else:
                with (Path(out) / "set.zip").open("wb") as file:
                    for chunk in zip_stream(project):  # type: ignore[arg-type]
                        file.write(chunk)
            yield {
                "tasks": tasks,
                "as": form,
                "seconds": round(time.perf_counter() - started, 2),
                "cpu_s": round(time.process_time() - cpu, 2),
                "peak_growth_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
                // 1024,
            }


def main() -> None:
    """Print the table."""
    print(f"{'':12}{'tasks':>8}{'as':>8}{'seconds':>9}{'cpu s':>7}{'peak growth MB':>16}")
    for size in (5_000, 100_000) if "--full" in sys.argv else (5_000,):
        for name, row in rows("bench.export", size):
            print(
                f"{name:12}{row['tasks']:>8}{row['as']:>8}{row['seconds']:>9}"
                f"{row['cpu_s']:>7}{row['peak_growth_mb']:>16}"
            )


if __name__ == "__main__":
    if INSIDE in sys.argv:
        inside(measure, int(sys.argv[-1]))
    else:
        main()
