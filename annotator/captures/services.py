"""Registering photos. Whatever way they come in, they end here: verified files, in batches."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotator.accounts.models import Project, Site, User
from annotator.core import audit, events
from annotator.core.messages import text
from annotator.media import services as media
from annotator.media.pictures import BadPicture, Picture

from . import queries
from .models import Capture, Quarantine, Scene

_CAM = re.compile(r"(?:^|[/_\-])(?:cam_)?(top|front|side)(?=[/_\-.]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that was read and looked at: ``picture`` when it is good and new to the site, ``bad``
    when it is refused, neither when the site has its content already."""

    name: str
    sha256: str
    size: int
    picture: Picture | None = None
    bad: BadPicture | None = None
    cam_type: str = ""
    scene_key: str = ""
    image_id: str = ""
    split: str = ""
    weight_g: float | None = None
    about: Any = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file: ``created``, ``existing`` or ``quarantined``. ``about`` is what its
    source said of it."""

    name: str
    status: str
    capture: Capture | None = None
    quarantine: Quarantine | None = None
    about: Any = None

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"name": self.name, "status": self.status}
        if self.capture is not None:
            data["capture"] = self.capture.pk
            data["duplicate_of"] = self.capture.duplicate_of_id
        if self.quarantine is not None:
            code, params = self.quarantine.code, self.quarantine.params
            data["quarantine"] = {"code": code, "detail": text(code, **params)}
        return data


def count(taken: Sequence[Taken]) -> Counter[str]:
    """How many files met each fate, and how many new ones are near-duplicates."""
    counts = Counter(one.status for one in taken)
    counts["near_duplicates"] = sum(
        one.status == "created" and one.capture is not None and bool(one.capture.duplicate_of_id)
        for one in taken
    )
    return +counts


def register(
    *,
    site: Site,
    files: Sequence[Checked],
    source: str,
    project: Project | None = None,
    batch: int | None = None,
    actor: User | None = None,
    suggest: bool = True,
) -> list[Taken]:
    """Make captures of the good files, quarantine the bad ones, in one transaction and a number of
    statements that does not grow with the files. ``project`` opens a task for each scene there,
    in ``batch``; without ``suggest`` the machine is not asked about new captures."""
    with transaction.atomic():
        # One writer of captures a site at a time: identity and near-duplicates stay exact.
        Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        refused = _quarantine(site, [f for f in files if f.bad], source, actor)
        good = [f for f in files if not f.bad]
        captures = queries.captures_by_content(site.pk, [f.sha256 for f in good])
        new: dict[str, Checked] = {}
        for file in good:
            if file.picture and file.sha256 not in captures:
                new.setdefault(file.sha256, file)
        if new:
            captures |= _create(site, list(new.values()), source, actor)
            if suggest:
                created = [{"capture": captures[sha].pk} for sha in new]
                events.publish_many("capture.created", created)
        if project is not None:
            offered = {sha: captures[sha] for sha in (f.sha256 for f in good) if sha in captures}
            _offer(list(offered.values()), project, batch)
    taken = []
    for file in files:
        if file.bad:
            row = refused[(file.sha256, file.name)]
            taken.append(Taken(file.name, "quarantined", quarantine=row, about=file.about))
        else:
            status = "created" if new.get(file.sha256) is file else "existing"
            taken.append(Taken(file.name, status, capture=captures[file.sha256], about=file.about))
    return taken


def offer_known(
    *,
    site: Site,
    sha256s: Sequence[str],
    project: Project | None = None,
    batch: int | None = None,
) -> dict[str, Capture]:
    """The captures that the site has already of these contents, offered to ``project``, what is
    new there in its ``batch``."""
    captures = queries.captures_by_content(site.pk, sha256s)
    if project is not None and captures:
        with transaction.atomic():
            Site.objects.select_for_update(no_key=True).get(pk=site.pk)
            _offer(list(captures.values()), project, batch)
    return captures


def _offer(captures: Sequence[Capture], project: Project, batch: int | None = None) -> None:
    to = {"project": project.pk, "batch": batch}
    events.publish_many(
        "capture.offered", [{"capture": c.pk, "scene": c.scene_id, **to} for c in captures]
    )


def _create(
    site: Site, files: Sequence[Checked], source: str, actor: User | None
) -> dict[str, Capture]:
    """New captures by their content. The site is locked."""
    images = media.register_images(site=site, pictures=[f.picture for f in files if f.picture])
    ids = _image_ids(site, files)
    keys = {f.sha256: (f.scene_key or ids[f.sha256])[:128] for f in files}
    scenes = _scenes(site, {keys[f.sha256]: f.split for f in files})
    captures = Capture.objects.bulk_create(
        Capture(
            site=site,
            scene=scenes[keys[file.sha256]],
            image=images[file.sha256],
            image_id_text=ids[file.sha256],
            cam_type=file.cam_type or cam_type_of(file.name),
            original_name=file.name,
            source=source,
            weight_g=file.weight_g,
        )
        for file in files
    )
    _link_near_duplicates(site, captures)
    audit.record_each(
        action="capture.created",
        on=((capture, {"name": capture.original_name}) for capture in captures),
        actor=actor,
        site_id=site.pk,
    )
    return {capture.image.sha256: capture for capture in captures}


def _image_ids(site: Site, files: Sequence[Checked]) -> dict[str, str]:
    """An image id of its own for each content; one that is taken gets the content's hash added."""
    wanted = {f.sha256: f.image_id or f"IMG_{f.sha256[:12]}" for f in files}
    taken = set(
        Capture.objects.filter(site=site, image_id_text__in=wanted.values()).values_list(
            "image_id_text", flat=True
        )
    )
    for sha256, image_id in wanted.items():
        if image_id in taken:
            wanted[sha256] = f"{image_id[:100]}_{sha256[:12]}"
        taken.add(wanted[sha256])
    return wanted


