"""Reading figures: sums of rollups, with their intervals, thresholds and trends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, F, FloatField, Q, QuerySet, Sum, Value
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Cast
from django.utils import timezone

from annotator.accounts.models import Project, User
from annotator.labeling.models import Annotation, Batch
from annotator.labeling.schemas import schema_of
from annotator.review.models import Dispute, SpotCheck

from . import intervals, overlap
from .facts import week_of
from .metrics import TILES, Metric, is_of_answers, metric_of
from .models import Dimension, Fact, Rollup, Summary

TREND_DAYS = 30
SPOT = "spot_check_error"
SHOWN = (*(metric.key for metric in TILES), SPOT)
"""The tiles, in their order."""


@dataclass(frozen=True, slots=True)
class Sums:
    """The sums of some readings: their number, total and total of squares."""

    n: int = 0
    total: int = 0
    squares: int = 0

    def figure(self, metric: Metric) -> dict[str, Any]:
        """The mean with its 95% interval, in the metric's unit."""
        interval = (
            intervals.wilson(self.total, self.n)
            if metric.share
            else intervals.of_sums(self.n, self.total, self.squares)
        )
        value = metric.value(self.total, self.n)
        return {
            "value": None if value is None else round(value, 2),
            "count": self.n,
            "interval": [round(metric.bound(b), 2) for b in interval] if interval else None,
        }


def report(project: Project, *, since: date | None = None) -> dict[str, Any]:
    """Everything that the quality page of a project shows at first; of what was measured from
    ``since`` on."""
    sums = _sums(project, Dimension.ALL, since=since).get("", {})
    days = _by_day(project, since)
    summary = Summary.objects.filter(project=project).first()
    return {
        "computed_at": timezone.now(),
        "metrics": [
            *(_tile(project, m, sums.get(m.key, Sums()), days.get(m.key, {})) for m in TILES),
            _spot_tile(project, since, days.get(SPOT, {})),
        ],
        "fields": _fields(project, sums, summary),
        "annotators": people(project, since=since),
        "anchoring": anchoring(sums),
        "overlap": overlap.overlap(
            project,
            share=sums.get("single", Sums()).figure(metric_of("single"))["value"],
            checked=sums.get(f"{SPOT}@single", Sums()).figure(metric_of(SPOT)),
        ),
        "disputes": _disputes(project),
        "throughput": _throughput(days),
    }


def _sums(
    project: Project,
    dimension: Dimension,
    *,
    since: date | None = None,
    metrics: Iterable[str] | None = None,
    key: str | None = None,
) -> dict[str, dict[str, Sums]]:
    """The sums by key and metric."""
    rows = Rollup.objects.filter(project=project, dimension=dimension)
    if since is not None:
        rows = rows.filter(day__gte=since)
    if metrics is not None:
        rows = rows.filter(metric__in=list(metrics))
    if key is not None:
        rows = rows.filter(key=key)
    found: dict[str, dict[str, Sums]] = defaultdict(dict)
    totals = rows.order_by().values_list("key", "metric")
    for at, metric, n, total, squares in totals.annotate(Sum("n"), Sum("total"), Sum("squares")):
        if n:
            found[at][metric] = Sums(int(n), int(total), int(squares))
    return found


def _by_day(project: Project, since: date | None) -> dict[str, dict[date, Sums]]:
    """The last days' sums by metric."""
    rows = Rollup.objects.filter(project=project, dimension=Dimension.ALL, n__gt=0)
    rows = rows.filter(metric__in=[*SHOWN])
    if since is not None:
        rows = rows.filter(day__gte=since)
    last = list(rows.order_by("-day").values_list("day", flat=True).distinct()[:TREND_DAYS])
    found: dict[str, dict[date, Sums]] = defaultdict(dict)
    if last:
        kept = rows.filter(day__gte=last[-1]).order_by("day")
        for metric, day, *sums in kept.values_list("metric", "day", "n", "total", "squares"):
            found[metric][day] = Sums(*sums)
    return found


