"""That MiniGPT learns a site's decided captions, from nothing and from a base, and what becomes of it."""

from __future__ import annotations

import base64
import csv
import io
import json
import shutil
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from inference.__main__ import main as inference_main
from inference.captions import Quantity, Spec, parse_quantity, parse_spec
from inference.contracts import Description, OcrLine
from inference.engines import EngineError
from inference.minigpt.heard import Heard
from inference.minigpt.reading import Option, Reader
from inference.minigpt.sight import Sight
from inference.minigpt.vocabulary import DEFAULT_FIELDS
from inference.ranking import written_anew

torch = pytest.importorskip("torch", reason="training wants torch: pip install -e '.[train]'")

from inference.minigpt.model import MiniGPT  # noqa: E402
from inference.training.__main__ import main  # noqa: E402
from inference.training.ship import main as ship  # noqa: E402
from inference.training.snapshot import SnapshotError, read_snapshot  # noqa: E402

SKUS = {"RED-1": (200, 30, 30), "GREEN-2": (30, 160, 40), "BLUE-3": (30, 60, 200)}


def snapshot(root: Path, photos: int) -> Path:
    """Coloured cartons, one to three of them: the colour tells the SKU."""
    rng = np.random.default_rng(5)
    (root / "images/cam_front").mkdir(parents=True)
    (root / "annotations").mkdir()
    (root / "metadata").mkdir()
    lines: dict[str, list[str]] = {"train": [], "val": []}
    for n in range(photos):
        code = list(SKUS)[n % len(SKUS)]
        count = 1 + n // len(SKUS) % 3
        image = Image.fromarray(rng.integers(90, 130, (96, 96, 3), dtype=np.uint8))
        draw = ImageDraw.Draw(image)
        for k in range(count):
            draw.rectangle((8 + 28 * k, 30, 32 + 28 * k, 76), fill=SKUS[code])
        path = f"images/cam_front/{n}.png"
        image.save(root / path)
        record = {
            "image_id": f"P{n}",
            "cam_type": "front",
            "image_path": path,
            "caption": f"【SKU】{code}|【品类】纸箱|【规格】1L/盒|【数量】{count}箱|【状态】完好无损",
            "attributes": {"package_type": "carton", "stack_level": 1},
        }
        lines["val" if n % 5 == 4 else "train"].append(json.dumps(record, ensure_ascii=False))
    for split, rows in lines.items():
        (root / f"annotations/{split}.jsonl").write_text("\n".join(rows), "utf-8")
    table = io.StringIO()
    csv.writer(table).writerows([["code", "category", "spec"], *([c, "纸箱", "1L"] for c in SKUS)])
    (root / "metadata/sku_catalog.csv").write_text(table.getvalue(), "utf-8")
    return root


@dataclass(frozen=True)
class Taught:
    """A model that learned the coloured cartons, and what the command said."""

    data: Path
    out: Path
    options: list[str]
    said: dict[str, Any]

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.out / "report.json").read_text("utf-8"))
        return found


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Taught:
    root = tmp_path_factory.mktemp("taught")
    data = snapshot(root / "data", 60)
    out, said = root / "out", io.StringIO()
    options = ["--snapshot", str(data), "--side", "96", "--views", "2", "--threads", "1"]
    with redirect_stdout(said):
        assert main([*options, "--out", str(out), "--epochs", "24", "--json"]) == 0
    return Taught(data, out, options, json.loads(said.getvalue()))


def test_it_learns_a_snapshot(taught: Taught) -> None:
    said, report, out = taught.said, taught.report, taught.out
    assert said["photos"] == 12
    assert said["head_top_1"] > 0.9 and said["top_1"] > 0.9
    assert said["condition"] == 1.0
    assert report["losses"][-1] < 0.5 * report["losses"][0]
    assert report["val"] == {k: v for k, v in said.items() if k not in ("ok", "out")}
    steps = [json.loads(line) for line in (out / "progress.jsonl").read_text("utf-8").splitlines()]
    epochs = [step for step in steps if step["stage"] == "epochs"]
    assert [step["done"] for step in epochs] == list(range(1, 25))
    assert epochs[-1]["val"]["sku_head"] > epochs[0]["val"]["sku_head"]
    assert (steps[-1]["stage"], steps[-1]["done"]) == ("export", 3)
    files = {p.name for p in (out / "onnx").iterdir()}
    assert {"encode.onnx", "begin.onnx", "step.onnx", "int8.json"} <= files
    assert ("encode.int8.onnx" in files) == report["int8"]["kept"] == ("val_int8" in report)


