"""Rows for tests."""

from __future__ import annotations

import io
import random
from typing import Any

import factory
from factory.django import DjangoModelFactory
from PIL import Image, ImageDraw

from annotator.accounts.models import Membership, Project, Site, User
from annotator.accounts.states import Role
from annotator.captures.models import Capture, Scene
from annotator.catalog.models import Sku
from annotator.catalog.naming import code_key, pinyin_keys
from annotator.labeling.models import Task
from annotator.labeling.states import TaskState
from annotator.media.models import StoredImage
from annotator.media.pictures import bands


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


GOOD_FIELDS = {
    "sku": "SKU-A",
    "category": "饮料",
    "spec": "500ml×6瓶/箱",
    "quantity": "2箱",
    "condition": "完好无损",
}
