"""MiniGPT: its tokens, its shape, weighing alternatives, ONNX, LoRA, and that it learns."""

from __future__ import annotations

import base64
import csv
import io
import json
import random
import shutil
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from inference.__main__ import main as inference_main
from inference.captions import Quantity, Spec, parse_quantity, parse_spec
from inference.contracts import Description, OcrLine
from inference.decided import Photo
from inference.engines import EngineError
from inference.evidence.__main__ import with_readers
from inference.minigpt.alternatives import Tree, distinct, weigh
from inference.minigpt.heard import MOST_TOKENS, Heard
from inference.minigpt.heat import heat_map
from inference.minigpt.reading import Option, Reader
from inference.minigpt.sight import Sight
from inference.minigpt.vocabulary import (
    BARCODE,
    DEFAULT_FIELDS,
    PAD,
    PRINTED,
    SENSOR,
    Vocabulary,
)
from inference.minigpt.writing import write
from inference.ranking import written_anew
from inference.training.metrics import bleu, cider, rouge_l

torch = pytest.importorskip("torch", reason="training wants torch: pip install -e '.[train]'")

from transformers import AutoModel  # noqa: E402

from inference.engines.onnx import OnnxEngine  # noqa: E402
from inference.engines.torch import TorchEngine  # noqa: E402
from inference.minigpt.config import MiniGPTConfig  # noqa: E402
from inference.minigpt.model import MiniGPT, field_maps, gaze_overlap  # noqa: E402
from inference.minigpt.towers import build_tower  # noqa: E402
from inference.training.__main__ import main  # noqa: E402
from inference.training.export import export_onnx  # noqa: E402
from inference.training.places import bumps, covered  # noqa: E402
from inference.training.ship import main as ship  # noqa: E402
from inference.training.snapshot import (  # noqa: E402
    CatalogEntry,
    Record,
    SnapshotError,
    Truth,
    read_snapshot,
)
from inference.training.telling import told  # noqa: E402
from tests.models import tiny_model, variant  # noqa: E402

VOCABULARY = Vocabulary.default()
SKUS = {"RED-1": (200, 30, 30), "GREEN-2": (30, 160, 40), "BLUE-3": (30, 60, 200)}


def tiny(**sizes: object) -> MiniGPT:
    torch.manual_seed(3)
    config = {"side_px": 64, "width": 48, "heads": 4, "queries": 6, "tower": "vit-small-32"}
    return MiniGPT(MiniGPTConfig(vocabulary_size=len(VOCABULARY), **{**config, **sizes})).eval()


# --- tokens --------------------------------------------------------------------------------------


@given(
    st.dictionaries(
        st.sampled_from(DEFAULT_FIELDS), st.none() | st.text(st.characters(codec="utf-8"))
    )
)
def test_every_caption_can_be_written_and_read(values: dict[str, str | None]) -> None:
    assert VOCABULARY.decode_caption(VOCABULARY.encode_caption(values)) == values


def test_new_fields_take_free_slots() -> None:
    grown = VOCABULARY.with_fields(["expiry", "sku"])
    assert grown.fields == (*DEFAULT_FIELDS, "expiry")
    assert len(grown) == len(VOCABULARY)
    assert [grown.header(key) for key in DEFAULT_FIELDS] == [
        VOCABULARY.header(key) for key in DEFAULT_FIELDS
    ]
    assert Vocabulary.from_json(json.loads(json.dumps(grown.to_json()))).fields == grown.fields


# --- the model -----------------------------------------------------------------------------------


def test_a_step_at_a_time_is_the_same_as_all_at_once() -> None:
    model = tiny()
    tokens = torch.randint(40, 400, (2, 7))
    with torch.no_grad():
        encoded = model.encode(torch.randn(2, 1, 3, 64, 64))
        past = model.begin(encoded.outputs)
        whole, _, looks = model.step(tokens, past)
        first, present, _ = model.step(tokens[:, :3], past)
        second, _, _ = model.step(tokens[:, 3:], present)
    assert torch.allclose(torch.cat([first, second], dim=1), whole, atol=1e-5)
    maps = field_maps(looks, encoded.gaze)
    assert maps.shape == (2, 7, 4)
    assert torch.allclose(maps.sum(dim=2), torch.ones(2, 7), atol=1e-5)
    assert 0 < gaze_overlap(encoded.gaze) <= 1