@pytest.mark.parametrize("method", ["lora", "joint"])
def test_it_goes_on_from_a_base(taught: Taught, method: str, tmp_path: Path) -> None:
    options = [*taught.options, "--base", str(taught.out), "--out", str(tmp_path)]
    options += ["--joint"] if method == "joint" else []
    assert main([*options, "--epochs", "1", "--json"]) == 0
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert report["method"] == method and report["base"].startswith("minigpt-")
    assert report["losses"][0] < 0.7 * taught.report["losses"][0]
    adapter = {p.name for p in (tmp_path / "adapter").glob("*")}
    assert ("adapter_model.safetensors" in adapter) == (method == "lora")


def test_it_refuses_what_it_cannot_do(
    taught: Taught, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*taught.options, "--out", str(taught.out)])
    assert "not empty" in capsys.readouterr().err
    (tmp_path / "annotations").mkdir()
    assert main(["--snapshot", str(tmp_path), "--out", str(tmp_path / "none")]) == 1
    assert "nothing" in capsys.readouterr().err
    older = shutil.copytree(
        taught.out, tmp_path / "older", ignore=shutil.ignore_patterns("manifest*")
    )
    config = json.loads((older / "model" / "config.json").read_text("utf-8"))
    (older / "model" / "config.json").write_text(json.dumps({**config, "make": 1}), "utf-8")
    again = [*taught.options, "--base", str(older), "--out", str(tmp_path / "again")]
    assert main(again) == 1
    assert "another version" in capsys.readouterr().err
    assert Reader.open(older).see([Image.new("RGB", (64, 64))]), "it answers all the same"


