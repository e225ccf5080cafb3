"""The files of the compose set-up: what alerts and the dashboard ask for is what the processes tell."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django_prometheus.middleware import Metrics as DjangoMetrics
from prometheus_client import REGISTRY, generate_latest

from inference.serving.app import RecognizerServer
from inference.serving.settings import ServerSettings

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "warevision.json"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"


def told() -> set[str]:
    """The names of all series of the recognizer and of the web process."""
    DjangoMetrics.get_instance()
    server = RecognizerServer(ServerSettings(sites=Path()))
    text = (server.metrics.render() + generate_latest(REGISTRY)).decode()
    names = {"up"}
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        names.add(name)
        if kind == "histogram":
            names |= {f"{name}_{part}" for part in ("bucket", "sum", "count")}
    return names


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    return asked + [rule["expr"] for rule in alerts()]


@pytest.mark.parametrize("expression", expressions())
def test_only_what_is_told_is_asked(expression: str) -> None:
    names = set(re.findall(r"\b(?:warevision_recognizer|django)_\w+|\bup\b", expression))
    assert names and names <= told()
    assert expression.count("(") == expression.count(")")


def test_alerts_say_what_is_wrong() -> None:
    names = [rule["alert"] for rule in alerts()]
    assert len(names) == len(set(names)) and len(names) > 8
    for rule in alerts():
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["labels"]["severity"] in ("page", "look")


def test_the_files_name_each_other() -> None:
    services = {}
    for name in ("docker-compose.yml", "docker-compose.watch.yml"):
        services |= yaml.safe_load((ROOT / name).read_text())["services"]
    mounted = [v.split(":")[0] for s in services.values() for v in s.get("volumes", ())]
    for source in mounted:
        assert not source.startswith("./") or (ROOT / source).is_dir()
    jobs = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    assert {job["job_name"] for job in jobs["scrape_configs"]} <= set(services)
    assert "WAREVISION_SECRET_KEY" not in services["recognizer"]["environment"]
