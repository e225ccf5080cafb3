"""Rows for tests."""

from __future__ import annotations

import base64
import io
import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import factory
import numpy as np
from django.db import transaction
from factory.django import DjangoModelFactory
from PIL import Image, ImageDraw

from annotator.accounts.models import Membership, Project, Site, User
from annotator.accounts.states import Role
from annotator.captures.models import Capture, Scene
from annotator.catalog.models import Sku
from annotator.catalog.naming import code_key, pinyin_keys
from annotator.catalog.services import next_number
from annotator.labeling.models import Task
from annotator.labeling.services import prepare_tasks
from annotator.labeling.states import TaskState
from annotator.media import storage
from annotator.media.models import StoredImage
from annotator.media.pictures import bands
from annotator.media.queries import image_path
from annotator.suggestions.models import CaptureSuggestion, PictureDescription, Suggestion


class SiteFactory(DjangoModelFactory):
    class Meta:
        model = Site

    slug = factory.Sequence(lambda n: f"site-{n}")
    name = factory.LazyAttribute(lambda site: f"仓库 {site.slug}")


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    display_name = factory.LazyAttribute(lambda user: f"员工 {user.username}")
    password = factory.django.Password("a-long-test-password")


class ProjectFactory(DjangoModelFactory):
    class Meta:
        model = Project

    site = factory.SubFactory(SiteFactory)
    slug = factory.Sequence(lambda n: f"project-{n}")
    name = "测试项目"
    withhold_rate = 0.0
    random_share = 0.0


class SkuFactory(DjangoModelFactory):
    class Meta:
        model = Sku

    site = factory.SubFactory(SiteFactory)
    code = factory.Sequence(lambda n: f"SKU-{n:04d}")
    code_key = factory.LazyAttribute(lambda sku: code_key(sku.code))
    name = factory.Sequence(lambda n: f"商品{n}")
    spec = "500ml/瓶"
    unit = "瓶"

    @factory.lazy_attribute
    def change_number(self) -> int:
        return next_number(self.site.pk) if self.site.pk else 0

    @factory.lazy_attribute
    def pinyin(self) -> str:
        return pinyin_keys(self.name)[0]

    @factory.lazy_attribute
    def initials(self) -> str:
        return pinyin_keys(self.name)[1]


class StoredImageFactory(DjangoModelFactory):
    """A picture's row without its file: enough where nobody opens it."""

    class Meta:
        model = StoredImage

    site = factory.SubFactory(SiteFactory)
    sha256 = factory.Sequence(lambda n: f"{n:064x}")
    format = "JPEG"
    width = 640
    height = 480
    size = 1000
    phash = factory.Sequence(lambda n: f"{random.Random(n).getrandbits(64):016x}")
    sharpness = 100.0
    exposure = 0.5
    band0 = factory.LazyAttribute(lambda i: bands(i.phash)[0])
    band1 = factory.LazyAttribute(lambda i: bands(i.phash)[1])
    band2 = factory.LazyAttribute(lambda i: bands(i.phash)[2])
    band3 = factory.LazyAttribute(lambda i: bands(i.phash)[3])


class SceneFactory(DjangoModelFactory):
    class Meta:
        model = Scene

    site = factory.SubFactory(SiteFactory)
    key = factory.Sequence(lambda n: f"scene-{n}")


class CaptureFactory(DjangoModelFactory):
    class Meta:
        model = Capture

    site = factory.SubFactory(SiteFactory)
    scene = factory.SubFactory(SceneFactory, site=factory.SelfAttribute("..site"))
    image = factory.SubFactory(StoredImageFactory, site=factory.SelfAttribute("..site"))
    image_id_text = factory.Sequence(lambda n: f"IMG_{n:06d}")
    source = "test"