def _tile(
    project: Project, metric: Metric, sums: Sums, days: Mapping[date, Sums]
) -> dict[str, Any]:
    return _judged(project, metric, sums.figure(metric), note="", trend=_trend(metric, days))


def _judged(
    project: Project, metric: Metric, figure: Mapping[str, Any], **more: Any
) -> dict[str, Any]:
    """A figure against what the project asks."""
    threshold = threshold_of(project, metric.key)
    value, passes = figure["value"], None
    if value is not None and threshold is not None:
        passes = value >= threshold if metric.better == "up" else value <= threshold
    return {
        "key": metric.key,
        "unit": metric.unit,
        "better": metric.better,
        "threshold": threshold,
        "passes": passes,
        **figure,
        **more,
    }


def threshold_of(project: Project, key: str) -> float | None:
    """What passes of a metric in a project."""
    if key == "agreement":
        return round(project.threshold * 100, 1)
    return project.rules.threshold(key)


def _trend(metric: Metric, days: Mapping[date, Sums]) -> list[dict[str, Any]]:
    return [
        {
            "day": day.isoformat(),
            "value": round(sums.total / sums.n / metric.per, 2),
            "count": sums.n,
        }
        for day, sums in sorted(days.items())
    ]


def _spot_tile(project: Project, since: date | None, days: Mapping[date, Sums]) -> dict[str, Any]:
    """The error among agreed decisions, estimated from the spot checks: each counts for as many as it
    was drawn from."""
    metric = metric_of(SPOT)
    rows = SpotCheck.objects.filter(project=project, checked_at__isnull=False)
    rows = rows.exclude(stratum=SpotCheck.DOUBTED)
    if since is not None:
        rows = rows.filter(checked_at__date__gte=since)
    weight = Cast(Value(1.0), FloatField()) / F("share")
    found = rows.annotate(weight=weight).aggregate(
        n=Count("pk"),
        all=Sum("weight"),
        squared=Sum(F("weight") * F("weight")),
        wrong=Sum("weight", filter=Q(wrong=True)),
    )
    wrong = found["wrong"] or 0.0
    interval = (
        intervals.wilson_of_weighted(wrong, found["all"], found["squared"]) if found["n"] else None
    )
    figure = {
        "value": round(100 * wrong / found["all"], 2) if found["n"] else None,
        "count": found["n"],
        "interval": [round(100 * bound, 2) for bound in interval] if interval else None,
    }
    note = "" if found["n"] else "no_spot_checks"
    return _judged(project, metric, figure, note=note, trend=_trend(metric, days))


def _fields(
    project: Project, sums: Mapping[str, Sums], summary: Summary | None
) -> list[dict[str, Any]]:
    beyond = summary.figures.get("fields", {}) if summary else {}
    rows = []
    for f in schema_of(project).fields:
        metric = metric_of(f"agree:{f.key}")
        agreement = sums.get(metric.key, Sums()).figure(metric)
        chance = beyond.get(f.key, {})
        rows.append(
            {
                "key": f.key,
                "agreement": agreement["value"],
                "interval": agreement["interval"],
                "count": agreement["count"],
                "alpha": chance.get("alpha"),
                "alpha_interval": chance.get("alpha_interval"),
                "kappa": chance.get("kappa"),
            }
        )
    iou = metric_of("iou")
    figure = sums.get("iou", Sums()).figure(iou)
    if figure["count"]:
        rows.append(
            {
                "key": "boxes",
                "agreement": figure["value"],
                "interval": figure["interval"],
                "count": figure["count"],
                "alpha": None,
                "alpha_interval": None,
                "kappa": None,
            }
        )
    return rows


FEW = 30
"""Below so many judged answers nobody is ranked."""


