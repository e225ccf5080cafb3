"""Every address of the web process."""

from __future__ import annotations

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from annotator.accounts import saved
from annotator.accounts.api import audit, members, session, sites, tokens
from annotator.captures.api import intake, quarantine, weights
from annotator.catalog.api import categories, imports, skus
from annotator.datasets import api as datasets
from annotator.labeling.api import (
    assignments,
    batches,
    editing,
    groups,
    limits,
    lookalikes,
    projects,
)
from annotator.media import api as media
from annotator.modelhub import api as models
from annotator.pipeline import api as pipeline
from annotator.quality.api import arms, behind, doubts, figures, people
from annotator.review.api import desk, disputes, feedback, gold, spotchecks, tasks
from annotator.suggestions.api import captures as suggestions
from annotator.suggestions.api import machine, stored
from annotator.training.api import rules as training_rules
from annotator.training.api import runs as training

v1 = [
    path("session", session.SessionView.as_view()),
    path("me", session.MeView.as_view()),
    path("members", members.MembersView.as_view()),
    path("members/<int:user_id>", members.MemberView.as_view()),
    path("members/<int:user_id>/password", members.MemberPasswordView.as_view()),
    path("members/<int:user_id>/limits", limits.LimitsView.as_view()),
    path("tokens", tokens.TokensView.as_view()),
    path("tokens/<int:token_id>", tokens.TokenView.as_view()),
    path("sites/<int:site_id>/settings", sites.SiteSettingsView.as_view()),
    path("sites/<int:site_id>/training/runs", training.RunsView.as_view()),
    path("sites/<int:site_id>/training/runs/<int:run_id>", training.RunView.as_view()),
    path("sites/<int:site_id>/training/runs/<int:run_id>/cancel", training.CancelRunView.as_view()),
    path("sites/<int:site_id>/training/runs/<int:run_id>/retry", training.RetryRunView.as_view()),
    path("sites/<int:site_id>/training/runs/<int:run_id>/curve", training.CurveView.as_view()),
    path("sites/<int:site_id>/training/runs/<int:run_id>/log", training.LogView.as_view()),
    path("sites/<int:site_id>/training/runs/<int:run_id>/results", training.ResultsView.as_view()),
    path("sites/<int:site_id>/training/schedule", training_rules.ScheduleView.as_view()),
    path("sites/<int:site_id>/training/gate", training_rules.GateView.as_view()),
    path("sites/<int:site_id>/models", models.ModelsView.as_view()),
    path("sites/<int:site_id>/models/live", models.LiveModelView.as_view()),
    path("sites/<int:site_id>/models/arms", arms.ArmsView.as_view()),
    path("sites/<int:site_id>/models/rollback", models.RollbackView.as_view()),
    path("sites/<int:site_id>/models/trial", models.TrialView.as_view()),
    path("sites/<int:site_id>/models/<int:version_id>", models.ModelView.as_view()),
    path("sites/<int:site_id>/models/<int:version_id>/promote", models.PromoteView.as_view()),
    path("sites/<int:site_id>/answers", stored.StoredAnswersView.as_view()),
    path("sites/<int:site_id>/answers/<int:answer_id>", stored.StoredAnswerView.as_view()),
    path("sites/<int:site_id>/answers/<int:answer_id>/replay", stored.ReplayAnswerView.as_view()),
    path("models/<int:version_id>/compare", models.CompareView.as_view()),
    path("views", saved.SavedViewsView.as_view()),
    path("views/<int:view_id>", saved.OneSavedView.as_view()),
    path("audit", audit.AuditView.as_view()),
    path("images/<int:image_id>/<str:variant>", media.ImageView.as_view()),
    path("captures", suggestions.CapturesView.as_view()),
    path("captures/<int:capture_id>", suggestions.CaptureView.as_view()),
    path("captures/groups", groups.GroupsView.as_view()),
    path("captures/groups/<int:group_id>", groups.GroupView.as_view()),
    path("captures/weights", weights.WeightsView.as_view()),
    path("captures/known", intake.KnownView.as_view()),
    path("captures/zip", intake.ZipView.as_view()),
    path("captures/urls", intake.UrlsView.as_view()),
    path("captures/sources", intake.SourcesView.as_view()),
    path("quarantine", quarantine.QuarantineView.as_view()),
    path("quarantine/reasons", quarantine.ReasonsView.as_view()),
    path("quarantine/dismiss", quarantine.DismissView.as_view()),
    path("sites/<int:site_id>/quarantine.csv", quarantine.QuarantineListView.as_view()),
    path("suggestions/refresh", suggestions.RefreshView.as_view()),
    path("skus", skus.SkusView.as_view()),
    path("skus/autocomplete", skus.CompleteView.as_view()),
    path("skus/<int:sku_id>", skus.SkuView.as_view()),
    path("skus/<int:sku_id>/pictures", skus.PicturesView.as_view()),
    path("skus/<int:sku_id>/pictures/<int:picture_id>", skus.PictureView.as_view()),
    path("skus/<int:sku_id>/merge", skus.MergeView.as_view()),
    path("categories/<int:category_id>", categories.CategoryView.as_view()),
    path("categories", categories.CategoriesView.as_view()),
    path("catalog/import", imports.ImportView.as_view()),
    path("projects", projects.ProjectsView.as_view()),
    path("projects/<int:project_id>", projects.ProjectView.as_view()),
    path("projects/<int:project_id>/clone", editing.CloneView.as_view()),
    path("projects/<int:project_id>/schema/plan", editing.SchemaPlanView.as_view()),
    path("projects/<int:project_id>/guide/read", editing.GuideReadView.as_view()),
    path("projects/<int:project_id>/guide/pictures", editing.GuidePicturesView.as_view()),
    path("projects/<int:project_id>/batches", batches.BatchesView.as_view()),
    path("batches/<int:batch_id>", batches.BatchView.as_view()),
    path("projects/<int:project_id>/recent", projects.RecentView.as_view()),
    path("projects/<int:project_id>/next", assignments.NextView.as_view()),
    path("projects/<int:project_id>/lookalikes", lookalikes.LookalikesView.as_view()),
    path("projects/<int:project_id>/lookalikes/keep", lookalikes.KeepLookalikesView.as_view()),
    path(
        "projects/<int:project_id>/lookalikes/give-back",
        lookalikes.GiveBackLookalikesView.as_view(),
    ),
    path("sites/<int:site_id>/next", assignments.NextOnSiteView.as_view()),
    path("projects/<int:project_id>/disputes", disputes.DisputesView.as_view()),
    path("projects/<int:project_id>/disputes/summary", disputes.SummaryView.as_view()),
    path("projects/<int:project_id>/disputes/trivial", disputes.TrivialView.as_view()),
    path("projects/<int:project_id>/tasks/bulk", tasks.BulkView.as_view()),
    path("projects/<int:project_id>/quality", figures.QualityView.as_view()),
    path("projects/<int:project_id>/quality/breakdown", figures.BreakdownView.as_view()),
    path("projects/<int:project_id>/quality/tasks", behind.FactsView.as_view()),
    path("projects/<int:project_id>/quality/doubts", doubts.DoubtsView.as_view()),
    path("projects/<int:project_id>/quality.csv", figures.QualityTableView.as_view()),
    path("projects/<int:project_id>/quality/people/<int:user_id>", people.PersonView.as_view()),
    path(
        "projects/<int:project_id>/quality/people/<int:user_id>/standing",
        people.StandingView.as_view(),
    ),
    path("projects/<int:project_id>/my-quality", people.OwnQualityView.as_view()),
    path("projects/<int:project_id>/gold", gold.GoldImportView.as_view()),
    path("projects/<int:project_id>/spot-checks", spotchecks.SpotChecksView.as_view()),
    path("spot-checks/<int:spot_check_id>", spotchecks.SpotCheckView.as_view()),
    path("tasks/<int:task_id>/gold", spotchecks.GoldView.as_view()),
    path("projects/<int:project_id>/dataset.zip", datasets.DatasetView.as_view()),
    path("projects/<int:project_id>/snapshots", datasets.SnapshotsView.as_view()),
    path("snapshots/<int:snapshot_id>", datasets.SnapshotView.as_view()),
    path("snapshots/<int:snapshot_id>/diff/<int:other_id>", datasets.DifferenceView.as_view()),
    path("assignments/<int:assignment_id>", assignments.AssignmentView.as_view()),
    path("assignments/<int:assignment_id>/draft", assignments.DraftView.as_view()),
    path("assignments/<int:assignment_id>/submit", assignments.SubmitView.as_view()),
    path("assignments/<int:assignment_id>/skip", assignments.SkipView.as_view()),
    path("assignments/<int:assignment_id>/extend", assignments.ExtendView.as_view()),
    path("assignments/<int:assignment_id>/suggestion", assignments.RevealView.as_view()),
    path("assignments/<int:assignment_id>/release", assignments.ReleaseView.as_view()),
    path("annotations/<int:annotation_id>", assignments.OwnAnswerView.as_view()),
    path("annotations/<int:annotation_id>/withdraw", assignments.WithdrawView.as_view()),
    path("pulse", pipeline.PulseView.as_view()),
    path("jobs", pipeline.JobsView.as_view()),
    path("jobs/<int:job_id>", pipeline.JobView.as_view()),
    path("jobs/<int:job_id>/file", pipeline.JobFileView.as_view()),
    path("jobs/<int:job_id>/cancel", pipeline.CancelJobView.as_view()),
    path("tasks", tasks.TasksView.as_view()),
    path("tasks/<int:task_id>", tasks.TaskView.as_view()),
    path("tasks/<int:task_id>/dispute", desk.DisputeView.as_view()),
    path("tasks/<int:task_id>/decide", desk.DecideView.as_view()),
    path("tasks/<int:task_id>/send-back", desk.SendBackView.as_view()),
    path("tasks/<int:task_id>/reject", desk.RejectView.as_view()),
    path("tasks/<int:task_id>/reopen", desk.ReopenView.as_view()),
    path("feedback", feedback.FeedbackListView.as_view()),
    path("feedback/<int:feedback_id>", feedback.FeedbackView.as_view()),
    path("feedback/read", feedback.FeedbackReadView.as_view()),
]


def page(request: HttpRequest) -> FileResponse | HttpResponse:
    """The browser application: one page for every address that is not the API's."""
    index = settings.FRONTEND_DIST / "index.html"
    if not index.is_file():
        return HttpResponse("The front end is not built: make frontend", status=503)
    response = FileResponse(index.open("rb"), content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    return response


urlpatterns = [
    path("api/v1/", include(v1)),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("v1/recognize", machine.RecognizeView.as_view()),
    path("v1/similar", machine.SimilarView.as_view()),
    re_path(r"^(?!api/|v1/|static/|metrics).*$", page),
]
