"""MiniGPT: its tokens, its shape, weighing alternatives, ONNX, LoRA, and what it is told."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inference.contracts import Description
from inference.decided import Photo
from inference.evidence.__main__ import with_readers
from inference.minigpt.alternatives import Tree, distinct, weigh
from inference.minigpt.heard import MOST_TOKENS, Heard
from inference.minigpt.heat import heat_map
from inference.minigpt.reading import Reader
from inference.minigpt.vocabulary import (
    BARCODE,
    DEFAULT_FIELDS,
    PAD,
    PRINTED,
    SENSOR,
    Vocabulary,
)
from inference.minigpt.writing import write
from inference.training.metrics import bleu, cider, rouge_l

torch = pytest.importorskip("torch", reason="training wants torch: pip install -e '.[train]'")

from transformers import AutoModel  # noqa: E402

from inference.engines.feeds import follow  # noqa: E402
from inference.engines.onnx import OnnxEngine  # noqa: E402
from inference.engines.torch import TorchEngine  # noqa: E402
from inference.minigpt.config import MiniGPTConfig  # noqa: E402
from inference.minigpt.model import MiniGPT, field_maps, gaze_overlap  # noqa: E402
from inference.minigpt.towers import build_tower  # noqa: E402
from inference.training.export import export_onnx  # noqa: E402
from inference.training.places import bumps, covered  # noqa: E402
from inference.training.snapshot import CatalogEntry, Record, Truth  # noqa: E402
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
    assert len(tree.tokens) == len(
        {tuple(one[:n]) for one in alternatives for n in range(len(one))}
    )
    assert [tree.alternative(n) for n in range(tree.count)] == alternatives
    with torch.no_grad():
        past = model.begin(model.encode(torch.randn(1, 1, 3, 64, 64)).outputs)
        weighed = weigh(TorchEngine(model), past.numpy(), tree)
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
    ours, theirs = (weigh(each, one, tree) for each in (engine, TorchEngine(model)))
    assert ours == pytest.approx(theirs, abs=1e-3)
    _, present, looks = engine.step(**follow(tree.tokens[None], one))
    assert looks.shape == (1, len(tree.tokens), queries)
    assert present.shape[4] == one.shape[4] + len(tree.tokens)


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
