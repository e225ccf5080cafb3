"""How many keys a photo costs: the labeling page with real photos and the real recognizer's suggestions,
worked by the keyboard alone, every key counted.

``python -m bench.keystrokes [--home DIR] [--photos 20]``. DIR is a WAREVISION_HOME in which the catalog
and the training photos of the data set are decided and its validation photos have suggestions; it is
read, never written. Without one, it is made first, which takes minutes of CPU.

The typist knows the answer, looks at the page, and takes the shortest way that the page names on its
buttons. A *stroke* is a key, or a chord struck at once; *keys down* counts the modifiers of a chord too.
The suggestion's first candidate is right in the first run, the second or third in the next, and withheld
in the last, where a product is found by the first letters of its Chinese name's pinyin, typed one by one
until it stands among the first three proposals. How many and in what condition no suggestion tells: see
ADR 17.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import browser

GROCERY = Path(os.environ.get("WAREVISION_GROCERY", browser.ROOT.parent / "shared/data/grocery"))
TYPING_MS, LOOKING_MS = 80, 400
NAMED = re.compile(r"[\u4e00-\u9fff]+")


def prepare(home: Path) -> None:
    """Catalog, decided training photos and suggestions for the validation photos."""
    from django.core.management import call_command

    at: dict[str, Any] = {"site": "depot", "json": True}
    call_command(
        "create_user", "anna", role=["annotator"], password=browser.PASSWORD, name="Anna", **at
    )
    catalog = GROCERY / "metadata/sku_catalog.csv"
    call_command("import_catalog", str(catalog), root=str(GROCERY), **at)
    for split, state in (("train", "decided"), ("val", "new")):
        call_command(
            "import_dataset", str(GROCERY), split=split, project="main", **at, **{"as": state}
        )
    call_command("suggest", **at)


def copied(source: Path, target: Path) -> None:
    """A copy of a home's database; its pictures and memories are only read."""
    with (
        sqlite3.connect(source / "warevision.sqlite3") as old,
        sqlite3.connect(target / "warevision.sqlite3") as new,
    ):
        old.backup(new)
    for name in ("media", "sites"):
        (target / name).symlink_to((source / name).resolve())
    shutil.copy(source / "secret_key", target / "secret_key")


# --- what is labeled --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo and its true caption values."""

    capture: int
    scene: int
    truth: Mapping[str, str]


def photos() -> tuple[list[Photo], dict[int, Any]]:
    """The validation photos in the order of their names, and their suggestions by capture."""
    from annotator.captures.models import Capture
    from inference.captions import DEFAULT_SCHEMA, parse

    found, suggestions = [], {}
    rows = Capture.objects.select_related("suggestion_status__current").in_bulk(field_name="pk")
    by_name = {row.image_id_text: row for row in rows.values()}
    for line in (GROCERY / "annotations/val.jsonl").read_text("utf-8").splitlines():
        record = json.loads(line)
        row = by_name[record["image_id"]]
        values = parse(record["caption"], DEFAULT_SCHEMA).values
        found.append(
            Photo(row.pk, row.scene_id, {key: str(value) for key, value in values.items()})
        )
        suggestions[row.pk] = row.suggestion_status.current
    return found, suggestions


def rank_of(photo: Photo, suggestion: Any) -> int:
    """The place of the true SKU among the candidates, from 1; 0 where it is not among them."""
    codes = [one["sku_code"] for one in suggestion.candidates]
    return codes.index(photo.truth["sku"]) + 1 if photo.truth["sku"] in codes else 0


def demote(photo: Photo, suggestion: Any, rank: int) -> None:
    """A new suggestion whose true SKU stands at ``rank``; the confidences keep their places."""
    from annotator.catalog.models import Sku
    from annotator.suggestions.models import CaptureSuggestion

    shares = [one["confidence"] for one in suggestion.candidates]
    order = list(suggestion.candidates)
    order.insert(rank - 1, order.pop(rank_of(photo, suggestion) - 1))
    suggestion.pk = None
    suggestion.candidates = [
        {**one, "confidence": share} for one, share in zip(order, shares, strict=True)
    ]
    wrong = Sku.objects.select_related("category").get(code=order[0]["sku_code"])
    for key, value in (("sku", wrong.code), ("category", wrong.category), ("spec", wrong.spec)):
        if suggestion.fields[key]["value"]:
            suggestion.fields[key] = {**suggestion.fields[key], "value": str(value)}
    suggestion.save()
    CaptureSuggestion.objects.filter(capture=photo.capture).update(current=suggestion)


