"""Every event and who hears it. The whole flow of the platform can be read here."""

from __future__ import annotations

from annotator.core.events import Handler, Later, Now
from annotator.labeling import services as labeling
from annotator.review import services as review
from annotator.suggestions import services as suggestions

TABLE: dict[str, tuple[Handler, ...]] = {
    # catalog
    "sku.changed": (Later("learn_skus", suggestions.learn_skus, batch=200, dedupe=("sku",)),),
    "reference.added": (Later("learn_reference", suggestions.learn_reference, batch=8),),
    "reference.removed": (Later("forget_reference", suggestions.forget_reference),),
    # captures
    "capture.created": (
        Now(suggestions.await_suggestion),
        Later("suggest", suggestions.suggest_for_captures, batch=8, dedupe=("capture",)),
    ),
    "capture.offered": (Now(labeling.open_task),),
    # suggestions
    "suggestion.stored": (Now(labeling.prepare_tasks),),
    "describer.changed": (
        Later("describe_anew", suggestions.describe_anew, dedupe=("site",)),
        Later("reteach", review.reteach, dedupe=("site",)),
    ),
    # labeling
    "task.answered": (Now(review.settle_task),),
    "task.skipped_out": (Now(review.dispute_skipped),),
    "annotation.withdrawing": (Now(review.retract_agreed),),
    # review
    "dispute.opened": (),
    "decision.made": (Later("teach", review.teach, queue="urgent", batch=8, dedupe=("task",)),),
    # Imports come in thousands: they wait behind what people do now.
    "decision.imported": (Later("teach", review.teach, batch=8, dedupe=("task",)),),
    "decision.retracted": (
        Later("teach", review.teach, queue="urgent", batch=8, dedupe=("task",)),
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
