"""Every address of the web process."""

from __future__ import annotations

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django_prometheus.exports import ExportToDjangoView
from drf_spectacular.views import SpectacularAPIView

from annotator.accounts import api as accounts
from annotator.captures import api as captures
from annotator.catalog import api as catalog
from annotator.datasets import api as datasets
from annotator.labeling.api import assignments, projects
from annotator.media import api as media
from annotator.quality import api as quality
from annotator.review import api as review
from annotator.suggestions import api as suggestions

v1 = [
    path("session", accounts.SessionView.as_view()),
    path("me", accounts.MeView.as_view()),
    path("members", accounts.MembersView.as_view()),
    path("tokens", accounts.TokensView.as_view()),
    path("tokens/<int:token_id>", accounts.TokenView.as_view()),
    path("audit", accounts.AuditView.as_view()),
    path("images/<int:image_id>/<str:variant>", media.ImageView.as_view()),
    path("captures", suggestions.CapturesView.as_view()),
    path("captures/<int:capture_id>", suggestions.CaptureView.as_view()),
    path("quarantine", captures.QuarantineView.as_view()),
    path("suggestions/refresh", suggestions.RefreshView.as_view()),
    path("skus", catalog.SkusView.as_view()),
    path("skus/autocomplete", catalog.CompleteView.as_view()),
    path("skus/<int:sku_id>", catalog.SkuView.as_view()),
    path("skus/<int:sku_id>/pictures", catalog.PicturesView.as_view()),
    path("skus/<int:sku_id>/pictures/<int:picture_id>", catalog.PictureView.as_view()),
    path("categories", catalog.CategoriesView.as_view()),
    path("catalog/import", catalog.ImportView.as_view()),
    path("projects", projects.ProjectsView.as_view()),
    path("projects/<int:project_id>", projects.ProjectView.as_view()),
    path("projects/<int:project_id>/recent", projects.RecentView.as_view()),
    path("projects/<int:project_id>/next", assignments.NextView.as_view()),
    path("projects/<int:project_id>/disputes", review.DisputesView.as_view()),
    path("projects/<int:project_id>/quality", quality.QualityView.as_view()),
    path("projects/<int:project_id>/dataset.zip", datasets.DatasetView.as_view()),
    path("assignments/<int:assignment_id>", assignments.AssignmentView.as_view()),
    path("assignments/<int:assignment_id>/draft", assignments.DraftView.as_view()),
    path("assignments/<int:assignment_id>/submit", assignments.SubmitView.as_view()),
    path("assignments/<int:assignment_id>/skip", assignments.SkipView.as_view()),
    path("assignments/<int:assignment_id>/release", assignments.ReleaseView.as_view()),
    path("annotations/<int:annotation_id>/withdraw", assignments.WithdrawView.as_view()),
    path("tasks", review.TasksView.as_view()),
    path("tasks/<int:task_id>", review.TaskView.as_view()),
    path("tasks/<int:task_id>/dispute", review.DisputeView.as_view()),
    path("tasks/<int:task_id>/decide", review.DecideView.as_view()),
    path("tasks/<int:task_id>/reject", review.RejectView.as_view()),
    path("tasks/<int:task_id>/reopen", review.ReopenView.as_view()),
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
    path("v1/recognize", suggestions.RecognizeView.as_view()),
    path("metrics", ExportToDjangoView, name="prometheus-django-metrics"),
    re_path(r"^(?!api/|v1/|static/|metrics).*$", page),
]
