"""Teaching: killed and gone on with, on two devices, weighted, watched and written down."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training wants torch: pip install -e '.[train]'")

from safetensors.torch import load_file, save_file  # noqa: E402

from inference import bundles  # noqa: E402
from inference.engines import EngineError  # noqa: E402
from inference.minigpt.config import MiniGPTConfig  # noqa: E402
from inference.minigpt.model import MiniGPT  # noqa: E402
from inference.minigpt.vocabulary import Vocabulary  # noqa: E402
from inference.scenes.dataset import write_dataset  # noqa: E402
from inference.training.answers import Answers  # noqa: E402
from inference.training.course import PARTS, Course, _start  # noqa: E402
from inference.training.fit import Epoch, Run, fit, stuck  # noqa: E402
from inference.training.judge import main as judge_main  # noqa: E402
from inference.training.judge import seen_often  # noqa: E402
from inference.training.losses import causal_loss  # noqa: E402
from inference.training.recipe import Recipe  # noqa: E402
from inference.training.snapshot import Snapshot, SnapshotError, read_snapshot  # noqa: E402

VOCABULARY = Vocabulary.default()


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rendered photos of a few SKUs."""
    root = tmp_path_factory.mktemp("scenes")
    write_dataset(root, scenes=24, seed=5, cam_types=("front",), size_px=(160, 120), catalog=4)
    return root


def tiny(snapshot: Snapshot) -> MiniGPT:
    torch.manual_seed(3)
    config = MiniGPTConfig(
        vocabulary_size=len(VOCABULARY),
        tower="vit-small-32",
        side_px=64,
        width=48,
        heads=4,
        queries=6,
        classes=sorted(snapshot.catalog),
    )
    return MiniGPT(config)


def weights(model: MiniGPT) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


class Killed(Exception):
    pass