def _scenes(site: Site, splits: Mapping[str, str]) -> dict[str, Scene]:
    """The scenes of these keys, made where they are missing."""
    scenes = {s.key: s for s in Scene.objects.filter(site=site, key__in=splits)}
    missing = [
        Scene(site=site, key=key, split=split) for key, split in splits.items() if key not in scenes
    ]
    return scenes | {scene.key: scene for scene in Scene.objects.bulk_create(missing)}


def _link_near_duplicates(site: Site, captures: Sequence[Capture]) -> None:
    """Link each new capture to the nearest earlier one, and the scenes of all that are near."""
    near = queries.near_captures(site.pk, captures)
    linked = []
    pairs: list[tuple[int, int]] = []
    for capture in captures:
        for distance, pk, scene in near.get(capture.pk, ()):
            if capture.duplicate_of_id is None:
                capture.duplicate_of_id, capture.duplicate_distance = pk, distance
                linked.append(capture)
            pairs.append((capture.scene_id, scene))
    Capture.objects.bulk_update(linked, ["duplicate_of", "duplicate_distance"])
    join_groups(pairs)


def join_groups(pairs: Sequence[tuple[int, int]]) -> None:
    """The scenes of each pair, and all that hang on them, become one group."""
    pairs = [(one, other) for one, other in pairs if one != other]
    if not pairs:
        return
    scenes = {scene for pair in pairs for scene in pair}
    known = Scene.objects.filter(pk__in=scenes).values_list("pk", "group")
    above = {pk: group for pk, group in known if group is not None and group != pk}

    def first(scene: int) -> int:
        while scene in above:
            scene = above[scene]
        return scene

    for one, other in pairs:
        low, high = sorted((first(one), first(other)))
        if low != high:
            above[high] = low
    roots: dict[int, set[int]] = {}
    for scene in scenes | set(above):
        roots.setdefault(first(scene), set()).add(scene)
    for root, members in roots.items():
        Scene.objects.filter(Q(pk__in=members | {root}) | Q(group__in=members)).exclude(
            group=root
        ).update(group=root)


def cam_type_of(name: str) -> str:
    """The camera that a file's path speaks of (``cam_top/…``, ``…_side.jpg``), or nothing."""
    found = _CAM.findall(name)
    return found[-1].lower() if found else ""


def _quarantine(
    site: Site, files: Sequence[Checked], source: str, actor: User | None
) -> dict[tuple[str, str], Quarantine]:
    """The rows of refused files by content and name. One that is refused again for the same reason
    keeps its row as it is, dismissed or not."""
    if not files:
        return {}
    kept = Quarantine.objects.filter(
        site=site, sha256__in={f.sha256 for f in files}, name__in={f.name for f in files}
    )
    rows = {(row.sha256, row.name): row for row in kept}
    new: dict[tuple[str, str], Quarantine] = {}
    for file in files:
        assert file.bad is not None
        key = (file.sha256, file.name)
        facts = {
            "code": file.bad.code,
            "params": dict(file.bad.params),
            "size": file.size,
            "source": source,
        }
        if key not in rows:
            rows[key] = new[key] = Quarantine(
                site=site, name=file.name, sha256=file.sha256, **facts
            )
        elif key not in new and rows[key].code != file.bad.code:
            for name, value in {**facts, "dismissed_at": None}.items():
                setattr(rows[key], name, value)
            rows[key].save()
    Quarantine.objects.bulk_create(new.values())
    audit.record_each(
        action="capture.quarantined",
        on=((row, {"name": row.name, "code": row.code}) for row in new.values()),
        actor=actor,
        site_id=site.pk,
    )
    return rows


def dismiss(*, site: Site, actor: User | None, ids: Sequence[int] = (), code: str = "") -> int:
    """Put refused files out of sight: the named ones, or all that were refused for ``code``.
    Returns their number."""
    with transaction.atomic():
        rows = Quarantine.objects.filter(site=site, dismissed_at=None)
        rows = rows.filter(pk__in=ids) if ids else rows.filter(code=code)
        dismissed = rows.update(dismissed_at=timezone.now())
        if dismissed:
            audit.record(
                action="quarantine.dismissed",
                on=site,
                actor=actor,
                site_id=site.pk,
                files=dismissed,
                code=code,
                ids=list(ids),
            )
    return dismissed
