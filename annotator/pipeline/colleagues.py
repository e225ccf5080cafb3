"""Simulated colleagues: annotators and reviewers who work through the real API.

They know the truth of rendered scenes and err at given rates, so that a newcomer meets agreed tasks,
disputes and a quality page with life in it, and so that load comes from what people really do.
"""

from __future__ import annotations

import json
import random
import statistics
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from inference.captions import GRADES, parse, parse_quantity, values_to_json
from inference.captions import FieldError as CaptionError


@dataclass(frozen=True, slots=True)
class Habits:
    """How colleagues work. Rates are shares of tasks, 0…1; ``pause_s`` lies between two tasks."""

    wrong_sku: float = 0.04
    wrong_quantity: float = 0.08
    wrong_condition: float = 0.12
    skip: float = 0.02
    pause_s: float = 0.5
    median_active_s: float = 17.0


@dataclass(frozen=True, slots=True)
class Truth:
    """What a picture really shows."""

    values: Mapping[str, Any]
    boxes: list[list[float]]
    attributes: Mapping[str, Any]


def read_truth(root: Path) -> dict[str, Truth]:
    """The truth of every picture of a data set, by image id."""
    truth = {}
    for path in sorted((root / "annotations").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            truth[record["image_id"]] = Truth(
                values=values_to_json(parse(record["caption"]).values),
                boxes=record.get("boxes") or [],
                attributes=record.get("attributes") or {},
            )
    return truth


@dataclass(slots=True)
class Tally:
    """What was done and how long the server took, in milliseconds by operation."""

    latencies_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    done: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, operation: str, ms: float) -> None:
        with self.lock:
            self.latencies_ms[operation].append(ms)

    def count(self, what: str) -> int:
        with self.lock:
            self.done[what] += 1
            return self.done[what]

    def to_json(self) -> dict[str, Any]:
        return {
            **self.done,
            "errors": self.errors[:20],
            "latency_ms": {
                operation: {
                    "count": len(values),
                    "p50": round(statistics.median(values), 1),
                    "p95": round(sorted(values)[int(len(values) * 0.95)], 1),
                }
                for operation, values in sorted(self.latencies_ms.items())
                if values
            },
        }


class Colleague:
    """One person with a token; ``rng`` makes what they do repeatable."""

    def __init__(self, *, url: str, token: str, project: int, seed: int, tally: Tally) -> None:
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Token {token}"}, timeout=60
        )
        self.project = project
        self.rng = random.Random(seed)
        self.tally = tally

    def call(self, operation: str, method: str, path: str, **body: Any) -> tuple[int, Any]:
        """One request; its time is kept."""
        started = time.perf_counter()
        headers = {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}
        response = self._http.request(method, f"/api/v1{path}", headers=headers, **body)
        self.tally.add(operation, (time.perf_counter() - started) * 1000)
        if response.status_code >= 400:
            with self.tally.lock:
                self.tally.errors.append(
                    f"{operation}: {response.status_code} {response.text[:200]}"
                )
        return response.status_code, response.json() if response.content else None


