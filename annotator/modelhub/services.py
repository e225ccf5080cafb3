"""Registering models, and changing which one is live: one row, one lock, one clear winner."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from annotator.accounts.models import Site
from annotator.core import audit, events, jobs
from annotator.core.errors import Conflict, FieldError, Invalid
from annotator.core.models import Job
from inference import bundles

from . import policies, queries
from .models import LiveModel, ModelChange, ModelVersion

PROMOTE = "promote_model"
"""The kind of job that prepares a champion and then promotes it."""
TRY = "try_model"
"""The kind of job that prepares a challenger and then lets it answer for a share."""
chosen = queries.chosen
_Kind = ModelChange.Kind


def register(
    site: Site,
    folder: Path,
    *,
    report: Mapping[str, Any],
    snapshot_digest: str = "",
    run_key: str = "",
    by: Any = None,
    parent: ModelVersion | None = None,
    notes: str = "",
    source: str = ModelVersion.Source.TRAINED,
) -> ModelVersion:
    """Take a sealed bundle over as the site's next version; nothing is live by that.

    Its files are copied below MODELS_DIR, all or none. The same ``run_key``, or the same bundle imported
    twice, gives the row that is there. Raises :class:`Invalid` for a folder that is no sealed bundle.
    """
    try:
        digest = bundles.shelve(Path(folder), Path(settings.MODELS_DIR))
    except bundles.BundleError as error:
        raise Invalid([FieldError("folder", "bad_model", {"detail": str(error)})]) from error
    if parent is not None and parent.site_id != site.pk:
        raise Invalid([FieldError("parent", "not_found")])
    with transaction.atomic():
        _lock(site)
        rows = ModelVersion.objects.filter(site=site)
        known = rows.filter(run_key=run_key) if run_key else rows.filter(digest=digest, run_key="")
        version = known.order_by("number").first()
        if version is not None:
            return version
        latest = rows.aggregate(latest=Max("number"))["latest"] or 0
        version = ModelVersion.objects.create(
            site=site,
            number=latest + 1,
            digest=digest,
            parent=parent,
            snapshot_digest=snapshot_digest,
            report=dict(report),
            notes=notes,
            source=source,
            run_key=run_key,
            created_by=by,
        )
        audit.record(
            action="model.registered",
            on=version,
            actor=by,
            site_id=site.pk,
            digest=digest,
            number=version.number,
        )
        events.publish("model.registered", site=site.pk, version=version.pk)
    return version


def check_intact(version: ModelVersion) -> None:
    """Raises :class:`Conflict` when the files of ``version`` are not those that were registered."""
    try:
        bundles.verify(Path(settings.MODELS_DIR) / version.digest, version.digest)
    except bundles.BundleError as error:
        raise Conflict("model_broken", name=version.name, detail=str(error)) from error


def promote(
    version: ModelVersion,
    *,
    by: Any,
    reason: str,
    gate: Mapping[str, Any] | None = None,
    revision: int | None = None,
) -> LiveModel:
    """Make ``version`` its site's champion; ends a trial. ``revision`` is the one that the caller has
    seen, if it matters. Raises :class:`Conflict` when it is the champion already, another change came
    first, or its files are broken."""
    check_intact(version)
    with transaction.atomic():
        live = _lock(version.site)
        _check_seen(live, revision)
        if live.champion_id == version.pk:
            raise Conflict("model_is_live", name=version.name)
        _end_trial(live, by=by, reason=reason)
        live.previous, live.champion = live.champion, version
        live.steps += 1
        _write(
            live,
            _Kind.PROMOTED,
            before=live.previous,
            after=version,
            by=by,
            reason=reason,
            gate=gate,
        )
    return live


def rollback(site: Site, *, by: Any, reason: str, revision: int | None = None) -> LiveModel:
    """Make the former champion the champion again; ends a trial. Again: the one before that. Raises
    :class:`Conflict` when there is none, its files are broken, or another change came first."""
    former = queries.live_of(site)
    if former is not None and former.previous is not None:
        check_intact(former.previous)
    with transaction.atomic():
        live = _lock(site)
        _check_seen(live, revision if former is None or revision is not None else former.revision)
        if not live.steps:
            raise Conflict("no_former_model")
        _end_trial(live, by=by, reason=reason)
        left, back = live.champion, live.previous
        _write(live, _Kind.ROLLED_BACK, before=left, after=back, by=by, reason=reason)
        ways = policies.ways_back(
            ModelChange.objects.filter(site=site, kind__in=[_Kind.PROMOTED, _Kind.ROLLED_BACK])
            .order_by("revision")
            .values_list("kind", "before")
        )
        live.champion, live.previous_id, live.steps = back, (ways or [None])[-1], len(ways)
        live.save(update_fields=["champion", "previous", "steps"])
    return live


def start_trial(
    version: ModelVersion, share: float, *, by: Any, reason: str = "", revision: int | None = None
) -> LiveModel:
    """Let ``version`` answer for ``share`` (above 0, at most 1) of the captures; of a trial that is on, it
    changes the share. Raises :class:`Conflict` and :class:`Invalid`."""
    if not 0.0 < share <= 1.0:
        raise Invalid([FieldError("share", "bad_share")])
    check_intact(version)
    with transaction.atomic():
        live = _lock(version.site)
        _check_seen(live, revision)
        if live.champion_id == version.pk:
            raise Conflict("model_is_live", name=version.name)
        if live.challenger_id != version.pk:
            _end_trial(live, by=by, reason=reason)
        live.challenger, live.challenger_share = version, share
        _write(
            live, _Kind.TRIAL_STARTED, before=None, after=version, by=by, reason=reason, share=share
        )
    return live


def ask_for_trial(
    version: ModelVersion, share: float, *, by: Any, reason: str = "", revision: int | None = None
) -> Job | None:
    """As :func:`start_trial`, once the recognizer has ``version`` loaded: a job sees to that. None where it
    is the challenger already, whose share changes at once. Raises :class:`Conflict` and :class:`Invalid`."""
    if not 0.0 < share <= 1.0:
        raise Invalid([FieldError("share", "bad_share")])
    check_intact(version)
    with transaction.atomic():
        live = _lock(version.site)
        if live.challenger_id == version.pk:
            start_trial(version, share, by=by, reason=reason, revision=revision)
            return None
        return _roll_out(live, version, TRY, {"share": share, "reason": reason}, by, revision)


def end_trial(site: Site, *, by: Any, reason: str = "", revision: int | None = None) -> LiveModel:
    """Let the champion answer alone again. Raises :class:`Conflict` when no trial is on."""
    with transaction.atomic():
        live = _lock(site)
        _check_seen(live, revision)
        if live.challenger_id is None:
            raise Conflict("no_trial")
        _end_trial(live, by=by, reason=reason)
    return live


def start_promotion(
    version: ModelVersion,
    *,
    by: Any,
    reason: str,
    gate: Mapping[str, Any] | None = None,
    revision: int | None = None,
) -> Job:
    """Prepare ``version`` beside the champion and promote it then, as a job. Raises :class:`Conflict` as
    :func:`promote` does, and while another one is being prepared."""
    check_intact(version)
    told = {"reason": reason, "gate": None if gate is None else dict(gate)}
    with transaction.atomic():
        return _roll_out(_lock(version.site), version, PROMOTE, told, by, revision)


def _roll_out(
    live: LiveModel,
    version: ModelVersion,
    kind: str,
    told: Mapping[str, Any],
    by: Any,
    revision: int | None,
) -> Job:
    """The job that prepares ``version`` for what ``kind`` says, of a locked row."""
    _check_seen(live, revision)
    if live.champion_id == version.pk:
        raise Conflict("model_is_live", name=version.name)
    if queries.is_rolling_out(live):
        raise Conflict("model_is_rolling_out")
    live.rollout = jobs.start(
        kind=kind,
        site_id=version.site_id,
        params={"version": version.pk, "revision": live.revision, **told},
        actor=by,
    )
    live.save(update_fields=["rollout"])
    return live.rollout


def note_refusal(version: ModelVersion, detail: str) -> bool:
    """Keep why the recognizer would not load ``version``, empty when it did; whether that is news."""
    changed = ModelVersion.objects.filter(pk=version.pk).exclude(refusal=detail)
    if not changed.update(refusal=detail):
        return False
    version.refusal = detail
    return True


def _lock(site: Site) -> LiveModel:
    LiveModel.objects.get_or_create(site=site)
    return LiveModel.objects.select_for_update().get(site=site)


def _check_seen(live: LiveModel, revision: int | None) -> None:
    if revision is not None and revision != live.revision:
        raise Conflict("model_changed", revision=live.revision)


def _end_trial(live: LiveModel, *, by: Any, reason: str) -> None:
    if live.challenger is None:
        return
    challenger, share = live.challenger, live.challenger_share
    live.challenger, live.challenger_share = None, 0.0
    _write(
        live, _Kind.TRIAL_ENDED, before=challenger, after=None, by=by, reason=reason, share=share
    )


def _write(
    live: LiveModel,
    kind: ModelChange.Kind,
    *,
    before: ModelVersion | None,
    after: ModelVersion | None,
    by: Any,
    reason: str,
    share: float = 0.0,
    gate: Mapping[str, Any] | None = None,
) -> None:
    """Save a changed row under its next revision, and tell of it."""
    live.revision += 1
    live.changed_by = by
    live.save()
    ModelChange.objects.create(
        site_id=live.site_id,
        kind=kind,
        before=before,
        after=after,
        share=share,
        reason=reason,
        gate=None if gate is None else dict(gate),
        revision=live.revision,
        by=by,
    )
    audit.record(
        action=f"model.{kind.value}",
        on=live,
        actor=by,
        site_id=live.site_id,
        before=before.name if before else None,
        after=after.name if after else None,
        share=share,
        reason=reason,
        revision=live.revision,
    )
    events.publish("model.changed", site=live.site_id, revision=live.revision)
