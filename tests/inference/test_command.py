from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PACKS, render_pack

from inference.__main__ import main

COLUMNS = ["code", "name", "brand", "category", "spec", "pack_text", "reference_image"]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set's catalog; one reference path is relative to its root, one to its own folder."""
    root = tmp_path_factory.mktemp("data")
    (root / "metadata/reference").mkdir(parents=True)
    path = root / "metadata/sku_catalog.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS)
        rows.writeheader()
        for i, (code, words) in enumerate(PACKS.items()):
            render_pack(*words).save(root / f"metadata/reference/{code}.png")
            folder = "metadata/reference" if i % 2 else "reference"
            text = {"brand": words[0], "pack_text": " ".join(words[1:])}
            image = {"reference_image": f"{folder}/{code}.png"}
            rows.writerow({"code": code, "name": code, "category": "drink", **text, **image})
    return path


def test_recognizes_without_a_database(
    catalog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = tmp_path / "photo.jpg"
    render_pack(*PACKS["JUICE-ORANGE"], turn=7).save(photo)
    assert main(["recognize", str(photo), "--catalog", str(catalog), "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    answer = json.loads(line)
    assert answer["image"] == str(photo)
    assert answer["candidates"][0]["sku_code"] == "JUICE-ORANGE"
    assert answer["fields"]["sku"]["value"] == "JUICE-ORANGE"
    assert answer["fields"]["category"]["value"] == "drink"
    assert {"ocr", "rank"} <= set(answer["timings_ms"])


def test_a_bad_picture_costs_the_exit_status_and_nothing_else(
    catalog: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    render_pack(*PACKS["JUICE-APPLE"]).save(good)
    bad.write_bytes(b"nonsense")
    absent = tmp_path / "absent.png"
    arguments = [str(bad), str(absent), str(good), "--catalog", str(catalog), "--json"]
    assert main(["recognize", *arguments]) == 1
    told = capsys.readouterr()
    lines = [json.loads(line) for line in told.out.splitlines()]
    assert [line.get("error", {}).get("code") for line in lines] == [
        "unreadable",
        "unreadable",
        None,
    ]
    assert "bad.png" in told.err and "absent.png" in told.err


def test_a_catalog_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "catalog.csv"
    broken.write_text("sku,name\nA,B\n")
    assert main(["recognize", "x.png", "--catalog", str(broken), "--json"]) == 1
    broken.write_text("code,name,reference_image\nA,B,nowhere.jpg\n")
    assert main(["recognize", "x.png", "--catalog", str(broken), "--json"]) == 1
    assert main(["recognize", "x.png", "--catalog", str(tmp_path / "none.csv")]) == 1
    errors = capsys.readouterr().err
    assert "no column code" in errors
    assert "nowhere.jpg" in errors
    assert "none.csv" in errors


def test_usage_errors_are_the_shell_s(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "inference", "recognize"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "--catalog" in done.stderr