def test_a_taught_model_captions_photos(taught: Taught, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    records = read_snapshot(taught.data).splits["val"]
    command = ["recognize", *(str(r.path) for r in records), "--model", str(taught.out)]
    command += ["--catalog", str(taught.data / "metadata/sku_catalog.csv"), "--json"]
    assert inference_main(command) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    right = 0
    for record, answer in zip(records, answers, strict=True):
        assert set(answer["heat"]) == set(DEFAULT_FIELDS)
        for heat in answer["heat"].values():
            assert (heat["rows"], heat["columns"]) == (24, 24)
            assert max(base64.b64decode(heat["data"])) == 255
        top = answer["candidates"][0]
        assert top["parts"]["minigpt"] > 0.5
        right += top["sku_code"] == record.sku
        assert answer["fields"]["condition"]["value"] == "完好无损"
        assert answer["fields"]["condition"]["source"] == "minigpt"
        assert answer["fields"]["quantity"]["confidence"] > 0
        assert answer["timings_ms"]["minigpt"] > 0
    assert right >= len(records) - 1


def test_it_is_shipped_small_and_sealed(taught: Taught, tmp_path: Path) -> None:
    assert ship(["--model", str(taught.out), "--to", str(tmp_path)]) == 0
    pictures = [Image.new("RGB", (120, 80), colour) for colour in SKUS.values()]
    small, whole = Reader.open(tmp_path), Reader.open(taught.out)
    for one, other in zip(small.see(pictures), whole.see(pictures), strict=True):
        assert np.allclose(one.outputs, other.outputs, atol=1e-5)  # the same graphs
    weights = MiniGPT.from_pretrained(tmp_path / "model", dtype=torch.float32).state_dict()
    for name, value in MiniGPT.from_pretrained(taught.out / "model").state_dict().items():
        assert torch.allclose(weights[name].float(), value.float(), rtol=1e-3, atol=1e-3), name
    (tmp_path / "vocabulary.json").write_text("{}")
    with pytest.raises(EngineError, match="is not what was sealed"):
        Reader.open(tmp_path)


class Copier(Reader):
    """A reader that writes the first printed line as the code, and the second as the spec."""

    def write(self, sight: Sight, heard: Heard, unit: str = "") -> dict[str, tuple[Option, ...]]:
        told = dict(zip(("sku", "spec"), heard.printed, strict=False))
        made_up = {"category": "纸箱", "quantity": f"1{unit or '箱'}", "condition": "完好无损"}
        return {key: (Option(value, 0.9),) for key, value in (told | made_up).items()}


def test_a_new_sku_is_proposed_as_it_was_read(taught: Taught) -> None:
    plain = Reader.open(taught.out)
    reader = Copier(plain.engine, plain.vocabulary, plain.facts, plain.name)
    (sight,) = reader.see([Image.new("RGB", (120, 80), SKUS["RED-1"])])

    def proposed(*lines: str, minigpt: Reader | None = reader) -> dict[str, str | None]:
        read = tuple(OcrLine(line, 0.9 - n / 10, ()) for n, line in enumerate(lines))
        description = Description("0" * 64, 120, 80, "v", b"", ocr_lines=read)
        found = written_anew(minigpt, sight, description, SKUS)
        return {key: field.value for key, field in found.items()}

    assert proposed("AB-77", "1L/盒") == {"sku": "AB-77", "spec": "1L/盒"}
    assert proposed("RED-1", "1L/盒") == {}, "it is in the catalog after all"
    assert proposed("AB-77", "1L/盒", minigpt=None) == {}


def test_a_caption_is_written_freely_whatever_is_heard(taught: Taught) -> None:
    reader = Reader.open(taught.out)
    (sight,) = reader.see([Image.new("RGB", (120, 80), SKUS["RED-1"])])
    for heard in (Heard(), Heard(["红色纸箱", "AB-77"], ["6901234567892"], {"weight": "2kg"})):
        said = reader.write(sight, heard, "箱")
        assert tuple(said) == DEFAULT_FIELDS
        for key, options in said.items():
            assert 1 <= len(options) <= 5
            assert [o.p for o in options] == sorted((o.p for o in options), reverse=True)
            values = [o.value for o in options if o.value is not None]
            if key in ("spec", "quantity"):
                read = parse_spec if key == "spec" else parse_quantity
                assert all(isinstance(read(v), (Spec, Quantity)) for v in values)
        assert said == reader.write(sight, heard, "箱"), "the same again"
        said_of = {key: {option.value for option in said[key]} for key in ("sku", "spec")}
        if heard.printed:
            assert said_of["sku"] <= {*heard.printed, *heard.barcodes, None}, "copied, or unknown"
    label = Heard(["货号：AB-77", "净含量 500ml/瓶", "x" * 50], ["6901234567892"])
    assert label.words()[:3] == ["6901234567892", "货号：AB-77", "货号"]
    said = reader.write(sight, label, "箱")
    assert "500ml/瓶" in {o.value for o in said["spec"]}
    assert "x" * 50 not in {o.value for o in said["sku"]}
    alone = reader.write(sight, Heard(), "箱")
    assert alone["sku"][0].value in SKUS and alone["category"][0].value == "纸箱"


def test_what_was_seen_survives_the_way(taught: Taught) -> None:
    reader = Reader.open(taught.out)
    (sight,) = reader.see([read_snapshot(taught.data).splits["val"][0].picture()])
    kept = Sight.unpack(sight.pack())
    assert len(sight.pack()) < 20_000
    assert np.allclose(kept.outputs, sight.outputs, atol=1e-2)
    assert np.allclose(kept.gaze, sight.gaze, atol=0.02)
    assert np.allclose(kept.gaze.sum(axis=1), 1)
    codes = list(SKUS)
    assert np.allclose(reader.sku_log_p(kept, codes), reader.sku_log_p(sight, codes), atol=0.2)
    with pytest.raises(ValueError, match="no sight"):
        Sight.unpack(b"something else")


def test_a_snapshot_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    root = snapshot(tmp_path / "data", 5)
    path = root / "annotations/train.jsonl"
    good = path.read_text("utf-8").splitlines()
    for change, said in (
        ({"image_path": "../../etc/passwd"}, "leads out"),
        ({"image_path": "images/none.png"}, "is not there"),
        ({"caption": "【数量】许多"}, "line 2"),
    ):
        bad = json.dumps({**json.loads(good[1]), **change})
        path.write_text("\n".join([good[0], bad]), "utf-8")
        with pytest.raises(SnapshotError, match=said):
            read_snapshot(root)
    path.unlink()
    with pytest.raises(SnapshotError, match="nothing"):
        read_snapshot(root)
