"""How MiniGPT counts: units as peaks of a heat map, and how a quantity is weighed by them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inference.minigpt.reading import Reader
from inference.minigpt.vocabulary import Vocabulary

torch = pytest.importorskip("torch", reason="training wants torch: pip install -e '.[train]'")

from inference.minigpt.config import MiniGPTConfig  # noqa: E402
from inference.minigpt.details import coarse, count_log_odds  # noqa: E402
from inference.minigpt.model import MiniGPT  # noqa: E402
from inference.training.answers import NO_ANSWER, Answers, tell_details  # noqa: E402
from inference.training.fit import Run, fit  # noqa: E402
from inference.training.judge import pool_weights, temperature  # noqa: E402
from inference.training.lora import adapted, merged  # noqa: E402
from inference.training.losses import count_loss, heat_loss  # noqa: E402
from inference.training.places import bumps  # noqa: E402
from inference.training.recipe import Recipe  # noqa: E402
from inference.training.snapshot import Record, Truth  # noqa: E402
from inference.training.warmup import halves_are_faster  # noqa: E402
from tests.models import tiny_model  # noqa: E402

VOCABULARY = Vocabulary.default()


def rendered(path: Path, *, countable: bool) -> Record:
    """A rendered photo of one unit, whose caption says two."""
    truth = Truth(((0, 0, 9, 9),), {}, countable)
    return Record("R", path, {"sku": "AB-12", "quantity": "2箱"}, {}, truth=truth)


def test_units_are_the_peaks_of_a_heat_map() -> None:
    sizes: Any = {"side_px": 96, "width": 48, "heads": 4, "queries": 6, "tower": "vit-small-32"}
    model = MiniGPT(MiniGPTConfig(vocabulary_size=len(VOCABULARY), **sizes)).eval()
    encoded = model.encode(torch.randn(2, 1, 3, 96, 96))
    assert encoded.heat.shape == (2, 24, 24) and encoded.units.shape == (2, 576)
    assert coarse(torch.arange(16.0)[None], 4).tolist() == [[10.0, 18.0, 42.0, 50.0]]
    heat = torch.full((1, 24, 24), -9.0)
    heat[0, 5, 5], heat[0, 5, 6], heat[0, 7, 7] = 3.0, 2.0, 2.0
    heat[0, 20, 3], heat[0, 20, 6] = 1.0, 0.9
    units = model.details.units(heat).detach().reshape(24, 24)
    assert units[5, 5] > units[20, 3] > units[20, 6] > 0.9
    assert units[5, 6] == units[7, 7] == 0, "within two cells of a peak there is no other"
    assert units.sum() == pytest.approx(3, abs=0.05)


def test_a_heat_map_is_held_to_where_units_are() -> None:
    true = torch.from_numpy(bumps([(10, 10, 20, 20), (50, 60, 8, 8)], 96, 96, 24))[None]
    assert (true == 1).nonzero()[:, 1].tolist() == [5 * 24 + 5, 16 * 24 + 13]

    def loss(heat: Any) -> float:
        return float(heat_loss(heat.reshape(1, 24, 24), true))

    right = torch.where(true == 1, 9.0, -9.0)
    assert loss(right) < 0.01
    assert loss(right.roll(1, 1)) > loss(right)
    assert loss(-right) > loss(right * 0) > loss(right)
    near = torch.where((true > 0.3) & (true < 1), 1.0, right)
    elsewhere = torch.where(true < 0.01, 1.0, right)
    assert loss(near) < loss(elsewhere), "beside a middle it is no fault"
    assert heat_loss(right.reshape(1, 24, 24), torch.full_like(true, -1)) == 0


def test_a_count_is_a_sum_of_chances() -> None:
    units = torch.zeros(3, 64)
    units[0, :4], units[1, :4], units[2, :8] = 1.0, torch.tensor([1.0, 1.0, 1.0, 0.5]), 0.5
    p = count_log_odds(units).softmax(dim=1)
    assert p.argmax(dim=1)[[0, 2]].tolist() == [4, 4] and p[0, 4] > 0.9
    assert p[1, 3] == pytest.approx(p[1, 4]) and p[2, 4] < 0.4, "many doubts make a broad one"
    off = count_loss(units, torch.tensor([4, NO_ANSWER, 4]))
    assert off == 0 and count_loss(units, torch.tensor([5, NO_ANSWER, 4])) > 0
    assert count_loss(units, torch.full((3,), NO_ANSWER)) == 0


def test_the_count_of_a_record_is_its_units_or_its_quantity(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "R.jpg")

    def decided(quantity: str) -> Record:
        return Record("D", Path("D.jpg"), {"sku": "AB-12", "quantity": quantity}, {})

    records = [rendered(tmp_path / "R.jpg", countable=countable) for countable in (True, False)]
    records += [decided(q) for q in ("12箱", "3箱2盒", "1.5kg", "400箱", "")]
    config = MiniGPTConfig(side_px=64)
    counts = Answers.of(records, {}, VOCABULARY, config).heads["count"].tolist()
    assert counts == [1, NO_ANSWER, 12, *[NO_ANSWER] * 4]


def test_what_was_counted_weighs_with_what_is_written(tmp_path: Path) -> None:
    reader = Reader.open(tiny_model(tmp_path / "model"))
    sight = reader.see([Image.new("RGB", (64, 64))])[0]
    counted = np.full(33, -20.0, np.float32)
    counted[7] = 0
    sight = replace(sight, heads={**sight.heads, "count": counted})
    settled = {"sku": "AB-12", "category": "牛奶", "spec": "1kg"}

    def first(weights: dict[str, float]) -> str | None:
        reader.facts = replace(reader.facts, quantity_weights=weights)
        return reader.read(sight, settled, "箱").options["quantity"][0].value

    assert first({"decoder": 1.0, "counted": 5.0}) == "7箱"
    assert first({"decoder": 1.0}) == first({"decoder": 1.0, "counted": 0.0})
    values, heard = reader.weights(sight, settled, "quantity", "箱")
    assert set(heard) == {"decoder", "counted"} and values[6] == "7箱" and values[-1] is None
    assert heard["counted"].argmax() == 6 and np.isfinite(heard["counted"]).all()
    older = replace(sight, heads={k: v for k, v in sight.heads.items() if k != "count"})
    assert set(reader.weights(older, settled, "quantity", "箱")[1]) == {"decoder"}


def test_where_nothing_was_wrong_confidence_stays_below_certainty() -> None:
    sure = np.log([0.98, 0.01, 0.01])

    def confidence(right: int, wrong: int = 0) -> float:
        warm = temperature([(sure, 0)] * right + [(sure, 1)] * wrong)
        tempered = sure / warm
        return float(np.exp(tempered[0]) / np.exp(tempered).sum())

    assert confidence(99) == pytest.approx(0.99, abs=1e-4), "one of a hundred might have been"
    assert confidence(999) == pytest.approx(0.999, abs=1e-4)
    assert confidence(90, 10) == pytest.approx(0.9, abs=5e-3), "there are mistakes to learn from"


def test_halves_are_left_alone_where_they_end_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = halves_are_faster.__wrapped__  # anew, and not kept
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    assert not tried()
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    before = torch.random.get_rng_state()
    assert isinstance(tried(), bool)
    assert torch.equal(torch.random.get_rng_state(), before), "to try draws no chance"
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    assert not tried()


def test_weights_are_those_that_make_truths_probable() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 5, 200).tolist()
    told = [np.log(np.where(np.arange(5) == n, 0.6, 0.1)) for n in truth]
    parts = [{"good": row, "noise": np.log(rng.dirichlet(np.ones(5)))} for row in told]
    weights = pool_weights(parts, truth)
    assert weights["good"] > 1 > 0.2 > weights["noise"]
    assert pool_weights([{"a": p["good"][: 2 + n % 3]} for n, p in enumerate(parts)], [0] * 200)
    assert pool_weights([], []) == {}


def test_where_nothing_small_differs_what_is_known_of_it_stays(tmp_path: Path) -> None:
    def photo(n: int, quantity: str, condition: str = "完好无损") -> Record:
        path = tmp_path / f"{n}.png"
        Image.effect_noise((96, 96), 60 + n).convert("RGB").save(path)
        values = {"sku": "AB-12", "quantity": quantity, "condition": condition}
        return Record(f"R{n}", path, values, {})

    alike = [photo(0, "1箱"), photo(1, "1瓶"), photo(2, "3箱+2瓶"), photo(3, "看不清")]
    assert not tell_details(alike)
    assert tell_details([*alike, photo(4, "2箱")])
    assert tell_details([*alike, photo(5, "1箱", "破损")])
    assert not tell_details([*alike * 50, photo(6, "2箱")]), "one of many may be a mistake"

    sizes: Any = {"side_px": 96, "width": 48, "heads": 4, "queries": 6, "tower": "vit-small-32"}
    model = MiniGPT(MiniGPTConfig(vocabulary_size=len(VOCABULARY), classes=["AB-12"], **sizes))
    model.details.hold()
    assert not model.train().details.training, "what it says of a photo does not depend on chance"
    before = {name: value.clone() for name, value in model.state_dict().items()}
    cells = torch.randn(2, 1, 9, model.tower.channels, requires_grad=True)
    small, _, _ = model.details(cells, torch.randn(2, 1, model.tower.fine_channels, 12, 12))
    assert not small.requires_grad, "and nobody learns for it"
    for lora in (False, True):
        learner: Any = adapted(model) if lora else model
        fit(learner, VOCABULARY, alike, {}, Recipe(epochs=1, views=1), Run(tmp_path / str(lora)))
        now = (merged(learner) if lora else model).state_dict()
        same = {name for name, value in now.items() if torch.equal(value, before[name])}
        assert {name for name in now if name.startswith("details.")} <= same
        assert "qformer.queries" not in same
