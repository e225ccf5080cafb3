from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotator.suggestions import replaying

SHOWN = 5


class Command(BaseCommand):
    help = (
        "Make a stored answer again, exactly, from the version of the model, the numbers of the site's "
        "memory and the evidence that it was made of, and show beside it what another version says now. "
        "The exit status is 0 when the answer came out the same, byte for byte."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "answer", help="an answer_id, a request_id, or suggestion:ID for what people were shown"
        )
        parser.add_argument(
            "--against",
            default=replaying.LIVE,
            metavar="VERSION",
            help="what to ask beside it: live, a model_version, or the name of a MiniGPT in "
            "WAREVISION_MODELS (default: live)",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON line an answer")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with replaying.Replay() as replay:
                results = [
                    replaying.compared(replay, stored, options["against"])
                    for stored in replaying.stored_answers(options["answer"])
                ]
        except replaying.CannotReplay as error:
            raise CommandError(str(error)) from error
        for result in results:
            if options["json"]:
                self.stdout.write(json.dumps(result, ensure_ascii=False))
            else:
                self._say(result)
        if not all(result["exact"] for result in results):
            raise CommandError("The answer did not come out the same.")

    def _say(self, result: dict[str, Any]) -> None:
        columns = {"stored": result["stored"], "again": result["again"]}
        against = result["against"]
        if against["said"]:
            columns[against["asked"]] = against["said"]
        rows = [["", *columns]]
        for name in ("model_version", "site_number", "learned_number"):
            rows.append([name, *(str(one[name]) for one in columns.values())])
        for key in sorted({key for one in columns.values() for key in one["fields"]}):
            rows.append([key, *(_field(one["fields"].get(key)) for one in columns.values())])
        for n in range(SHOWN):
            line = [_candidate(one["candidates"], n) for one in columns.values()]
            if any(line):
                rows.append([f"candidate {n + 1}", *line])
        self.stdout.write(f"Answer {result['answer']}")
        widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())
        if against["error"]:
            self.stdout.write(against["error"])
        verdict = "the same, byte for byte" if result["exact"] else "NOT the same"
        self.stdout.write(f"Made again: {verdict}.")
        for place in result["differences"]:
            self.stdout.write(f"  {place}")


def _field(field: Any) -> str:
    if not field or field["value"] is None:
        return "-"
    sure = "" if field["confidence"] is None else f" {field['confidence']:.4f}"
    return f"{field['value']}{sure}"


def _candidate(candidates: list[Any], n: int) -> str:
    if n >= len(candidates):
        return ""
    return f"{candidates[n]['sku_code']} {candidates[n]['confidence']:.4f}"