class Annotator(Colleague):
    """Takes tasks and answers them, mostly right."""

    def __init__(self, *, truth: Mapping[str, Truth], habits: Habits, **rest: Any) -> None:
        super().__init__(**rest)
        self.truth = truth
        self.habits = habits

    def work_one(self) -> bool:
        """Answer one task; False when there was none."""
        status, assignment = self.call("next", "POST", f"/projects/{self.project}/next", json={})
        if status != 200:
            return False
        path = f"/assignments/{assignment['id']}"
        token = assignment["token"]
        known = [
            (capture["id"], self.truth[capture["image_id"]])
            for capture in assignment["captures"]
            if capture["image_id"] in self.truth
        ]
        if not known or self.rng.random() < self.habits.skip:
            body = {"token": token, "reason": "unreadable", "detail": "模拟：反光"}
            self.call("skip", "POST", f"{path}/skip", json=body)
            self.tally.count("skipped")
            return True
        answer = self._answer(assignment, known)
        status, _ = self.call("submit", "POST", f"{path}/submit", json={"token": token, **answer})
        if status == 201:
            self.tally.count("submitted")
        elif status == 400:  # the project asks for what the scene's truth does not tell
            body = {"token": token, "reason": "other", "detail": "模拟：看不出"}
            self.call("skip", "POST", f"{path}/skip", json=body)
        return True

    def _answer(self, assignment: Any, known: list[tuple[int, Truth]]) -> dict[str, Any]:
        truth = known[0][1]
        fields = dict(truth.values)
        habits, rng = self.habits, self.rng
        if rng.random() < habits.wrong_sku:
            fields["sku"] = self._look_alike(assignment, fields["sku"])
        if rng.random() < habits.wrong_quantity:
            fields["quantity"] = self._miscount(fields["quantity"])
        if rng.random() < habits.wrong_condition:
            fields["condition"] = self._misjudge(fields["condition"])
        suggested = (assignment["suggestion"] or {}).get("fields", {})
        return {
            "fields": fields,
            "boxes": [
                {"capture": capture, **self._jitter(box)}
                for capture, view in known
                for box in view.boxes
            ],
            "attributes": {k: v for k, v in truth.attributes.items() if v is not None},
            "active_seconds": round(rng.lognormvariate(0.0, 0.45) * habits.median_active_s, 1),
            "suggestion_used": {
                key: suggested.get(key, {}).get("value") == value for key, value in fields.items()
            },
        }

    def _look_alike(self, assignment: Any, code: str) -> str:
        others = [
            c["sku_code"]
            for c in (assignment["suggestion"] or {}).get("candidates", [])
            if c["sku_code"] != code
        ]
        return others[0] if others else code

    def _miscount(self, quantity: str) -> str:
        parsed = parse_quantity(quantity)
        if isinstance(parsed, CaptionError) or not isinstance(quantity, str):
            return quantity
        digits = "".join(c for c in quantity if c.isdigit())
        number = max(1, int(digits or 1) + self.rng.choice((-1, 1)))
        return quantity.replace(digits, str(number), 1) if digits else quantity

    def _misjudge(self, condition: str) -> str:
        grades = list(GRADES)
        place = next((n for n, grade in enumerate(grades) if condition.startswith(grade)), 0)
        step = self.rng.choice((-2, -1, 1, 1, 2))
        return str(grades[min(len(grades) - 1, max(0, place + step))])

    def _jitter(self, box: list[float]) -> dict[str, float]:
        x, y, w, h = box
        slip = [self.rng.gauss(0, 0.015) for _ in range(4)]
        return {
            "x": max(0.0, x + slip[0] * w),
            "y": max(0.0, y + slip[1] * h),
            "w": max(2.0, w * (1 + slip[2])),
            "h": max(2.0, h * (1 + slip[3])),
        }


class Reviewer(Colleague):
    """Settles disputes with the truth in hand."""

    def __init__(self, *, truth: Mapping[str, Truth], **rest: Any) -> None:
        super().__init__(**rest)
        self.truth = truth

    def work_one(self, *, leave: int = 0) -> bool:
        """Settle the oldest dispute, unless only ``leave`` are open."""
        _, page = self.call("disputes", "GET", f"/projects/{self.project}/disputes")
        rows = [row for row in page["results"] if row["claimed_by"] is None]
        if len(rows) <= leave:
            return False
        task = rows[0]["task"]["id"]
        status, dispute = self.call("open_dispute", "POST", f"/tasks/{task}/dispute")
        if status != 200:
            return False
        known = [
            (capture["id"], self.truth[capture["image_id"]])
            for capture in dispute["captures"]
            if capture["image_id"] in self.truth
        ]
        if not known:
            return False
        body = {
            "token": dispute["claim"]["token"],
            "fields": known[0][1].values,
            "boxes": [
                {"capture": capture, **dict(zip("xywh", box, strict=True))}
                for capture, view in known
                for box in view.boxes
            ],
            "attributes": {k: v for k, v in known[0][1].attributes.items() if v is not None},
            "note": "模拟复核",
        }
        status, _ = self.call("decide", "POST", f"/tasks/{task}/decide", json=body)
        if status == 200:
            self.tally.count("decided")
        return True