def test_a_killed_training_goes_on_and_ends_the_same(scenes: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    snapshot = read_snapshot(scenes)
    records, unseen = snapshot.splits["train"], snapshot.splits["val"]
    recipe = Recipe(epochs=4, views=2, batch=8, accumulate=2)

    def train(folder: Path, kill_after: int | None = None) -> MiniGPT:
        model = tiny(snapshot)

        def epoch(done: Epoch, of: int) -> None:
            assert of == 4 and done.exact and done.memory_mb > 0
            if done.number == kill_after:
                raise Killed

        run = Run(folder, epoch=epoch, unseen=unseen)
        fit(model, VOCABULARY, records, snapshot.catalog, recipe, run)
        return model

    whole = weights(train(tmp_path / "whole"))
    for after in (1, 3):
        with pytest.raises(Killed):
            train(tmp_path / "killed", kill_after=after)
    resumed = weights(train(tmp_path / "killed"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_it_survives_being_killed_as_a_process(scenes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "inference.training", "--snapshot", str(scenes)]
    command += ["--out", str(out), "--side", "64", "--looks", "1", "--views", "1", "--threads", "1"]
    command += ["--epochs", "24", "--batch", "8", "--resume", "--json"]

    def epochs() -> list[dict[str, object]]:
        path = out / "progress.jsonl"
        lines = path.read_text("utf-8").splitlines() if path.is_file() else []
        return [line for line in map(json.loads, lines) if line["stage"] == "epochs"]

    for kills in (1, 2):
        before = len(epochs())
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as trainer:
            deadline = time.monotonic() + 240
            while len(epochs()) <= before and time.monotonic() < deadline:
                time.sleep(0.05)
            trainer.send_signal(signal.SIGKILL)
        assert len(epochs()) > before, f"nothing was learned before kill {kills}"
    found = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert found.returncode == 0, found.stderr[-2000:]
    assert json.loads(found.stdout.splitlines()[-1])["ok"]
    assert sorted({int(str(line["done"])) for line in epochs()}) == list(range(1, 25))
    assert not (out / "work").exists(), "what a killed run goes on from is no longer needed"
    assert list((out / "curves").rglob("events.out.tfevents*")), "curves for TensorBoard"
    answers = [json.loads(line) for line in (out / "answers.jsonl").read_text("utf-8").splitlines()]
    asked = read_snapshot(scenes).splits["val"]
    assert {a["image_id"] for a in answers} == {r.image_id for r in asked}
    for answer in answers:
        right = {k: answer["said"].get(k) == v for k, v in answer["truth"].items()}
        assert answer["correct"] == right and answer["whole"] == all(right.values())
        assert set(answer["confidence"]) == set(right) and len(answer["top_5"]) <= 5
        assert answer["cam_type"] == "front" and answer["rarity"] in ("head", "tail")
    again = tmp_path / "answers.jsonl"
    options = ["--model", str(out), "--snapshot", str(scenes), "--out", str(again)]
    assert judge_main(options) == 0
    ids = [json.loads(line)["image_id"] for line in again.read_text("utf-8").splitlines()]
    assert ids == [a["image_id"] for a in answers]


TWO = """
import sys, torch
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from test_training import VOCABULARY, Recipe, Run, fit, read_snapshot, tiny
torch.set_num_threads(1)
snapshot = read_snapshot(Path(sys.argv[1]))
model = tiny(snapshot)
recipe = Recipe(epochs=2, views=1, batch=8)
fit(model, VOCABULARY, snapshot.splits["train"], snapshot.catalog, recipe, Run(Path(sys.argv[2])))
"""


def test_two_processes_learn_one_model(scenes: Path, tmp_path: Path) -> None:
    """Each takes half of every batch; the gradients are those of both."""
    script = tmp_path / "two.py"
    script.write_text(TWO)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", str(script), str(scenes), str(tmp_path / "work")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}
    environment |= {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    here = str(Path(__file__).parent)
    found = subprocess.run(
        [*command, here], capture_output=True, text=True, timeout=400, env=environment
    )
    assert found.returncode == 0, found.stderr[-3000:]
    learned = load_file(tmp_path / "work/checkpoint.safetensors")
    fresh = weights(tiny(read_snapshot(scenes)))
    moved = [name for name in fresh if not torch.equal(fresh[name], learned[f"model.{name}"])]
    assert len(moved) > 0.7 * len(fresh)


def test_nothing_is_learned_from_what_has_no_weight(scenes: Path, tmp_path: Path) -> None:
    lines = (scenes / "annotations/train.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    rows[0]["weight"] = 0.0
    changed = tmp_path / "snapshot"
    changed.mkdir()
    for name in ("images", "metadata"):
        (changed / name).symlink_to(scenes / name)
    (changed / "annotations").mkdir()

    def write() -> None:
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        (changed / "annotations/train.jsonl").write_text(text, "utf-8")

    write()
    with pytest.raises(SnapshotError, match="leads out"):
        read_snapshot(changed)  # pictures are in the snapshot itself
    for name in ("images", "metadata"):
        (changed / name).unlink()
        (scenes / name).rename(changed / name)
    try:
        records = read_snapshot(changed).splits["train"]
        answers = Answers.of(records, {}, VOCABULARY, MiniGPTConfig())
        assert answers.weights[0] == 0 and answers.weights.mean() == pytest.approx(1)
        logits = torch.randn(2, 3, 9)
        wanted = torch.tensor([[1, 2, 3], [4, 5, 0]])
        both = causal_loss(logits, wanted, torch.tensor([0.0, 1.0]), 0.0)
        alone = causal_loss(logits[1:], wanted[1:], torch.ones(1), 0.0)
        assert both == pytest.approx(alone)
        balanced = Answers.of(records, {}, VOCABULARY, MiniGPTConfig(), balance=1.0)
        codes = [r.sku for r in records]
        shares = {
            c: sum(float(w) for w, k in zip(balanced.weights, codes, strict=True) if k == c)
            for c in set(codes[1:]) - {codes[0]}
        }
        assert max(shares.values()) == pytest.approx(min(shares.values()), rel=1e-4)
        rows[1]["weight"] = -1
        write()
        with pytest.raises(SnapshotError, match=r"line 2: the weight -1\.0"):
            read_snapshot(changed)
    finally:
        for name in ("images", "metadata"):
            (changed / name).rename(scenes / name)


def test_counting_is_learned_by_a_fork_of_the_tower(scenes: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    snapshot = read_snapshot(scenes)
    records, told = snapshot.splits["train"], []
    recipe = Recipe(epochs=1, views=1, batch=8, hold_tower=True, detail_epochs=1)

    def train(folder: Path) -> tuple[MiniGPT, dict[str, torch.Tensor]]:
        torch.manual_seed(3)
        sizes: dict[str, Any] = {"side_px": 64, "width": 48, "heads": 4, "queries": 6, **PARTS}
        model = MiniGPT(MiniGPTConfig(vocabulary_size=len(VOCABULARY), **sizes))
        before = weights(model)
        run = Run(folder, progress=lambda stage, done, of: told.append(stage))
        fit(model, VOCABULARY, records, snapshot.catalog, recipe, run)
        return model, before

    model, before = train(tmp_path / "run")
    assert list(dict.fromkeys(told)) == ["views", "details"]
    moved = {k for k, v in model.state_dict().items() if not torch.equal(v, before[k])}
    fork = {f"tower.fork.{k}" for k, _ in model.tower.fork.named_parameters()}
    assert fork <= moved, "all of the fork"
    assert not {k for k in moved if k.startswith("tower.")} - fork, "and nothing else of the tower"
    assert {k for k in before if k.startswith("details.among.")} <= moved
    assert not any(p.requires_grad for p in model.tower.parameters())
    # What was learned of counting is not learned again by a run that goes on.
    (tmp_path / "run/checkpoint.safetensors").unlink()
    told.clear()
    again, _ = train(tmp_path / "run")
    assert "details" not in told
    now = again.state_dict()
    assert {k for k, v in model.state_dict().items() if not torch.equal(v, now[k])} == set()


def test_a_base_is_begun_from_one_that_has_no_fork(tmp_path: Path) -> None:
    sizes: dict[str, Any] = {"side_px": 64, "width": 48, "heads": 4, "queries": 6}
    torch.manual_seed(3)
    plain = MiniGPT(MiniGPTConfig(vocabulary_size=len(VOCABULARY), **sizes)).eval()
    plain.save_pretrained(tmp_path / "model")
    (tmp_path / "vocabulary.json").write_text(json.dumps(VOCABULARY.to_json()), "utf-8")
    _, forked = _start(Course(Recipe(), tmp_path, joint=True, general=True), [])
    _, same = _start(Course(Recipe(), tmp_path, joint=True), ["A"])
    assert forked.config.tower == PARTS["tower"] and same.config.tower == plain.config.tower
    pixels = torch.randn(2, 1, 3, 64, 64)
    with torch.no_grad():  # new parts see what the old ones saw, and add nothing to it
        for name, logits in plain.encode(pixels).heads.items():
            torch.testing.assert_close(forked.eval().encode(pixels).heads[name], logits)


def test_a_base_takes_what_fits_of_one_of_an_earlier_make(tmp_path: Path) -> None:
    sizes: dict[str, Any] = {"side_px": 64, "width": 48, "heads": 4, "queries": 6}
    config = MiniGPTConfig(vocabulary_size=len(VOCABULARY), **sizes, **PARTS, make=bundles.MAKE - 1)
    MiniGPT(config).save_pretrained(tmp_path / "model")
    (tmp_path / "vocabulary.json").write_text(json.dumps(VOCABULARY.to_json()), "utf-8")
    kept = tmp_path / "model/model.safetensors"
    known = load_file(kept)
    save_file({**known, "heads.stack_level.weight": torch.zeros(5, 7)}, kept, {"format": "pt"})
    bundles.seal(tmp_path)
    _, model = _start(Course(Recipe(), tmp_path, joint=True, general=True), [])
    now = model.state_dict()
    assert {k for k in now if not torch.equal(now[k], known[k])} == {"heads.stack_level.weight"}
    assert model.config.make == bundles.MAKE
    with pytest.raises(EngineError, match="another version"):
        _start(Course(Recipe(), tmp_path, joint=True), ["A"])


def test_the_head_has_most_of_the_photos(scenes: Path) -> None:
    snapshot = read_snapshot(scenes)
    head = seen_often(snapshot)
    train = snapshot.splits["train"]
    assert 0.8 * len(train) <= sum(r.sku in head for r in train)
    least = min(head, key=lambda code: sum(r.sku == code for r in train))
    assert sum(r.sku in head - {least} for r in train) < 0.8 * len(train)


def test_it_stops_where_nothing_becomes_better() -> None:
    def epochs(*shares: float) -> list[Epoch]:
        return [Epoch(n, 1.0, 0.1, {"sku": s}, 1, 1.0) for n, s in enumerate(shares)]

    assert not stuck(epochs(0.5, 0.4, 0.4, 0.4), 0)
    assert stuck(epochs(0.5, 0.4, 0.4, 0.4), 3)
    assert not stuck(epochs(0.5, 0.4, 0.4), 3)
    assert not stuck(epochs(0.5, 0.4, 0.4, 0.6), 3)