def test_what_is_heard_comes_before_the_caption_whatever_the_batch() -> None:
    model = tiny()
    stems = torch.randn(2, 1, 3, 64, 64)  # this tower's stem is the picture
    tokens = torch.randint(40, 400, (2, 5))
    short, long = VOCABULARY.encode("A-1"), VOCABULARY.encode("牛奶 250ml")
    heard = torch.tensor([[PRINTED, *short, *[PAD] * (len(long) - len(short))], [PRINTED, *long]])
    with torch.no_grad():
        both = model(stems, tokens, heard)["logits"]
        alone = model(stems[:1], tokens[:1], heard[:1, : 1 + len(short)])["logits"]
        nothing = model(stems[:1], tokens[:1])["logits"]
        past = model.begin(model.encode(stems[:1]).outputs)
        place = torch.arange(1 + len(short))[None] + model.heard_from
        _, past, _ = model.step(heard[:1, : 1 + len(short)], past, place)
        stepped, _, _ = model.step(tokens[:1], past, torch.arange(5)[None])
    assert torch.allclose(both[:1], alone, atol=1e-4)
    assert torch.allclose(stepped, alone, atol=1e-4)
    assert not torch.allclose(nothing, alone, atol=1e-2)


def test_weighing_a_tree_is_scoring_each_alternative_alone() -> None:
    model = tiny()
    close = VOCABULARY.header("category")
    codes = ["WASH-1", "WASH-12", "WASH-2", "MILK", "洗衣液"]
    alternatives = [[*VOCABULARY.encode(code), close] for code in codes]
    tree = Tree.of([VOCABULARY.header("sku")], alternatives)
    assert len(tree.tokens) < 1 + sum(map(len, alternatives)), "beginnings are shared"
    with torch.no_grad():
        past = model.begin(model.encode(torch.randn(1, 1, 3, 64, 64)).outputs)
        weighed, _ = weigh(TorchEngine(model), past.numpy(), tree)
        for path, found in zip(alternatives, weighed, strict=True):
            tokens = torch.tensor([[VOCABULARY.header("sku"), *path]])
            logits, _, _ = model.step(tokens[:, :-1], past)
            said = logits.log_softmax(dim=2)[0].gather(1, tokens[0, 1:, None]).sum()
            assert found == pytest.approx(said.item(), abs=1e-3)


