"""The OpenAPI document that the front end's types are made of is the one that the code declares."""

from __future__ import annotations

import io
import json
from pathlib import Path

from django.core.management import call_command
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats

KEPT = Path(__file__).parents[2] / "frontend" / "openapi.json"


def test_the_kept_document_is_what_the_code_declares() -> None:
    reset_generator_stats()
    out = io.StringIO()
    call_command("spectacular", format="openapi-json", validate=True, stdout=out)
    declared = json.loads(out.getvalue())
    assert not GENERATOR_STATS, "The schema has warnings; see the log."
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    differing = sorted(
        f"{part}: {name}"
        for part, mine, theirs in (
            ("paths", declared["paths"], kept["paths"]),
            ("schemas", declared["components"]["schemas"], kept["components"]["schemas"]),
        )
        for name in mine.keys() | theirs.keys()
        if mine.get(name) != theirs.get(name)
    )
    assert not differing, f"frontend/openapi.json is out of date; run: make api. {differing}"
    assert declared == kept, "frontend/openapi.json is out of date; run: make api"