def people(project: Project, *, since: date | None = None) -> list[dict[str, Any]]:
    """What is known of each annotator, those with the most answers first."""
    wanted = ("time", "agreement", "right", "gold", "accepted")
    found = _sums(project, Dimension.ANNOTATOR, since=since, metrics=wanted)
    names = names_of(int(key) for key in found)
    rows = []
    for key, sums in found.items():
        figures = {name: sums.get(name, Sums()).figure(metric_of(name)) for name in wanted}
        rows.append(
            {
                "id": int(key),
                "name": names.get(int(key), key),
                "annotations": figures["time"]["count"],
                "mean_active_seconds": figures["time"]["value"],
                "agreement": figures["agreement"],
                "right": figures["right"],
                "gold": figures["gold"],
                "accepted": figures["accepted"],
                "low_evidence": figures["gold"]["count"] < FEW and figures["right"]["count"] < FEW,
            }
        )
    return sorted(rows, key=lambda row: -row["annotations"])


def names_of(ids: Iterable[int]) -> dict[int, str]:
    """People's names by their ids."""
    return {user.pk: str(user) for user in User.objects.filter(pk__in=list(ids))}


ARMS = ("shown", "delayed", "withheld")
"""What an answer may have had of the suggestion."""


def anchoring(sums: Mapping[str, Sums]) -> dict[str, Any]:
    """What seeing the suggestion does to people: figures with it, with it later and without it, and how much of the
    agreement is two people accepting the same one."""

    def figure(key: str) -> dict[str, Any]:
        return sums.get(key, Sums()).figure(metric_of(key))

    return {
        "compared": [
            {"key": key, **{arm: figure(f"{key}@{arm}") for arm in ARMS}}
            for key in ("right", "gold", "agreement", "time")
        ],
        "together": figure("together"),
        "spot_checked": {
            "together": figure(f"{SPOT}@together"),
            "independent": figure(f"{SPOT}@independent"),
        },
    }


def _disputes(project: Project) -> dict[str, int]:
    rows = Dispute.objects.filter(project=project)
    found = rows.aggregate(all=Count("pk"), open=Count("pk", filter=Q(closed_at=None)))
    return {"open": found["open"], "decided": found["all"] - found["open"]}


def _throughput(days: Mapping[str, Mapping[date, Sums]]) -> list[dict[str, Any]]:
    answered, decided = days.get("time", {}), days.get("completeness_decided", {})
    return [
        {
            "day": day.isoformat(),
            "annotations": answered.get(day, Sums()).n,
            "decided": decided.get(day, Sums()).n,
        }
        for day in sorted({*answered, *decided})
    ]


# --- where does it come from ---------------------------------------------------------------------


def breakdown(
    project: Project, *, metric: str, by: str, since: date | None = None
) -> list[dict[str, Any]]:
    """A metric by batch, category, camera, annotator, reviewer or week, each with its interval; those
    with the most evidence first, weeks in their order."""
    kind = metric_of(metric)
    if by == "week":
        found = _by_week(project, since, metric=metric).get(metric, {})
    else:
        sums = _sums(project, Dimension(by), since=since, metrics=[metric])
        found = {key: by_metric[metric] for key, by_metric in sums.items()}
    rows = _rows(project, kind, found, _labels(by, found))
    return sorted(rows, key=_place) if by == "week" else rows


def _rows(
    project: Project, kind: Metric, found: Mapping[str, Sums], labels: Mapping[str, str]
) -> list[dict[str, Any]]:
    """A metric at each place, those with the most evidence first."""
    rows = [
        _judged(project, kind, sums.figure(kind), at=key, label=labels.get(key, key))
        for key, sums in found.items()
    ]
    return sorted(rows, key=lambda row: -row["count"])


def _place(row: Mapping[str, Any]) -> str:
    return str(row["at"])


def _by_week(
    project: Project, since: date | None, *, metric: str | None = None
) -> dict[str, dict[str, Sums]]:
    """The sums by metric (of one only) and week."""
    rows = Rollup.objects.filter(project=project, dimension=Dimension.ALL, n__gt=0)
    if metric is not None:
        rows = rows.filter(metric=metric)
    if since is not None:
        rows = rows.filter(day__gte=since)
    weeks: dict[str, dict[str, Sums]] = defaultdict(dict)
    for name, day, n, total, squares in rows.values_list("metric", "day", "n", "total", "squares"):
        week = week_of(day).isoformat()
        so_far = weeks[name].get(week, Sums())
        weeks[name][week] = Sums(so_far.n + n, so_far.total + total, so_far.squares + squares)
    return weeks