def project_with(name: str, chosen: Sequence[Photo], *, withheld: bool = False) -> int:
    """A project whose queue is these photos, and nothing else."""
    from annotator.accounts.models import Project
    from annotator.labeling.models import Task

    main = Project.objects.get(slug="main")
    project = Project.objects.create(
        site=main.site, slug=name, name=name, withhold_rate=float(withheld), random_share=0.0
    )
    for photo in chosen:
        Task.objects.create(
            project=project, scene_id=photo.scene, state="ready", overlap=2, places_left=2
        )
    return project.pk


# --- the typist --------------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """What one photo cost."""

    strokes: int = 0
    down: int = 0
    keys: list[str] = field(default_factory=list)


class Typist:
    """Works one page by its keyboard."""

    def __init__(self, page: Any, truths: Mapping[str, Mapping[str, str]]) -> None:
        self.page, self.truths = page, truths
        self.tally = Tally()

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.page.wait_for_timeout(TYPING_MS)
        self.tally.strokes += 1
        self.tally.down += len(key.split("+"))
        self.tally.keys.append(key)

    def value(self, name: str) -> str:
        return str(self.page.get_by_test_id(f"field-{name}").input_value())

    def untouched(self) -> bool:
        """The focus is in the SKU field, where a digit still chooses."""
        return bool(self.page.evaluate("document.activeElement.dataset.digits !== undefined"))

    def caption(self) -> str:
        return str(self.page.get_by_test_id("caption-line").inner_text())

    def label(self) -> tuple[Tally, bool]:
        """Label the photo in work; whether the caption was the true one when it was submitted."""
        self.tally = Tally()
        picture = self.page.get_by_test_id("photo").locator("img").first
        source = picture.get_attribute("src")
        truth = self.truths[str(picture.get_attribute("alt")).split()[-1]]
        self.name_sku(truth)
        self.fill_rest(truth)
        right = all(f"】{truth[key]}" in self.caption() for key in truth)
        self.press("Control+Enter")
        self.page.wait_for_function(
            """(source) => document.querySelector('[data-testid=empty-state]')
              || document.querySelector('[data-testid=photo] img')?.getAttribute('src') !== source""",
            arg=source,
        )
        self.page.wait_for_timeout(150)
        return self.tally, right

    def name_sku(self, truth: Mapping[str, str]) -> None:
        doubted = self.page.get_by_test_id("field-sku-doubt").count() > 0
        if self.value("sku") == truth["sku"] and not doubted:
            return
        rows = self.page.locator("[data-testid^=candidate-]").all_inner_texts()
        number = next((n for n, row in enumerate(rows, 1) if truth["sku"] in row.split()), None)
        if number is not None:
            self.press(str(number) if self.untouched() else f"Alt+{number}")
            return
        self.search(truth["sku"])

    def search(self, code: str) -> None:
        """By the initials of the Chinese name, letter by letter."""
        from annotator.catalog.models import Sku
        from annotator.catalog.naming import pinyin_keys

        name = Sku.objects.get(code=code).name
        letters = pinyin_keys("".join(NAMED.findall(name)))[1]
        if self.value("sku"):
            self.press("Backspace")
        options = self.page.locator("[data-testid^=field-sku-option-]")
        for n, letter in enumerate(letters, 1):
            self.press(letter)
            self.page.wait_for_timeout(LOOKING_MS)  # proposals come 120 ms after the last letter
            place = next(
                (k for k, row in enumerate(options.all_inner_texts()) if code in row.split()), None
            )
            if place is not None and (place < 3 or n == len(letters)):
                for _ in range(place):
                    self.press("ArrowDown")
                self.press("Enter")
                return
        raise AssertionError(f"{code} is not found by {letters}")

    def fill_rest(self, truth: Mapping[str, str]) -> None:
        """As on the last photo where that is right; else the number, and the digit of the scale."""
        offer = self.page.get_by_test_id("repeat")
        if offer.count() and all(
            truth[key] in offer.inner_text() for key in ("quantity", "condition")
        ):
            self.press("F4")
            return
        from inference.captions import parse_condition

        for letter in re.match(r"\d+", truth["quantity"])[0]:  # type: ignore[index]
            self.press(letter)
        self.press("Tab")
        grade = parse_condition(truth["condition"])
        self.press(str(getattr(grade, "grade", 0) + 1))


