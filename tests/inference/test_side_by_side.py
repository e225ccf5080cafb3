from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import encode, render_pack

from inference.contracts import LATE, Description, SiteRef
from inference.evidence.side_by_side import Once, SideBySide
from inference.local import LocalRecognizer

PATIENCE_S = 30


def test_pieces_run_at_the_same_time() -> None:
    pieces = SideBySide(2)
    both = threading.Barrier(2, timeout=PATIENCE_S)
    found = pieces.gather({"a": both.wait, "b": both.wait})  # alone, each would wait in vain
    assert set(found.values) == {"a", "b"} and not found.errors
    assert set(found.timings_ms) == {"a", "b"}
    pieces.close()


def test_what_is_late_is_left_out_and_what_is_needed_is_waited_for() -> None:
    pieces = SideBySide(2)
    hold, begun = threading.Event(), threading.Event()

    def slow() -> str:
        begun.wait(PATIENCE_S)
        return "needed"

    def late() -> None:
        begun.set()
        hold.wait(PATIENCE_S)

    found = pieces.gather(
        {"needed": slow, "late": late},
        budget_s=0.0,
        needed=frozenset({"needed"}),
    )
    assert found.values["needed"] == "needed"
    assert found.left_out["late"] == LATE
    hold.set()
    pieces.close()


def test_an_error_is_kept_apart() -> None:
    pieces = SideBySide(1)

    def broken() -> None:
        raise RuntimeError("no model")

    found = pieces.gather({"broken": broken, "whole": lambda: 1})
    assert found.values == {"whole": 1} and str(found.errors["broken"]) == "no model"
    pieces.close()


def test_once_makes_once_keeps_the_recent_and_forgets_errors() -> None:
    once: Once[str, int] = Once(2)
    made = []
    begin = threading.Barrier(4, timeout=PATIENCE_S)

    def ask() -> int:
        begin.wait()
        return once.get("a", lambda: made.append(1) or len(made))

    with ThreadPoolExecutor(4) as threads:
        assert {f.result() for f in [threads.submit(ask) for _ in range(4)]} == {1}
    with pytest.raises(ZeroDivisionError):
        once.get("b", lambda: 1 // 0)
    assert once.get("b", lambda: 7) == 7
    once.get("c", lambda: 8)
    assert len(once) == 2
    assert once.get("a", lambda: 9) == 9  # the least recently used had gone


def test_late_text_is_named_and_found_the_next_time(
    recognizer: LocalRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encode(render_pack("LATE", "Reader"))
    let_go = threading.Event()
    describer = recognizer._describer
    read = describer._reader.read_whole
    readings = []

    def slow(picture: object) -> object:
        readings.append(1)
        assert let_go.wait(PATIENCE_S)
        return read(picture)  # type: ignore[arg-type]

    monkeypatch.setattr(describer._reader, "read_whole", slow)
    (hasty,) = recognizer.describe([data], budget_s=0.01)
    assert isinstance(hasty, Description)
    assert hasty.missing["ocr"] == LATE and "ocr" in hasty.left_out
    (ranked,) = recognizer.rank(SiteRef("nobody", 0), [hasty])
    assert "ocr" in ranked.left_out
    assert hasty.embedding and Description.from_json(hasty.to_json()) == hasty
    let_go.set()
    (patient,) = recognizer.describe([data])
    assert isinstance(patient, Description)
    assert not patient.missing and len(readings) == 1
    assert any("LATE" in line.text.upper() for line in patient.ocr_lines)


def test_text_is_read_in_the_box_alone(recognizer: LocalRecognizer) -> None:
    data = encode(render_pack("UPPER", "xxxxxx", "LOWER"))
    (whole,) = recognizer.describe([data])
    assert isinstance(whole, Description)
    upper = next(line for line in whole.ocr_lines if "UPPER" in line.text.upper())
    xs, ys = zip(*upper.polygon, strict=True)
    box = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    (cut,) = recognizer.describe([data], boxes=[box])
    assert isinstance(cut, Description)
    words = " ".join(line.text.upper() for line in cut.ocr_lines)
    assert "UPPER" in words and "LOWER" not in words
    assert cut.box == box and Description.from_json(cut.to_json()) == cut
    found = next(line for line in cut.ocr_lines if "UPPER" in line.text.upper())
    assert abs(min(y for _, y in found.polygon) - min(ys)) < 12  # in pixels of the whole picture
    (nothing,) = recognizer.describe([data], boxes=[(900, 900, 10, 10)])
    assert isinstance(nothing, Description) and nothing.ocr_lines == ()
