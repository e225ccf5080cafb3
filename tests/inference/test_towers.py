from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import encode
from PIL import Image

from inference.contracts import Change, Description, Example, SiteRef, SkuRecord
from inference.local import LocalRecognizer
from inference.retrieval.backbone import DIMENSIONS, pack
from inference.retrieval.clip import Clip, ClipError
from inference.retrieval.heads import fit_metric_head
from inference.retrieval.index import matrix
from inference.retrieval.memory import SiteMemory
from inference.retrieval.search import by_text, similar_pictures
from inference.retrieval.towers import ClipTower, fit_text_tower

SKUS = {
    code: SkuRecord(code, name, category=category)
    for code, name, category in (
        ("M1", "蓝色牛奶", "乳品"),
        ("M2", "红色牛奶", "乳品"),
        ("J1", "蓝色果汁", "果汁"),
        ("J2", "红色果汁", "果汁"),
    )
}
LOOK = {"M1": (1, 0, 1, 0), "M2": (1, 0, 0, 1), "J1": (0, 1, 1, 0), "J2": (0, 1, 0, 1)}
"""Milk or juice, blue or red."""


def shot(code: str, shelf: int, seed: int) -> bytes:
    """A picture: what is shown, and far more of the shelf that it stands on."""
    rng = np.random.default_rng(seed)
    x = np.zeros(DIMENSIONS, np.float32)
    x[:4] = LOOK[code]
    x[10 + shelf] = 4.0
    x += 0.05 * rng.normal(size=DIMENSIONS).astype(np.float32)
    return pack(x / np.linalg.norm(x))


def examples(codes: tuple[str, ...] = tuple(SKUS), shelves: int = 6) -> list[Example]:
    return [
        Example(f"cap:{code}:{n}", code, "decided", shot(code, n, 100 * n + ord(code[1])))
        for code in codes
        for n in range(shelves)
    ]


def test_a_learned_space_looks_past_the_shelf() -> None:
    known = examples()
    head = fit_metric_head(matrix([e.embedding for e in known]), [e.sku_code for e in known])
    assert head is not None
    memory = SiteMemory("s")
    memory.apply([Change(0, "put_sku", sku=sku) for sku in SKUS.values()])
    memory.apply([Change(0, "put_example", example=e) for e in known])
    asked = matrix([shot("M1", 3, 7)])[0]
    raw = similar_pictures(memory, asked, 4)
    learned = similar_pictures(memory, asked, 4, head)
    assert {hit.key.split(":")[2] for hit in raw} == {"3"}  # whatever stood on that shelf
    assert {hit.sku_code for hit in learned} == {"M1"}
    assert [hit.score for hit in learned] == sorted((h.score for h in learned), reverse=True)


def test_no_learned_space_without_two_pictures_of_a_sku() -> None:
    known = examples(shelves=1)
    vectors, labels = matrix([e.embedding for e in known]), [e.sku_code for e in known]
    assert fit_metric_head(vectors, labels) is None
    assert fit_metric_head(vectors[:1].repeat(4, axis=0), ["A", "A", "B", "B"]) is None
    assert fit_text_tower(known, SKUS, None) is None


def test_pictures_are_found_by_what_a_text_means() -> None:
    taught = examples()
    vectors, labels = matrix([e.embedding for e in taught]), [e.sku_code for e in taught]
    head = fit_metric_head(vectors, labels)
    tower = fit_text_tower(taught, SKUS, head)
    again = fit_text_tower(taught, SKUS, head)
    assert tower is not None and again is not None
    assert (again.texts(["红色果汁"]) == tower.texts(["红色果汁"])).all()
    new = tower.pictures(matrix([shot(code, 9, 1) for code in SKUS]))  # on a shelf never seen
    for row, sku in enumerate(SKUS.values()):
        assert int((new @ tower.texts([sku.name])[0]).argmax()) == row
    blue = new @ tower.texts(["蓝色"])[0]
    assert {list(SKUS)[n] for n in np.argsort(-blue)[:2]} == {"M1", "J1"}
    found = tower.nearest(tower.texts(["蓝色果汁"])[0], 6)
    assert {key.split(":")[1] for key, _ in found} == {"J1"}
    assert not tower.texts(["☃"]).any()  # of which nothing is known


# --- CLIP --------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP of random weights, saved as transformers saves one."""
    transformers = pytest.importorskip("transformers", reason="NOT RUN: CLIP wants the train extra")
    torch = pytest.importorskip("torch")
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("clip")
    vocabulary = {token: n for n, token in enumerate(["<unk>", "<s>", "</s>", "milk", "juice"])}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="<unk>", bos_token="<s>", eos_token="</s>",
        pad_token="</s>", model_max_length=8,
    ).save_pretrained(folder)  # fmt: skip
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    torch.manual_seed(0)
    transformers.CLIPModel(
        transformers.CLIPConfig(
            text_config={
                **small, "num_attention_heads": 2, "vocab_size": 5, "max_position_embeddings": 8,
                "bos_token_id": 1, "eos_token_id": 2,
            },
            vision_config={**small, "num_attention_heads": 2, "image_size": 32, "patch_size": 16},
            projection_dim=12,
        )
    ).save_pretrained(folder)  # fmt: skip
    transformers.CLIPImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(folder)
    return folder


def test_a_clip_directory_describes_and_is_searched(tiny_clip: Path, tmp_path: Path) -> None:
    recognizer = LocalRecognizer(tmp_path, clip=tiny_clip)
    try:
        assert "clip-" in recognizer.describer
        described = recognizer.describe(
            [encode(Image.new("RGB", (50, 40), colour)) for colour in ("red", "blue")]
        )
        changes = [Change(0, "put_sku", sku=SkuRecord("A", "a"))]
        for n, one in enumerate(described):
            assert isinstance(one, Description) and not one.missing
            assert matrix([one.clip]).shape == (1, 12)
            assert Description.from_json(one.to_json()) == one
            made = Example(f"cap:{n}", "A", "decided", one.embedding, clip=one.clip)
            assert Example.from_json(made.to_json()) == made
            changes.append(Change(0, "put_example", example=made))
        recognizer.teach("s", changes)
        found = recognizer.search(SiteRef("s", 0), "milk", count=5).hits
        clip = Clip(tiny_clip)
        vectors = clip.pictures([Image.new("RGB", (50, 40), c) for c in ("red", "blue")])
        assert matrix([one.clip for one in described]) == pytest.approx(vectors, abs=2e-3)  # type: ignore[union-attr]
        best = int((vectors @ clip.texts(["milk"])[0]).argmax())
        assert [hit.by for hit in found] == [("meaning",)] * 2
        assert found[0].key == f"cap:{best}"
    finally:
        recognizer.close()


def test_texts_are_unit_vectors_of_any_length(tiny_clip: Path) -> None:
    clip = Clip(tiny_clip)
    vectors = clip.texts(["milk", "juice " * 50, ""])
    assert vectors.shape == (3, 12)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert abs(float(vectors[0] @ vectors[1])) < 0.999


def test_examples_without_a_vector_are_passed_over(tiny_clip: Path) -> None:
    tower = ClipTower(Clip(tiny_clip), examples(("M1",)))
    assert tower.nearest(tower.texts(["milk"])[0], 3) == []
    memory = SiteMemory("s")
    assert by_text(memory, tower, "milk", 3) == []


def test_no_clip_there(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ClipError):
        Clip(tmp_path)
