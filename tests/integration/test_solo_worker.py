"""A worker that recognizes by itself: one setting, no inference server."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from annotator.settings.env import Env
from annotator.suggestions import recognizer
from tests.factories import picture_bytes

ROOT = Path(django_settings.BASE_DIR)
WITHIN_S = 180


def test_the_setting_says_what_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WAREVISION_HOME", str(tmp_path))
    monkeypatch.setenv("INFERENCE_URL", "http://gpu-1:8001, http://gpu-2:8001")
    assert Env().recognizer_options == {"base_url": ["http://gpu-1:8001", "http://gpu-2:8001"]}
    monkeypatch.delenv("INFERENCE_URL")
    assert Env().recognizer_options == {"base_url": ["http://127.0.0.1:8001"]}
    monkeypatch.setenv("WAREVISION_RECOGNIZER", "inference.local.LocalRecognizer")
    assert Env().recognizer_options == {
        "sites_dir": tmp_path / "sites",
        "models_dir": tmp_path / "models",
        "model": None,
    }
    monkeypatch.setenv("WAREVISION_RECOGNIZER", "inference.remote.VlmRecognizer")
    monkeypatch.setenv("WAREVISION_VLM_URL", "http://vlm:8000/v1")
    monkeypatch.setenv("WAREVISION_VLM_MODEL", "qwen")
    monkeypatch.setenv("WAREVISION_EGRESS_ALLOW", "vlm,10.0.0.0/8")
    assert Env().recognizer_options == {
        "sites_dir": tmp_path / "sites",
        "base_url": "http://vlm:8000/v1",
        "vlm": "qwen",
        "allow": ["vlm", "10.0.0.0/8"],
    }


class Slow:
    """Takes its time to load, as models do."""

    made = 0

    def __init__(self) -> None:
        time.sleep(0.05)
        type(self).made += 1


def test_models_are_loaded_once_however_many_threads_ask(settings: Any) -> None:
    settings.RECOGNIZER, settings.RECOGNIZER_OPTIONS = f"{__name__}.Slow", {}
    recognizer.forget_recognizer()
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(recognizer.get_recognizer())) for _ in range(8)
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        recognizer.forget_recognizer()
    assert len(found) == 8 and len({id(one) for one in found}) == 1 and Slow.made == 1


def test_a_solo_worker_recognizes_without_a_server(tmp_path: Path) -> None:
    home, photos = tmp_path / "home", tmp_path / "photos"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(picture_bytes(1))
    environment = {
        **{k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "BROKER_URL")},
        "DJANGO_SETTINGS_MODULE": "annotator.settings.dev",
        "WAREVISION_HOME": str(home),
        "WAREVISION_RECOGNIZER": "inference.local.LocalRecognizer",
        # Nobody answers there.
        "INFERENCE_URL": "http://127.0.0.1:9",
        "OMP_NUM_THREADS": "1",
    }
    manage = [sys.executable, str(ROOT / "manage.py")]
    for command in (
        ["migrate", "-v", "0"],
        ["ingest", str(photos), "--site", "depot", "--project", "main", "--json"],
    ):
        subprocess.run([*manage, *command], env=environment, check=True, capture_output=True)
    log = (tmp_path / "worker.log").open("wb+")
    worker = subprocess.Popen(
        [
            *(sys.executable, "-m", "celery", "-A", "annotator.celery", "worker"),
            *("-P", "solo", "-B", "-s", str(tmp_path / "beat"), "-Q", "urgent,normal"),
            *("-l", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"),
        ],
        cwd=ROOT,
        env=environment,
        stdout=log,
        stderr=log,
    )
    try:
        deadline = time.monotonic() + WITHIN_S
        while not (done := suggested(home / "warevision.sqlite3")):
            assert worker.poll() is None and time.monotonic() < deadline, _read(log)
            time.sleep(0.2)
    finally:
        worker.terminate()
        worker.wait(30)
    ((state, version),) = done
    assert state == "done" and "rapidocr" in version


def suggested(database: Path) -> list[tuple[str, str]]:
    """What became of each photo that is no longer waiting, and who said so."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30) as connection:
        return connection.execute(
            "SELECT state, model_version FROM suggestions_capturesuggestion "
            "JOIN suggestions_suggestion ON suggestions_suggestion.id = current_id"
        ).fetchall()


def _read(log: Any) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")[-3000:]
