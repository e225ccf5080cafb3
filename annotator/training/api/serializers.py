"""How runs, schedules and gates look from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import serializers

from annotator.core.messages import text
from annotator.training.models import GateSettings, Schedule, TrainingRun
from annotator.training.policies import ARGUMENTS
from annotator.training.scheduling import GATE_FIELDS
from annotator.training.states import ACTIVE, Method, RunState, Trigger


class ArgumentsSerializer(serializers.Serializer[Any]):
    epochs = serializers.IntegerField(
        required=False, min_value=ARGUMENTS["epochs"][0], max_value=ARGUMENTS["epochs"][1]
    )
    views = serializers.IntegerField(
        required=False, min_value=ARGUMENTS["views"][0], max_value=ARGUMENTS["views"][1]
    )
    seed = serializers.IntegerField(
        required=False, min_value=ARGUMENTS["seed"][0], max_value=ARGUMENTS["seed"][1]
    )
    side = serializers.IntegerField(
        required=False, min_value=ARGUMENTS["side"][0], max_value=ARGUMENTS["side"][1]
    )


class StartRunSerializer(serializers.Serializer[Any]):
    project = serializers.IntegerField(help_text="Whose decisions are learned from.")
    method = serializers.ChoiceField(Method.choices, default=Method.LORA)
    arguments = ArgumentsSerializer(required=False)
    snapshot = serializers.IntegerField(
        required=False, allow_null=True, help_text="One that was made; a new one when left out."
    )


class TrainingReasonSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    params = serializers.DictField()
    message = serializers.CharField(help_text="In the caller's language.")


class DifferenceOfPartSerializer(serializers.Serializer[Any]):
    part = serializers.CharField(help_text="whole, field, category, camera, tail or gold.")
    key = serializers.CharField(allow_blank=True)
    photos = serializers.IntegerField()
    champion = serializers.FloatField(help_text="The share right, 0 to 1.")
    challenger = serializers.FloatField()
    difference = serializers.FloatField()
    low = serializers.FloatField(help_text="The 95% interval of the difference.")
    high = serializers.FloatField()


class VerdictSerializer(serializers.Serializer[Any]):
    passed = serializers.BooleanField()
    reasons = TrainingReasonSerializer(many=True)
    differences = DifferenceOfPartSerializer(many=True)


class RunVersionSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class RunSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    site = serializers.IntegerField()
    project = serializers.IntegerField()
    state = serializers.ChoiceField(RunState.choices)
    active = serializers.BooleanField()
    cancelling = serializers.BooleanField()
    method = serializers.ChoiceField(Method.choices)
    arguments = serializers.DictField()
    trigger = serializers.ChoiceField(Trigger.choices)
    trigger_facts = serializers.DictField()
    requested_by = serializers.CharField(allow_null=True)
    snapshot = serializers.IntegerField(allow_null=True)
    version = RunVersionSerializer(allow_null=True)
    champion = RunVersionSerializer(allow_null=True, help_text="What it was compared with.")
    attempt = serializers.IntegerField()
    host = serializers.CharField()
    stage = serializers.CharField(help_text="The trainer's own word for what it does.")
    done = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    figures = serializers.DictField(help_text="Of the last epoch.")
    timings_s = serializers.DictField(child=serializers.FloatField())
    passed = serializers.BooleanField(allow_null=True, help_text="The gate's verdict.")
    error = TrainingReasonSerializer(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class RunDetailSerializer(RunSerializer):
    gate = VerdictSerializer(allow_null=True)


class EpochSerializer(serializers.Serializer[Any]):
    done = serializers.IntegerField()
    loss = serializers.FloatField(allow_null=True)
    rate = serializers.FloatField(allow_null=True, help_text="The learning rate.")
    memory_mb = serializers.FloatField(allow_null=True)
    val = serializers.DictField(child=serializers.FloatField(), help_text="Figures so far.")


class CurveSerializer(serializers.Serializer[Any]):
    epochs = EpochSerializer(many=True)


class LogSerializer(serializers.Serializer[Any]):
    tail = serializers.CharField(allow_blank=True)


class SaidOfFieldSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    truth = serializers.CharField(allow_null=True)
    said = serializers.CharField(allow_null=True)
    confidence = serializers.FloatField(allow_null=True)
    right = serializers.BooleanField()


class WrongPictureSerializer(serializers.Serializer[Any]):
    image_id = serializers.CharField()
    capture = serializers.IntegerField(allow_null=True)
    thumb = serializers.CharField(allow_null=True, help_text="Where its picture is.")
    change = serializers.ChoiceField(
        ["won", "lost"], allow_null=True, help_text="Against the champion, where they differ."
    )
    group = serializers.CharField()
    fields = SaidOfFieldSerializer(many=True)


class ConfusionSerializer(serializers.Serializer[Any]):
    truth = serializers.CharField()
    said = serializers.CharField()
    count = serializers.IntegerField()


class ResultsSerializer(serializers.Serializer[Any]):
    photos = serializers.IntegerField()
    wrong = serializers.IntegerField()
    won = serializers.IntegerField()
    lost = serializers.IntegerField()
    confusions = ConfusionSerializer(many=True)
    pictures = WrongPictureSerializer(many=True)


class ScheduleSerializer(serializers.ModelSerializer[Schedule]):
    project = serializers.IntegerField(allow_null=True, help_text="Null: the site has none yet.")
    arguments = ArgumentsSerializer(required=False)

    class Meta:
        model = Schedule
        fields = (
            "project", "enabled", "method", "arguments", "timezone", "hour", "weekday",
            "new_decisions", "drift_fall", "version",
        )  # fmt: skip
        read_only_fields = ("version",)


class GateSerializer(serializers.ModelSerializer[GateSettings]):
    class Meta:
        model = GateSettings
        fields = (*GATE_FIELDS, "version")
        read_only_fields = ("version",)


def runs_json(rows: Iterable[TrainingRun]) -> list[dict[str, Any]]:
    """Runs as a list shows them. Needs what ``queries.runs_of`` selects."""
    return [run_json(row) for row in rows]


def run_json(run: TrainingRun) -> dict[str, Any]:
    columns = (
        "state", "method", "arguments", "trigger", "trigger_facts", "host", "stage", "done",
        "total", "figures", "timings_s", "created_at", "started_at", "ended_at",
    )  # fmt: skip
    return {
        "id": run.pk,
        "site": run.site_id,
        "project": run.project_id,
        "active": run.state in ACTIVE,
        "cancelling": run.cancel_requested_at is not None and run.state in ACTIVE,
        "requested_by": str(run.requested_by) if run.requested_by else None,
        "snapshot": run.snapshot_id,
        "version": _version(run.version),
        "champion": _version(run.champion),
        "attempt": run.fence,
        "passed": run.gate["passed"] if run.gate else None,
        "error": reason_json(run.error) if run.error else None,
        **{name: getattr(run, name) for name in columns},
    }


def detail_json(run: TrainingRun) -> dict[str, Any]:
    return {**run_json(run), "gate": verdict_json(run.gate) if run.gate else None}


def epoch_json(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the trainer that tells of an epoch; of its figures, those that are numbers."""
    figures = {key: line.get(key) for key in ("loss", "rate", "memory_mb")}
    val = line.get("val")
    return {
        "done": line.get("done") or 0,
        **{key: value if _is_number(value) else None for key, value in figures.items()},
        "val": {k: v for k, v in val.items() if _is_number(v)} if isinstance(val, dict) else {},
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def verdict_json(gate: Mapping[str, Any]) -> dict[str, Any]:
    """A verdict as it is kept, with its reasons in words."""
    return {**gate, "reasons": [reason_json(reason) for reason in gate["reasons"]]}


def reason_json(reason: Mapping[str, Any]) -> dict[str, Any]:
    """A code with its figures, in words as well."""
    return {**reason, "message": text(reason["code"], **reason["params"])}


def schedule_json(row: Schedule) -> dict[str, Any]:
    columns = (
        "enabled", "method", "arguments", "timezone", "hour", "weekday", "new_decisions",
        "drift_fall", "version",
    )  # fmt: skip
    return {"project": row.project_id, **{name: getattr(row, name) for name in columns}}


def _version(version: Any) -> dict[str, Any] | None:
    return {"id": version.pk, "name": version.name} if version else None