def test_it_is_saved_as_safetensors_and_found_by_the_auto_classes(tmp_path: Path) -> None:
    model = tiny(classes=list(SKUS))
    model.save_pretrained(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"config.json", "model.safetensors"}
    again = AutoModel.from_pretrained(tmp_path).eval()
    assert again.config.classes == list(SKUS)
    pixels = torch.randn(1, 1, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(again.encode(pixels).outputs, model.encode(pixels).outputs, atol=1e-6)


def test_lora_teaches_a_few_of_its_weights() -> None:
    from peft import LoraConfig, get_peft_model

    model = tiny()
    adapted = get_peft_model(model, LoraConfig(r=4, target_modules=["query", "value"]))
    taught = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    assert 0 < taught < 0.05 * sum(p.numel() for p in adapted.parameters())
    out = adapted(torch.randn(1, 1, 3, 64, 64), torch.tensor([[8, 300]]))
    assert out["logits"].shape == (1, 2, len(VOCABULARY))


@pytest.mark.parametrize("tower", ["efficientnet-lite0-forked", "vit-small-32"])
def test_onnx_runtime_answers_as_torch_does(tower: str, tmp_path: Path) -> None:
    model = tiny(tower=tower, classes=list(SKUS), looks=(1.0, 0.5), detail_layers=1)
    if tower != "vit-small-32":  # cells hear of each other from the start
        torch.nn.init.normal_(model.details.among.leave.weight)
    export_onnx(model, tmp_path)
    engine = OnnxEngine(tmp_path)
    rng = np.random.default_rng(1)
    for size in (1, 3):
        pixels = rng.normal(size=(size, 2, 3, 64, 64)).astype(np.float32)
        picture = engine.encode(pixels)
        with torch.no_grad():
            encoded = model.encode(torch.from_numpy(pixels))
            past = model.begin(encoded.outputs)
        assert np.abs(picture.outputs - encoded.outputs.numpy()).max() < 1e-4
        assert np.abs(engine.begin(picture.outputs) - past.numpy()).max() < 1e-4
        assert np.abs(picture.gaze - encoded.gaze.numpy()).max() < 1e-5
        assert picture.heads["sku"].shape == (size, len(SKUS))
    tree = Tree.of([VOCABULARY.header("sku")], [VOCABULARY.encode(code) for code in SKUS])
    one, queries = past.numpy()[:1], model.config.queries
    ours, looks = weigh(engine, one, tree)
    theirs, _ = weigh(TorchEngine(model), one, tree)
    assert ours == pytest.approx(theirs, abs=1e-3)
    assert looks.shape == (len(tree.tokens), queries)


def test_a_fork_looks_again_at_what_was_kept() -> None:
    tower = build_tower("efficientnet-lite0-forked", 64).eval()
    pixels = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        kept = tower.stem(pixels)
        cells, fine = tower.tail(kept), tower.fine(kept)
        for parameter in tower.fork_parameters():
            parameter.mul_(1.1)
        now = tower.stem(pixels)
        torch.testing.assert_close(tower.look_again(kept), now)
        torch.testing.assert_close(tower.tail(now), cells)
        assert not torch.equal(tower.fine(now), fine)
        turned = tower.mirrored(now)
        torch.testing.assert_close(tower.fine(turned)[:, :40], tower.fine(now)[:, :40].flip(3))
        torch.testing.assert_close(tower.mirrored(turned), now)


class Speller:
    """A decoder that knows some texts, with their probabilities; it keeps what was said in ``past``."""

    def __init__(self, texts: dict[str, float], closing: int) -> None:
        self.paths = [([*VOCABULARY.encode(text), closing], p) for text, p in texts.items()]

    def step(self, tokens: Any, past: Any, place: Any, mask: Any) -> tuple[Any, Any, Any]:
        said = np.broadcast_to(tokens[:, None, None, None, :, None], (len(tokens), 1, 2, 1, 1, 1))
        past = np.concatenate([past, said], axis=4)
        p = np.full((len(tokens), 1, len(VOCABULARY)), 1e-9)
        for row, begun in enumerate(past[:, 0, 0, 0, 1:, 0].astype(int).tolist()):
            for path, share in self.paths:
                if path[: len(begun)] == begun and len(path) > len(begun):
                    p[row, 0, path[len(begun)]] += share
        return np.log(p / p.sum(axis=2, keepdims=True)), past, None


def test_the_best_texts_are_written_in_order() -> None:
    texts = {"AB-1": 0.35, "AB": 0.3, "BA": 0.2, "C": 0.15}
    header, close = VOCABULARY.header("sku"), VOCABULARY.header("category")
    nothing = np.zeros((1, 1, 2, 1, 0, 1), np.float32)
    found = write(Speller(texts, close), nothing, header, 0, close, VOCABULARY.letters, 12)
    best = [(VOCABULARY.decode(one.tokens), round(float(np.exp(one.log_p)), 2)) for one in found]
    assert best[:4] == list(texts.items())
    short = write(Speller(texts, close), nothing, header, 0, close, VOCABULARY.letters, 2)
    assert "AB-1" not in [VOCABULARY.decode(one.tokens) for one in short]


# --- learning ------------------------------------------------------------------------------------


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


def test_what_only_one_alternative_has_is_certain() -> None:
    assert distinct([[1, 2, 9, 9], [1, 3, 9], [4, 9]]) == [[1, 2], [1, 3], [4]]
    # a code that begins another is told by what closes it
    assert distinct([[1, 2, 0], [1, 2, 3, 0]]) == [[1, 2, 0], [1, 2, 3]]


def test_boxes_fall_into_the_cells_that_show_them() -> None:
    # 400 × 200 in squares of four cells: the picture is their middle two rows
    box = [(100.0, 0.0, 100.0, 100.0)]
    whole, near = covered(box, 400, 200, (1.0, 0.5), 4)
    assert whole.reshape(4, 4)[1].tolist() == [0, 1, 0, 0] and whole.sum() == 1
    # the middle half is 200 × 100: the box covers the left half of it, above its middle
    assert near.reshape(4, 4)[1].tolist() == [1, 1, 0, 0] and near.sum() == 2
    # a bump falls off from the cell of a box's middle, an eighth of its sides in one spread
    one = bumps([(100, 0, 200, 100)], 400, 200, 32).reshape(32, 32)
    assert one[12, 16] == 1 and one[12, 18] == pytest.approx(np.exp(-0.5)) == one[11, 16]
    both = bumps([(0, 0, 0, 0), (399, 199, 1, 1)], 400, 200, 32).reshape(32, 32)
    assert np.argwhere(both == 1).tolist() == [[8, 0], [23, 31]]


def test_each_model_is_heard_on_the_photos_that_it_has_not_seen(tmp_path: Path) -> None:
    one = tiny_model(tmp_path / "one")
    two = variant(one, tmp_path / "two", 2.0)
    photos = []
    for name in ("a", "b", "c"):
        Image.new("RGB", (64, 64), "red").save(tmp_path / f"{name}.png")
        seen = Description(name, 64, 64, "none", b"")
        photos.append(Photo(f"cap:{name}", "AB-12", seen, tmp_path / f"{name}.png", image_id=name))
    for folder, name in ((one, "a"), (two, "b")):
        (folder / "answers.jsonl").write_text(json.dumps({"image_id": name}) + "\n")
    found, readers = with_readers(photos, [one, two])
    assert {key: reader.name for key, reader in readers.items()} == {
        "cap:a": Reader.open(one).name,
        "cap:b": Reader.open(two).name,
    }
    assert [bool(photo.description.sight) for photo in found] == [True, True, False]
    assert set(with_readers(photos, [one])[1]) == {"cap:a", "cap:b", "cap:c"}, (
        "a single one: on all"
    )
    assert with_readers(photos, []) == (photos, {})


def rendered(words: tuple[str, ...], *, countable: bool = True) -> Record:
    values = {"sku": "AB-12", "category": "牛奶", "spec": "250ml×6盒/箱", "quantity": "2箱"}
    truth = Truth(((0, 0, 9, 9),), dict.fromkeys(words, (1, 1, 5, 5)), countable)
    return Record("R", Path("R.jpg"), values, {"package_type": "carton"}, truth=truth)


def test_only_what_can_be_known_is_taught() -> None:
    entry = CatalogEntry("AB-12", "牛奶", "250ml×6盒/箱", brand="云峰", name="纯牛奶")
    catalog = {"AB-12": entry}
    decided = Record("D", Path("D.jpg"), rendered(()).values, {})
    assert told(decided, catalog, VOCABULARY, random.Random(1)).heard == ()
    seen = set()
    for seed in range(60):
        record = rendered(("brand", "name", "spec", "code"), countable=seed % 2 == 0)
        one = told(record, catalog, VOCABULARY, random.Random(seed))
        taught = [t if known else PAD for t, known in zip(one.tokens, one.taught, strict=True)]
        learned, said = VOCABULARY.decode_caption(taught), VOCABULARY.decode_caption(one.tokens)
        heard = [VOCABULARY.decode([t]) if t > SENSOR else "\n" for t in one.heard]
        lines = "".join(heard).split("\n")[1:]
        code = said["sku"]
        assert (code in lines) == (code is not None and learned["sku"] == code)
        assert learned["sku"] in (code, None, "") and learned["category"] == "牛奶"
        assert (learned["spec"] == "250ml×6盒/箱") == ("250ml×6盒/箱" in lines)
        assert learned["quantity"] == ("2箱" if seed % 2 == 0 else "")
        seen.add((bool(one.heard), code is None, code == "AB-12"))
    assert {(True, False, True), (True, False, False), (False, False, True)} <= seen
    assert (False, True, False) in seen


def test_more_than_can_be_heard_is_left_out_line_by_line() -> None:
    heard = Heard(["A" * 100, "B" * 20, "C"], ["69"], {"weight": "12.5kg"})
    tokens = heard.tokens(VOCABULARY)
    assert len(tokens) <= MOST_TOKENS
    assert [VOCABULARY.decode([t]) for t in tokens[:3]] == ["", "6", "9"]
    assert tokens[0] == BARCODE and tokens[3] == SENSOR
    assert VOCABULARY.decode(tokens).endswith("C") and "A" not in VOCABULARY.decode(tokens)


def test_heat_lies_where_the_looks_do() -> None:
    cells = np.zeros((2, 16), np.float32)
    cells[1, 0] = 1.0  # the upper left of the middle
    heat = heat_map(cells, (1.0, 0.5), 480, 240)
    assert (heat.rows, heat.columns) == (12, 24)
    values = np.frombuffer(base64.b64decode(heat.data), np.uint8).reshape(12, 24)
    row, column = np.unravel_index(values.argmax(), values.shape)
    assert 3 <= row <= 9 and 6 <= column <= 9, "inside the middle half, on its left"
    assert values[:, :5].max() == 0 and values[:, 19:].max() == 0


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


# --- metrics -------------------------------------------------------------------------------------


def test_metrics_of_captions() -> None:
    decided = ["【SKU】A-1|【数量】1箱", "【SKU】B-22|【数量】3瓶", "【SKU】C-9|【数量】12袋"]
    assert bleu(decided, decided) == pytest.approx(1)
    assert rouge_l(decided, decided) == pytest.approx(1)
    assert cider(decided, decided) == pytest.approx(10)
    wrong = [decided[1], decided[2], decided[0]]
    near = [text.replace("1箱", "2箱") for text in decided]
    for metric in (bleu, rouge_l, cider):
        assert metric(wrong, decided) < metric(near, decided) < metric(decided, decided)
    # "the cat" against "the cat sat": precision 1, brevity exp(1 − 11 / 7)
    assert bleu(["the cat"], ["the cat sat"]) == pytest.approx(np.exp(1 - 11 / 7))
    # longest common subsequence 3 of 4 and 3
    assert rouge_l(["axbc"], ["abc"]) == pytest.approx(2.44 * 0.75 / (1 + 1.44 * 0.75))
