"""Taking photos in. A bad file is quarantined; it never stops its neighbours."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from annotator.accounts.models import Project, Site, User
from annotator.core import audit, events
from annotator.core.messages import text
from annotator.media import services as media
from annotator.media.pictures import BadPicture, Picture
from annotator.media.queries import near_duplicates

from .models import Capture, Quarantine, Scene

_CAM = re.compile(r"(?:^|[/_\-])(?:cam_)?(top|front|side)(?=[/_\-.]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file: ``created``, ``existing`` or ``quarantined``."""

    name: str
    status: str
    capture: Capture | None = None
    quarantine: Quarantine | None = None

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"name": self.name, "status": self.status}
        if self.capture is not None:
            data["capture"] = self.capture.pk
            data["duplicate_of"] = self.capture.duplicate_of_id
        if self.quarantine is not None:
            code, params = self.quarantine.code, self.quarantine.params
            data["quarantine"] = {"code": code, "detail": text(code, **params)}
        return data


def take_in(
    *,
    site: Site,
    name: str,
    data: bytes,
    source: str,
    project: Project | None = None,
    actor: User | None = None,
    cam_type: str = "",
    scene_key: str = "",
    image_id: str = "",
    split: str = "",
    suggest: bool = True,
) -> Taken:
    """Verify, store and register one file. ``project`` opens a task for it there; without
    ``suggest`` the machine is not asked about it."""
    # A folder's file names are bytes; what is no UTF-8 in them is shown as a question mark.
    name = name.replace("\\", "/")[-255:].encode(errors="replace").decode()
    try:
        picture = media.verify(data)
    except BadPicture as bad:
        row = _quarantine(site, name, data, source, bad, actor)
        return Taken(name, "quarantined", quarantine=row)
    with transaction.atomic():
        # One writer of captures a site at a time: identity and near-duplicates stay exact.
        Site.objects.select_for_update().get(pk=site.pk)
        capture = (
            Capture.objects.select_related("image", "scene")
            .filter(site=site, image__sha256=picture.sha256)
            .first()
        )
        created = capture is None
        if capture is None:
            capture = _register(
                site, name, data, picture, source, cam_type, scene_key, image_id, split
            )
            audit.record(
                action="capture.created", on=capture, actor=actor, site_id=site.pk, name=name
            )
            if suggest:
                events.publish("capture.created", capture=capture.pk)
        if project is not None:
            events.publish(
                "capture.offered", capture=capture.pk, scene=capture.scene_id, project=project.pk
            )
    return Taken(name, "created" if created else "existing", capture=capture)


def _register(
    site: Site,
    name: str,
    data: bytes,
    picture: Picture,
    source: str,
    cam_type: str,
    scene_key: str,
    image_id: str,
    split: str,
) -> Capture:
    image, _ = media.store_image(site=site, data=data, picture=picture)
    image_id = image_id or f"IMG_{picture.sha256[:12]}"
    if Capture.objects.filter(site=site, image_id_text=image_id).exists():
        image_id = f"{image_id[:100]}_{picture.sha256[:12]}"
    scene, _ = Scene.objects.get_or_create(
        site=site, key=(scene_key or image_id)[:128], defaults={"split": split}
    )
    duplicate, distance = _nearest_capture(image.pk, near_duplicates(image))
    return Capture.objects.create(
        site=site,
        scene=scene,
        image=image,
        image_id_text=image_id,
        cam_type=cam_type or cam_type_of(name),
        original_name=name,
        source=source,
        duplicate_of=duplicate,
        duplicate_distance=distance,
    )


def _nearest_capture(image_id: int, near: list[Any]) -> tuple[Capture | None, int | None]:
    distances = {image.pk: distance for image, distance in near}
    captures = Capture.objects.filter(image__in=list(distances)).exclude(image=image_id)
    nearest = min(captures, key=lambda c: (distances[c.image_id], c.pk), default=None)
    return (nearest, distances[nearest.image_id]) if nearest else (None, None)


def cam_type_of(name: str) -> str:
    """The camera that a file's path speaks of (``cam_top/…``, ``…_side.jpg``), or nothing."""
    found = _CAM.findall(name)
    return found[-1].lower() if found else ""


def _quarantine(
    site: Site, name: str, data: bytes, source: str, bad: BadPicture, actor: User | None
) -> Quarantine:
    with transaction.atomic():
        row, created = Quarantine.objects.get_or_create(
            site=site,
            name=name,
            sha256=hashlib.sha256(data).hexdigest(),
            defaults={
                "code": bad.code,
                "params": dict(bad.params),
                "size": len(data),
                "source": source,
            },
        )
        if created:
            audit.record(
                action="capture.quarantined",
                on=row,
                actor=actor,
                site_id=site.pk,
                name=name,
                code=bad.code,
            )
    return row
