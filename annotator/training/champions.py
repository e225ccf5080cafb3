"""The model hub, as a training run sees it: what is live, and handing over what was learned."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from annotator.labeling import rollout
from annotator.modelhub import queries, services
from annotator.modelhub.models import LiveModel, ModelChange, ModelVersion
from inference import bundles
from inference.contracts import RecognizerError

from .gates import Verdict
from .models import TrainingRun

log = logging.getLogger(__name__)


def live(site_id: int) -> tuple[ModelVersion | None, int | None]:
    """The champion of a site (None: the shipped base, or nothing), and the revision at which it was
    seen; no revision where nothing was ever live."""
    row: LiveModel | None = queries.live_of(site_id)
    return (row.champion, row.revision) if row else (None, None)


def live_since(site_id: int) -> datetime | None:
    """When the champion became that; None for the shipped base."""
    champion, _ = live(site_id)
    if champion is None:
        return None
    changes = ModelChange.objects.filter(
        site=site_id,
        kind__in=[ModelChange.Kind.PROMOTED, ModelChange.Kind.ROLLED_BACK],
        after=champion,
    )
    return changes.order_by("-pk").values_list("at", flat=True).first()


def base() -> Path | None:
    """The model that answers where none was promoted; None where none is set and none is shipped."""
    return bundles.base(settings.MODEL)


def is_version(folder: str) -> bool:
    """Whether ``folder`` holds a version of the hub, and not a base."""
    return Path(folder).parent == Path(settings.MODELS_DIR)


def folder_of(version: ModelVersion) -> Path:
    """Where a version's bundle lies."""
    return Path(settings.MODELS_DIR) / version.digest


def register(run: TrainingRun, folder: Path, report: Mapping[str, Any]) -> ModelVersion:
    """The run's version; the same one however often the run is carried out."""
    assert run.snapshot is not None
    champion = run.champion
    went_on_from_it = champion is not None and run.base == str(folder_of(champion))
    return services.register(
        run.site,
        folder,
        report=report,
        snapshot_digest=run.snapshot.sha256,
        run_key=f"training-{run.pk}",
        by=run.requested_by,
        parent=champion if went_on_from_it else None,
    )


def prepare(run: TrainingRun, *, beat: Callable[[], None]) -> None:
    """Have the run's version loaded beside the champion, so that nobody waits for it afterwards; where
    no recognizer answers, it is loaded when it is asked. Raises Conflict for one that is refused."""
    assert run.version is not None
    try:
        rollout.prepare(run.version, tick=lambda n: beat())
    except RecognizerError as error:
        log.warning("No recognizer answers, so %s was not prepared: %s", run.version, error)


def promote(run: TrainingRun, verdict: Verdict, *, revision: int | None) -> None:
    """Make the run's version the champion. Raises Conflict when what is live has changed since
    ``revision``: the verdict is of another champion then."""
    assert run.version is not None
    services.promote(
        run.version,
        by=run.requested_by,
        reason=f"training run {run.pk}",
        gate=verdict.to_json(),
        revision=revision,
    )