def _labels(by: str, keys: Iterable[str]) -> Mapping[str, str]:
    if by in (Dimension.ANNOTATOR, Dimension.REVIEWER):
        return {str(pk): name for pk, name in names_of(map(int, keys)).items()}
    if by == Dimension.BATCH:
        rows = Batch.objects.filter(pk__in=[int(key) for key in keys])
        return {str(pk): name for pk, name in rows.values_list("pk", "name")}
    return {}


def facts_behind(
    project: Project,
    *,
    metric: str,
    by: str = "",
    at: str = "",
    flawed: bool = False,
    since: date | None = None,
) -> QuerySet[Fact]:
    """The facts that a figure is made of, or those of them that leave something to look at. For
    metrics without a best value, those beyond the threshold."""
    kind = metric_of(metric)
    rows = Fact.objects.filter(project=project, readings__has_key=metric)
    if since is not None:
        rows = rows.filter(day__gte=since)
    if by and at:
        rows = rows.filter(_in_place(by, at, metric))
    if flawed:
        bound, below = kind.flawless, kind.better == "up"
        if bound is None:
            bound = round((threshold_of(project, metric.partition("@")[0]) or 0) * kind.per)
        rows = rows.annotate(reading=KeyTransform(metric, "readings"))
        rows = rows.filter(**{f"reading__{'lt' if below else 'gt'}": bound})
    return rows.select_related("task__project", "annotation")


def _in_place(by: str, at: str, metric: str) -> Q:
    match by:
        case "batch" | "reviewer":
            return Q(**{by: int(at)}) if at.isdigit() else Q(pk=None)
        case "category":
            return Q(category=at)
        case "camera":
            return Q(cameras__contains=f",{at},")
        case "annotator":
            if not at.isdigit():
                return Q(pk=None)
            if is_of_answers(metric):
                return Q(author=int(at), author__gt=0)
            return Q(task__in=Annotation.objects.filter(author=int(at)).values("task"))
        case _:
            monday = date.fromisoformat(at)
            return Q(day__gte=monday, day__lt=monday + timedelta(days=7))


def lines_of(project: Project, since: date | None = None) -> Iterable[Sequence[Any]]:
    """Every figure as a line of a table: metric, by what, where, count, value, interval, threshold,
    whether it passes."""
    yield ["metric", "by", "at", "count", "value", "low", "high", "unit", "threshold", "passes"]
    sums = _sums(project, Dimension.ALL, since=since).get("", {})
    shown = [*SHOWN, *sorted(set(sums) - set(SHOWN))]
    whole = {row["key"]: row for row in report(project, since=since)["metrics"]}
    for key in shown:
        metric = metric_of(key)
        figure = whole.get(key) or _judged(project, metric, sums.get(key, Sums()).figure(metric))
        yield _line(figure, "all", "")
    for by in (d for d in Dimension if d != Dimension.ALL):
        places = _sums(project, by, since=since)
        labels = _labels(by, places)
        for key in shown:
            found = {at: of[key] for at, of in places.items() if key in of}
            for row in _rows(project, metric_of(key), found, labels):
                yield _line(row, by.value, row["label"])
    weeks = _by_week(project, since)
    for key in shown:
        for row in sorted(_rows(project, metric_of(key), weeks.get(key, {}), {}), key=_place):
            yield _line(row, "week", row["label"])


def _line(row: Mapping[str, Any], by: str, at: str) -> Sequence[Any]:
    low, high = row["interval"] or (None, None)
    return [
        row["key"], by, at, row["count"], row["value"], low, high, row["unit"], row["threshold"],
        row["passes"],
    ]  # fmt: skip