def run(page: Any, url: str, project: int, count: int, typist: Typist) -> list[Tally]:
    page.goto(f"{url}/p/{project}/label")
    page.get_by_test_id("photo").locator("img").first.wait_for()
    page.wait_for_timeout(800)
    tallies = []
    for _ in range(count):
        tally, right = typist.label()
        assert right, f"not the true caption after {tally.keys}"
        tallies.append(tally)
    return tallies


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    options.add_argument("--home", type=Path)
    options.add_argument("--photos", type=int, default=20)
    asked = options.parse_args()
    browser.check()
    if not (GROCERY / "annotations").is_dir():
        sys.exit(f"NOT MEASURED: no real photos at {GROCERY}; set WAREVISION_GROCERY")
    with tempfile.TemporaryDirectory(prefix="warevision-bench-") as name:
        os.environ.update(
            {
                # Playwright keeps an event loop in this thread
                "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
                "DJANGO_SETTINGS_MODULE": "annotator.settings.dev",
                "WAREVISION_HOME": name,
                "WAREVISION_LOG_LEVEL": "ERROR",
                "DATABASE_URL": "",
                "BROKER_URL": "filesystem://",
            }
        )
        (Path(name) / "static").mkdir()
        if asked.home:
            copied(asked.home, Path(name))
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        if not asked.home:
            prepare(Path(name))
        measure(asked.photos)


def measure(count: int) -> None:
    from annotator.accounts import services as accounts
    from annotator.accounts.models import Site
    from annotator.accounts.states import Role

    if not accounts.User.objects.filter(username="anna").exists():
        user, _ = accounts.create_user(username="anna", password=browser.PASSWORD)
        accounts.grant_roles(user=user, site=Site.objects.get(), roles=[Role.ANNOTATOR])
    every, suggestions = photos()
    rank = {photo.capture: rank_of(photo, suggestions[photo.capture]) for photo in every}
    right = [photo for photo in every if rank[photo.capture] == 1]
    beaten = [photo for photo in every if rank[photo.capture] in (2, 3)][:count]
    first, best, rest = right[0], right[1 : count + 1], right[count + 1 :]
    demoted = rest[: count - len(beaten)]
    for n, photo in enumerate(demoted):
        demote(photo, suggestions[photo.capture], 2 + n % 2)
    typed = rest[count : 2 * count]
    print(
        f"{len(every)} validation photos: first candidate right {len(right)},"
        f" second or third {sum(r in (2, 3) for r in rank.values())}"
    )
    print(f"In the second run {len(beaten)} rankings are real, {len(demoted)} demoted by hand.")
    runs = (
        ("a first photo, all typed", 6, project_with("first", [first]), 1),
        ("first candidate right", 3, project_with("right", best), len(best)),
        ("second or third", 6, project_with("second", [*beaten, *demoted]), count),
        ("no suggestion, by initials", 14, project_with("typed", typed, withheld=True), len(typed)),
    )
    truths = {_name_of(photo): photo.truth for photo in every}
    missed = 0
    print(
        f"{'':28}{'photos':>7}{'strokes':>9}{'mean':>6}{'most':>6}{'keys down, mean':>17}{'most':>6}{'budget':>8}"
    )
    with browser.served() as url, browser.page_of(url, "anna") as page:
        typist = Typist(page, truths)
        for name, budget, project, photos_in in runs:
            page.evaluate(COPY_LAST, project)
            tallies = run(page, url, project, photos_in, typist)
            strokes = [tally.strokes for tally in tallies]
            down = [tally.down for tally in tallies]
            print(
                f"{name:28}{len(tallies):7}{sum(strokes):9}{sum(strokes) / len(strokes):6.1f}"
                f"{max(strokes):6}{sum(down) / len(down):17.1f}{max(down):6}{budget:8}"
            )
            worst = max(tallies, key=lambda tally: tally.strokes)
            print(f"{'':28}most: {' '.join(worst.keys)}")
            missed += max(strokes) > budget
    sys.exit(1 if missed else 0)


COPY_LAST = """(project) => {
  // the same person in the next project of the same goods: what was last answered goes along
  const key = Object.keys(localStorage).find((one) => one.startsWith('wv.last.'));
  if (key) localStorage.setItem(key.replace(/[^.]+$/, String(project)), localStorage.getItem(key));
}"""


def _name_of(photo: Photo) -> str:
    from annotator.captures.models import Capture

    return Capture.objects.get(pk=photo.capture).image_id_text


if __name__ == "__main__":
    main()
