"""Every event and who hears it; every kind of job and who does it. The whole flow of the platform can be read here."""

from __future__ import annotations

from annotator.captures import jobs as intake
from annotator.catalog import importing
from annotator.core.events import Handler, Later, Now
from annotator.core.jobs import Run
from annotator.core.outbox import BatchHandler
from annotator.datasets import jobs as exports
from annotator.datasets import snapshots
from annotator.labeling import opening, overlap, revalidation, rollout
from annotator.labeling import services as labeling
from annotator.quality import doubting, summaries
from annotator.quality import services as quality
from annotator.review import bulk, spotting
from annotator.review import services as review
from annotator.suggestions import merging, replay_jobs, weights
from annotator.suggestions import services as suggestions
from annotator.training import attempts, ordering
from annotator.training import services as training

# A task is looked at once for all that happened to it within seconds, after the ten within which an
# answer can be taken back.
MEASURE = Later("measure", quality.follow, queue="bulk", batch=500, delay_s=15.0, dedupe=("task",))

TABLE: dict[str, tuple[Handler, ...]] = {
    # accounts
    "overlap.changed": (Now(overlap.start_following),),
    # catalog
    "sku.changed": (
        Later("learn_skus", suggestions.learn_skus, batch=200, dedupe=("sku",)),
        Later("measure_skus", quality.measure_skus, queue="bulk", batch=200, dedupe=("sku",)),
    ),
    "sku.merged": (Now(merging.start_rewriting), Now(labeling.follow_merge)),
    "reference.added": (Later("learn_reference", suggestions.learn_reference, batch=8),),
    "reference.removed": (Later("forget_reference", suggestions.forget_reference),),
    # modelhub
    "model.registered": (),
    "model.changed": (
        Now(rollout.start_following),
        # Once the suggestions that come first have followed.
        Later("order_waiting", ordering.order_waiting, delay_s=60.0, dedupe=("site",)),
    ),
    # captures
    "intake.asked": (Now(opening.check_destination),),
    "capture.created": (
        Now(suggestions.await_suggestions, many=True),
        Now(weights.take_over, many=True),
        Later("suggest", suggestions.suggest_for_captures, batch=8, dedupe=("capture",)),
    ),
    "capture.weighed": (
        Later(
            "measure_weighed", quality.measure_weighed, queue="bulk", batch=500, dedupe=("capture",)
        ),
    ),
    "capture.offered": (Now(opening.open_tasks, many=True),),
    # suggestions
    "suggestion.stored": (Now(labeling.prepare_tasks),),
    "describer.changed": (
        Later("describe_anew", suggestions.describe_anew, dedupe=("site",)),
        Later("reteach", review.reteach, dedupe=("site",)),
    ),
    # labeling
    "task.answered": (Now(review.settle_task),),
    "task.skipped_out": (Now(review.dispute_skipped),),
    "gold.answered": (
        MEASURE,
        # Told at once, it would be known for what it is.
        Later("tell_gold", spotting.tell_gold, queue="bulk", batch=50, delay_s=6 * 3600.0),
    ),
    "annotation.withdrawing": (Now(review.retract_agreed), MEASURE),
    # review
    "dispute.opened": (MEASURE,),
    "decision.made": (
        Later("teach", review.teach, queue="urgent", batch=8, dedupe=("task",)),
        MEASURE,
    ),
    # Imports come in thousands: they wait behind what people do now.
    "decision.imported": (
        Later("teach", review.teach, batch=8, dedupe=("task",)),
        MEASURE,
    ),
    "decision.retracted": (
        Later("teach", review.teach, queue="urgent", batch=8, dedupe=("task",)),
        MEASURE,
    ),
    "task.sent_back": (MEASURE,),
    "spot.checked": (MEASURE,),
    # quality
    "caption.unchecked": (
        Later("check_captions", quality.check_captions, queue="bulk", batch=20, dedupe=("task",)),
    ),
    "tasks.measured": (
        Later(
            "summarise",
            summaries.summarise_projects,
            queue="bulk",
            delay_s=60.0,
            dedupe=("project",),
        ),
    ),
    # The pause lets the recognizer refit what it learned before it is asked again.
    "scenes.taught": (
        Later(
            "refresh_suggestions",
            labeling.refresh_suggestions,
            delay_s=10.0,
            dedupe=("project",),
        ),
    ),
}

JOBS: dict[str, Run] = {
    overlap.JOB: overlap.follow_overlap,
    "revalidate_answers": revalidation.revalidate_answers,
    intake.TAKE_IN: intake.run_take_in,
    importing.KIND: importing.run_import,
    merging.KIND: merging.run_rewriting,
    rollout.PROMOTE: rollout.run_promotion,
    rollout.TRY: rollout.run_trial,
    rollout.FOLLOW: rollout.follow,
    replay_jobs.KIND: replay_jobs.run_replay,
    bulk.KIND: bulk.run_bulk,
    exports.KIND: exports.run_export,
    snapshots.KIND: snapshots.run_snapshot,
    doubting.KIND: doubting.find_doubts,
}

# What is asked for by name, not by an event.
WORK: dict[str, BatchHandler] = {
    training.HANDLER: attempts.run_training,
}
