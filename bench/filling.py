"""Rows for measurements, written in bulk: a site with a project of many ready tasks, each with a
picture, what was read in it and a proposal, and people to answer them."""

from __future__ import annotations

import random
from typing import Any

CODES = [f"SKU-{n:03d}" for n in range(200)]
FIELDS = {
    "sku": CODES[0],
    "category": "饮料",
    "spec": "500ml×6瓶/箱",
    "quantity": "2箱",
    "condition": "完好无损",
}
BATCH = 5000
SUGGESTED = 5000
"""So many tasks, those that come first, have a proposal: more than a loop gets to."""


def make_site(people: int) -> tuple[Any, list[Any], list[str]]:
    """A site with a catalog and ``people`` annotators; the site, they, and their API tokens."""
    from annotator.accounts.models import ApiToken, Membership, Site, User
    from annotator.accounts.services import digest_of
    from annotator.accounts.states import Role
    from annotator.catalog.models import Category, ReferencePicture, Sku

    site = Site.objects.create(slug="bench", name="Bench")
    category = Category.objects.create(site=site, name="饮料", path="饮料")
    skus = Sku.objects.bulk_create(
        Sku(
            site=site, code=c, code_key=c.lower(), name=f"商品 {c}", category=category, spec="500ml"
        )
        for c in CODES
    )
    pictures = _images(site, 0, len(skus))
    ReferencePicture.objects.bulk_create(
        ReferencePicture(sku=sku, image=image) for sku, image in zip(skus, pictures, strict=True)
    )
    users = User.objects.bulk_create(User(username=f"bench{n}") for n in range(people))
    Membership.objects.bulk_create(
        Membership(user=u, site=site, role=Role.ANNOTATOR) for u in users
    )
    secrets = [f"wv_bench_{user.pk}" for user in users]
    ApiToken.objects.bulk_create(
        ApiToken(user=u, site=site, name="bench", digest=digest_of(s), prefix=s[:8])
        for u, s in zip(users, secrets, strict=True)
    )
    return site, users, secrets


def make_project(site: Any, slug: str, tasks: int, *, overlap: int = 2) -> Any:
    """A project of ``site`` with ``tasks`` ready tasks, the most valuable first."""
    from annotator.accounts.models import Project

    project = Project.objects.create(site=site, slug=slug, name=slug, overlap=overlap)
    for first in range(0, tasks, BATCH):
        _make_tasks(project, first, min(BATCH, tasks - first))
    return project


def _images(site: Any, first: int, count: int, salt: int = 0) -> list[Any]:
    from annotator.media.models import StoredImage
    from annotator.media.pictures import bands

    rows = []
    for n in range(first, first + count):
        phash = f"{random.Random(n + salt).getrandbits(64):016x}"
        keys = dict(zip(("band0", "band1", "band2", "band3"), bands(phash), strict=True))
        row = StoredImage(
            site=site, sha256=f"{salt:032x}{n:032x}", format="JPEG", width=640, height=480,
            size=50_000, phash=phash, sharpness=100.0, exposure=0.5, **keys,
        )  # fmt: skip
        rows.append(row)
    return StoredImage.objects.bulk_create(rows)


def _make_tasks(project: Any, first: int, count: int) -> None:
    from annotator.captures.models import Capture, Scene
    from annotator.labeling.models import Task

    site = project.site
    images = _images(site, first, count, salt=project.pk)
    names = [f"{project.slug}-{n}" for n in range(first, first + count)]
    scenes = Scene.objects.bulk_create(Scene(site=site, key=name) for name in names)
    captures = Capture.objects.bulk_create(
        Capture(site=site, scene=scene, image=image, image_id_text=scene.key, source="bench")
        for scene, image in zip(scenes, images, strict=True)
    )
    if first < SUGGESTED:
        _suggest(captures)
    Task.objects.bulk_create(
        Task(
            project=project, scene=scene, state="ready", value=1.0 / (first + n + 1),
            overlap=project.overlap, places_left=project.overlap,
        )
        for n, scene in enumerate(scenes)
    )  # fmt: skip


def _suggest(captures: list[Any]) -> None:
    from annotator.suggestions.models import CaptureSuggestion, PictureDescription, Suggestion

    rng = random.Random(1)
    line = {
        "text": "净含量 500ml",
        "confidence": 0.9,
        "polygon": [[0, 0], [90, 0], [90, 20], [0, 20]],
    }
    PictureDescription.objects.bulk_create(
        PictureDescription(
            image=capture.image, describer="bench", embedding=b"\0" * 1280, ocr_lines=[line]
        )
        for capture in captures
    )
    suggestions = Suggestion.objects.bulk_create(
        Suggestion(
            capture=capture,
            model_version="bench",
            site_number=1,
            fields={key: {"value": value, "confidence": 0.9} for key, value in FIELDS.items()},
            candidates=[
                {"sku_code": code, "confidence": 0.8 / (k + 1), "parts": {}, "words": []}
                for k, code in enumerate(rng.sample(CODES, 5))
            ],
            neighbours=[
                {
                    "key": f"ref:{k + 1}",
                    "sku_code": CODES[k],
                    "kind": "reference",
                    "similarity": 0.5,
                }
                for k in range(3)
            ],
            flags=[],
            timings_ms={},
        )
        for capture in captures
    )
    CaptureSuggestion.objects.bulk_create(
        CaptureSuggestion(capture=capture, state="done", current=suggestion)
        for capture, suggestion in zip(captures, suggestions, strict=True)
    )