class TaskFactory(DjangoModelFactory):
    """A ready task with one capture."""

    class Meta:
        model = Task

    project = factory.SubFactory(ProjectFactory)
    scene = factory.SubFactory(SceneFactory, site=factory.SelfAttribute("..project.site"))
    state = TaskState.READY
    overlap = factory.LazyAttribute(lambda task: task.project.overlap)
    places_left = factory.LazyAttribute(lambda task: task.overlap)

    @factory.post_generation
    def capture(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create:
            CaptureFactory(site=self.project.site, scene=self.scene)


def alike_tasks(
    project: Project,
    sku: Sku,
    count: int,
    *,
    confidence: float = 0.95,
    look: int = 0,
    read: Sequence[Mapping[str, Any]] = (),
) -> list[Task]:
    """Ready tasks whose pictures look the same (each ``look`` otherwise) and of which the machine
    says the same, as it is stored when the recognizer has answered; ``read`` is what it proposes of
    each besides, field by field."""
    tasks = TaskFactory.create_batch(count, project=project)
    for n, task in enumerate(tasks):
        rng = np.random.default_rng(look)
        vector = rng.standard_normal(1280) + 0.3 * np.random.default_rng(n).standard_normal(1280)
        capture = task.scene.captures.get()
        PictureDescription.objects.create(
            image=capture.image,
            describer="test",
            embedding=(vector / np.linalg.norm(vector)).astype("<f2").tobytes(),
        )
        values = {"sku": sku.code, "category": "饮料", "spec": sku.spec}
        proposals = {
            key: {"value": value, "confidence": confidence, "source": "catalog"}
            for key, value in values.items()
        }
        suggestion = Suggestion.objects.create(
            capture=capture,
            model_version="m",
            site_number=1,
            fields=proposals | dict(read[n] if n < len(read) else {}),
            candidates=[{"sku_code": sku.code, "confidence": confidence, "parts": {}, "words": []}],
            neighbours=[],
            flags=[],
            timings_ms={},
        )
        CaptureSuggestion.objects.create(capture=capture, state="done", current=suggestion)
        with transaction.atomic():
            prepare_tasks(scene=task.scene_id, confidence=confidence, sku_code=sku.code)
    return tasks


def photograph(task: Task, photo: Image.Image) -> None:
    """Give the task's pictures files that a browser can show."""
    for capture in task.scene.captures.select_related("image"):
        image = capture.image
        out = io.BytesIO()
        photo.convert("RGB").resize((image.width, image.height)).save(out, "WEBP", quality=80)
        for variant in storage.VARIANTS:
            storage.write(image_path(image, variant), out.getvalue())


def member(site: Site, *roles: Role, **fields: Any) -> User:
    """A person with roles on a site."""
    user = UserFactory(**fields)
    for role in roles:
        Membership.objects.create(user=user, site=site, role=role)
    return user


def picture_bytes(seed: int = 0, size: tuple[int, int] = (320, 240), format: str = "JPEG") -> bytes:
    """A picture that no other seed resembles."""
    rng = random.Random(seed)
    image = Image.new("RGB", size, tuple(rng.randrange(256) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = rng.randrange(size[0]), rng.randrange(size[1])
        w, h = rng.randrange(20, size[0] // 2), rng.randrange(20, size[1] // 2)
        draw.rectangle((x, y, x + w, y + h), fill=tuple(rng.randrange(256) for _ in range(3)))
    out = io.BytesIO()
    image.save(out, format)
    return out.getvalue()


def heat_map(rows: int, columns: int, at: tuple[float, float]) -> dict[str, Any]:
    """A map that is warmest at a place (x and y as shares of the sides), as a suggestion keeps it."""
    cells = bytes(
        round(
            255
            * math.exp(-40 * (((x + 0.5) / columns - at[0]) ** 2 + ((y + 0.5) / rows - at[1]) ** 2))
        )
        for y in range(rows)
        for x in range(columns)
    )
    return {"rows": rows, "columns": columns, "data": base64.b64encode(cells).decode()}


GOOD_FIELDS = {
    "sku": "SKU-A",
    "category": "饮料",
    "spec": "500ml×6瓶/箱",
    "quantity": "2箱",
    "condition": "完好无损",
}
