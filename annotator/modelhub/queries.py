"""Which model answers."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import QuerySet

from annotator.accounts.models import Site
from annotator.core.errors import NotFound
from annotator.core.jobs import OPEN

from . import policies
from .models import LiveModel, ModelVersion

MOST_FALLBACKS = 3
Chooser = Callable[[str], ModelVersion | None]


def live_of(site: Site | int) -> LiveModel | None:
    """What is live on a site, with its versions; None where nothing was ever promoted."""
    rows = LiveModel.objects.select_related("champion", "previous", "challenger", "rollout")
    return rows.filter(site=site).first()


def is_rolling_out(live: LiveModel) -> bool:
    """Whether a champion or challenger is being prepared."""
    return live.rollout is not None and live.rollout.state in OPEN


def chooser(site: Site | int) -> Chooser:
    """What answers for each key (the SHA-256 of a picture), as things stand now."""
    live = live_of(site)
    if live is None:
        return lambda key: None
    champion, challenger, share = live.champion, live.challenger, live.challenger_share
    if challenger is None:
        return lambda key: champion
    tried = arm(challenger, share)
    return lambda key: challenger if tried(key) else champion


def arm(challenger: ModelVersion, share: float) -> Callable[[str], bool]:
    """Whether ``challenger`` answers for a key (the SHA-256 of a picture) with this share of them."""
    salt = f"{challenger.site_id}/{challenger.digest}"
    return lambda key: policies.in_share(key, salt=salt, share=share)


def chosen(site: Site | int, key: str) -> ModelVersion | None:
    """The version that answers for ``key``, None for the shipped base. The same key always has the same
    one while a trial and its share stand."""
    return chooser(site)(key)


def fallbacks(site: Site | int, refused: ModelVersion) -> list[ModelVersion | None]:
    """What answers instead of a ``refused`` version, the best first: the champion, those before it, and
    at last the shipped base."""
    live = live_of(site)
    found: list[ModelVersion | None] = []
    if live is not None:
        found = [live.champion, live.previous]
    found = [version for version in found if version is not None and version.pk != refused.pk]
    return [*dict.fromkeys(found), None][:MOST_FALLBACKS]


def digests_in_use() -> dict[int, set[str]]:
    """By site, the models that answer there, that rolling back leads to next, and that are being made
    the champion or tried."""
    found: dict[int, set[str]] = {}
    for live in LiveModel.objects.select_related("champion", "previous", "challenger", "rollout"):
        named = {one.digest for one in (live.champion, live.previous, live.challenger) if one}
        if live.rollout is not None and is_rolling_out(live):
            coming = ModelVersion.objects.filter(pk=live.rollout.params["version"])
            named |= set(coming.values_list("digest", flat=True))
        found[live.site_id] = named
    return found


def versions_of(site: Site | int) -> QuerySet[ModelVersion]:
    """The versions of a site, the newest first."""
    rows = ModelVersion.objects.filter(site=site).select_related("parent", "created_by")
    return rows.order_by("-number")


def find_version(site: Site, name: str) -> ModelVersion:
    """The version that ``v3``, ``3`` or the beginning of a digest (four characters or more) means.
    Raises :class:`NotFound`."""
    rows = versions_of(site)
    number = name.strip().lower().removeprefix("v")
    if number.isdecimal() and len(number) < 10:
        found = rows.filter(number=int(number)).first()
        if found is not None:
            return found
    if len(name) >= 4:
        # The same bundle may have been registered by several runs: the last one is meant.
        some = list(rows.filter(digest__startswith=name.strip().lower()))
        if some and len({version.digest for version in some}) == 1:
            return some[0]
    known = ", ".join(version.name for version in rows[:10]) or "–"
    raise NotFound("no_such_model", name=name, known=known)
