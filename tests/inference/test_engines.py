"""Engines: they answer as torch does, in every precision; which is chosen; plans for GPUs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image, ImageDraw

from inference.engines import EngineError, choose, open_engine
from inference.engines import onnx as ort
from inference.engines.__main__ import main as engines_main
from inference.engines.base import GRAPHS, Engine, Graph, graph_path, has_graphs
from inference.engines.cuda import Gpu
from inference.engines.measure import catalog_of
from inference.engines.onnx import OnnxEngine, overflows
from inference.engines.parity import LIMITS, Answers, Parity
from inference.engines.plans import Profile, Target, batch_profiles, fingerprint, step_profiles
from inference.minigpt.pixels import to_pixels
from tests.inference import host_cuda

torch = pytest.importorskip("torch", reason="training wants torch: pip install -e '.[train]'")

from inference.engines import cuda, plans, precision  # noqa: E402
from inference.engines.floor import Machine, work_of  # noqa: E402
from inference.engines.tensorrt import TensorRTEngine, profiles_of  # noqa: E402
from inference.engines.torch import TorchEngine  # noqa: E402
from inference.minigpt.config import MiniGPTConfig  # noqa: E402
from inference.minigpt.model import MiniGPT  # noqa: E402
from inference.minigpt.vocabulary import Vocabulary  # noqa: E402
from inference.training.export import export_onnx  # noqa: E402
from inference.training.fit import Run, fit  # noqa: E402
from inference.training.quantize import quantize  # noqa: E402
from inference.training.recipe import Recipe  # noqa: E402
from inference.training.snapshot import Record  # noqa: E402

SIDE_PX = 96
COLOURS = {"RED-1": (200, 30, 30), "GREEN-2": (30, 160, 40), "BLUE-3": (30, 60, 200)}


def cartons(count: int, seed: int) -> list[tuple[str, Image.Image]]:
    """Cartons before a grey wall, whose colour tells the SKU."""
    rng = np.random.default_rng(seed)
    made = []
    for n in range(count):
        code = list(COLOURS)[n % len(COLOURS)]
        picture = Image.fromarray(rng.integers(90, 130, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8))
        left, top = rng.integers(8, 30, 2).tolist()
        ImageDraw.Draw(picture).rectangle((left, top, left + 50, top + 56), fill=COLOURS[code])
        made.append((code, picture))
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learned three cartons, as training leaves it, int8 included."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("model")
    records = []
    for n, (code, picture) in enumerate(cartons(36, seed=1)):
        picture.save(root / f"{n}.png")
        values = {
            "sku": code,
            "category": "纸箱",
            "condition": "完好无损",
        }  # each head learns something
        attributes = {"stack_level": 1, "package_type": "carton"}
        records.append(Record(str(n), root / f"{n}.png", values, attributes))
    vocabulary = Vocabulary.default()
    torch.manual_seed(3)
    model = MiniGPT(
        MiniGPTConfig(
            vocabulary_size=len(vocabulary),
            side_px=SIDE_PX,
            looks=(1.0, 0.7),
            width=96,
            heads=4,
            queries=8,
            classes=sorted(COLOURS),
        )
    )
    model.tower.load_imagenet()
    recipe = Recipe(epochs=6, views=1, batch=6)
    fit(model, vocabulary, records, {}, recipe, Run(root / "work"))
    model.save_pretrained(root / "model")
    export_onnx(model, root / "onnx")
    text = json.dumps(vocabulary.to_json(), ensure_ascii=False)
    (root / "vocabulary.json").write_text(text, "utf-8")
    report = quantize(root / "onnx", seen(root, 24, seed=2), catalog_of(root))
    assert report["kept"], report
    return root


def seen(folder: Path, count: int, seed: int) -> np.ndarray:
    config = json.loads((folder / "model/config.json").read_text("utf-8"))
    pictures = [picture for _, picture in cartons(count, seed)]
    return to_pixels(pictures, config["side_px"], config["looks"])


# --- parity --------------------------------------------------------------------------------------


def open_half(folder: Path, tmp_path: Path) -> Engine:
    """The graphs that TensorRT is given in half, computed by ONNX Runtime."""
    for graph in GRAPHS:
        graph_path(tmp_path, graph).write_bytes(plans.source_of(folder / "onnx", graph, "fp16"))
    return OnnxEngine(tmp_path)


def open_signed(folder: Path, tmp_path: Path) -> Engine:
    """The graphs that TensorRT is given in int8, computed by ONNX Runtime."""
    for graph in GRAPHS:
        graph_path(tmp_path, graph).write_bytes(plans.source_of(folder / "onnx", graph, "int8"))
    return OnnxEngine(tmp_path)


def open_tensorrt(folder: Path, kind: Any) -> Engine:
    try:
        return open_engine(folder, kind)
    except EngineError as error:
        pytest.skip(f"NOT TESTED HERE: {kind}: {error}")


ENGINES: dict[str, tuple[Any, Any]] = {
    "torch": ("fp32", lambda folder, _: open_engine(folder, "torch")),
    "onnx": ("fp32", lambda folder, _: open_engine(folder, "onnx")),
    "onnx-int8": ("int8", lambda folder, _: open_engine(folder, "onnx-int8")),
    "tensorrt's graphs in half": ("fp16", open_half),
    "tensorrt's graphs in int8": ("int8", open_signed),
    "tensorrt": ("fp16", lambda folder, _: open_tensorrt(folder, "tensorrt")),
    "tensorrt-int8": ("int8", lambda folder, _: open_tensorrt(folder, "tensorrt-int8")),
}


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_answers_as_torch_does(name: str, folder: Path, tmp_path: Path) -> None:
    kind, opened = ENGINES[name]
    engine: Engine = opened(folder, tmp_path)
    reference = TorchEngine.open(folder / "model", device="cpu")
    assert engine.pixel_shape == reference.pixel_shape == (2, 3, SIDE_PX, SIDE_PX)
    pixels, tree = seen(folder, 18, seed=5), catalog_of(folder)
    wanted = Answers.of(reference, pixels, tree)
    truth = [sorted(COLOURS).index(code) for code, _ in cartons(18, seed=5)]
    assert (wanted.heads["sku"].argmax(axis=1) == truth).mean() > 0.9, "it has learned"
    parity = Parity.of(wanted, Answers.of(engine, pixels, tree))
    assert parity.misses(LIMITS[kind]) == []


def test_parity_tells_what_is_out_of_its_limits() -> None:
    near = Parity(1e-5, 0, 0, 0, 1.0, 0, 1.0)
    assert near.misses(LIMITS["fp32"]) == []
    far = Parity(1e-5, 0, 0.5, 0.1, 0.9, 0, 1.0)
    assert [said.split()[0] for said in far.misses(LIMITS["fp32"])] == [
        "units",
        "heads",
        "heads_top_1",
    ]


def test_int8_is_smaller_and_left_out_where_it_answers_otherwise(folder: Path) -> None:
    for graph in ("encode", "begin"):
        whole, small = (graph_path(folder / "onnx", graph, p) for p in ("fp32", "int8"))
        assert small.stat().st_size < 0.4 * whole.stat().st_size


def test_int8_that_changes_answers_is_not_kept(folder: Path, tmp_path: Path) -> None:
    for graph in GRAPHS:
        graph_path(tmp_path, graph).write_bytes(graph_path(folder / "onnx", graph).read_bytes())
    strict = Parity(0, 0, np.inf, 0, 1.0, 0, 1.0)
    report = quantize(tmp_path, seen(folder, 4, seed=2), catalog_of(folder), limits=strict)
    assert not report["kept"] and "past" in report["misses"][0]
    assert not has_graphs(tmp_path, "int8") and has_graphs(tmp_path)


def test_quantised_is_what_multiplies_weights(folder: Path) -> None:
    import onnx

    for graph in ("encode", "step"):
        whole = onnx.load(graph_path(folder / "onnx", graph))
        weights = {one.name for one in whole.graph.initializer}
        alone = set(precision.left_alone(whole))
        for node in whole.graph.node:
            if node.op_type == "MatMul":
                assert (node.name in alone) == (node.input[1] not in weights)
            if node.op_type == "Conv":
                assert (node.name in alone) == ("details/unit" in node.name)
        units = [name for name in alone if "details/unit" in name]
        assert len(units) == (graph == "encode"), "two cells of a heat map may not become equal"
    assert all(n.name in alone for n in whole.graph.node if n.op_type == "Add"), "the mask's sum"


# --- choosing ------------------------------------------------------------------------------------


def test_whether_int8_overflows_is_asked_of_the_cpu() -> None:
    import onnx
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info
    inputs = [value("a", TensorProto.UINT8, ["n", "k"]), value("b", TensorProto.INT8, ["k", "m"])]
    output = value("product", TensorProto.INT32, ["n", "m"])
    node = helper.make_node("MatMulInteger", ["a", "b"], ["product"])
    graph = helper.make_graph([node], "multiply", inputs, [output])
    opset = helper.make_opsetid("", 13)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    assert onnx.load(ort.MULTIPLY) == model
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.is_file() or "avx2" not in cpuinfo.read_text():
        pytest.skip("NOT TESTED: which CPUs overflow is known of x86 with AVX2 on Linux")
    assert overflows() is not ("_vnni" in cpuinfo.read_text())


def test_auto_takes_the_fastest_that_is_here(folder: Path, tmp_path: Path) -> None:
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        assert choose(folder) == "onnx-int8"
    for graph in GRAPHS:
        path = graph_path(tmp_path / "onnx", graph)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(graph_path(folder / "onnx", graph).read_bytes())
    assert choose(tmp_path) == "onnx"
    (tmp_path / "onnx/begin.onnx").unlink()
    with pytest.raises(EngineError, match="holds no model"):
        choose(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model/config.json").write_text("{}", "utf-8")
    assert choose(tmp_path) == "torch"


def test_errors_say_what_is_missing(folder: Path, tmp_path: Path) -> None:
    for kind in ("torch", "onnx", "onnx-int8"):
        with pytest.raises(EngineError, match="holds no"):
            open_engine(tmp_path, kind)  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="is no engine"):
        open_engine(folder, "abacus")  # type: ignore[arg-type]


def test_a_machine_without_torch_infers(folder: Path) -> None:
    script = """
import sys
for name in ("torch", "transformers", "onnx", "tensorrt", "tensorrt_rtx", "cuda"):
    sys.modules[name] = None
from pathlib import Path
import numpy as np
from inference.engines import EngineError, open_engine
from inference.engines.measure import catalog_of
from inference.engines.parity import Answers
folder = Path(sys.argv[1])
engine = open_engine(folder)
answers = Answers.of(engine, np.zeros((2, *engine.pixel_shape), np.float32), catalog_of(folder))
try:
    open_engine(folder, "torch")
except EngineError as error:
    print(type(engine).__name__, answers.written.shape, error)
"""
    found = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith("OnnxEngine (2, 3) torch and transformers are not installed")


# --- TensorRT ------------------------------------------------------------------------------------


def test_a_plan_is_named_after_all_that_it_depends_on(folder: Path, tmp_path: Path) -> None:
    trt = ModuleType("tensorrt")
    trt.__version__ = "11.4.0.106"  # type: ignore[attr-defined]
    gpu = Gpu("NVIDIA GeForce RTX 4090", (8, 9), "570.86.15")
    target = Target.here(gpu, trt)
    name = target.plan_name("encode", "fp16", fingerprint(folder / "onnx", "encode", "fp16"))
    assert name.startswith("encode.fp16.nvidia-geforce-rtx-4090.sm89.tensorrt11.4.0.106.570.86.15.")
    others = [
        Target.here(Gpu("NVIDIA L40", (8, 9), "570.86.15"), trt),
        Target.here(Gpu(gpu.name, (8, 9), "580.1"), trt),
    ]
    sha256 = fingerprint(folder / "onnx", "encode", "fp16")
    assert name not in {other.plan_name("encode", "fp16", sha256) for other in others}
    assert fingerprint(folder / "onnx", "encode", "int8") != sha256, "its ranges count"
    assert fingerprint(folder / "onnx", "step", "fp16") != sha256


def test_profiles_cover_a_token_a_tree_and_batches(folder: Path) -> None:
    for graph in GRAPHS:
        for profile in profiles_of(folder / "onnx", graph):
            for least, likely, most in profile.shapes.values():
                assert all(a <= b <= c for a, b, c in zip(least, likely, most, strict=True))
    few, many = step_profiles(["b", 3, 2, 6, "p", 32], queries=16)

    def shapes(batch: int, tokens: int, past: int) -> dict[str, tuple[int, ...]]:
        return {
            "tokens": (batch, tokens),
            "place": (batch, tokens),
            "past": (batch, 3, 2, 6, past, 32),
            "mask": (batch, 1, tokens, past + tokens),
        }

    assert few.fits(shapes(1, 1, 16)) and few.fits(shapes(8, 32, 16 + 256))
    assert not few.fits(shapes(1, 33, 16)) and many.fits(shapes(1, 4096, 16 + 256))
    assert not few.fits(shapes(9, 1, 16)) and not many.fits(shapes(1, 5000, 16))
    assert isinstance(batch_profiles("pixels", (3, 8, 8))[1], Profile)


@pytest.mark.parametrize("kind", ["fp16", "int8"])
def test_plans_for_an_rtx_4090_are_built_without_a_gpu(folder: Path, kind: Any) -> None:
    try:
        trt = plans.load("tensorrt_rtx")
    except EngineError:
        pytest.skip("NOT TESTED HERE: tensorrt-rtx-cu12 is not installed (pip install '.[rtx]')")
    target = Target.ahead((8, 9), trt)
    for graph in GRAPHS:
        source = plans.source_of(folder / "onnx", graph, kind)
        began = time.perf_counter()
        plan = plans.build(trt, source, profiles_of(folder / "onnx", graph), target)
        took = time.perf_counter() - began
        print(f"\n{graph} {kind} sm89: {took:.1f} s, {len(plan) / 1e6:.1f} MB")
        assert 1e5 < len(plan) < 1e8
    with pytest.raises(EngineError, match="cannot read the graph"):
        plans.build(trt, b"no graph", (), target)


@pytest.mark.parametrize("kind", ["fp16", "int8"])
def test_buffers_profiles_and_shapes_of_a_running_plan(
    kind: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda, "_cuda", host_cuda)
    graphs = folder / "onnx"
    plan_of: dict[Graph, bytes] = {graph: graph.encode() for graph in GRAPHS}
    known = {
        plan_of[graph]: host_cuda.Plan(
            plans.source_of(graphs, graph, kind), profiles_of(graphs, graph)
        )
        for graph in GRAPHS
    }
    engine = TensorRTEngine(host_cuda.tensorrt(known), plan_of)
    pixels, tree = seen(folder, 10, seed=6), catalog_of(folder)
    wanted = Answers.of(TorchEngine.open(folder / "model", device="cpu"), pixels, tree)
    assert Parity.of(wanted, Answers.of(engine, pixels, tree)).misses(LIMITS[kind]) == []
    buffers = len(host_cuda.held)
    engine.encode(pixels[:1])
    assert len(host_cuda.held) == buffers, "buffers are kept"
    with pytest.raises(EngineError, match="was not built for"):
        engine.encode(pixels[:9])
    with pytest.raises(EngineError, match="cannot load the plan"):
        TensorRTEngine(host_cuda.tensorrt({}), plan_of)


# --- figures -------------------------------------------------------------------------------------


def test_work_is_counted_by_hand(tmp_path: Path) -> None:
    module = torch.nn.Sequential(
        torch.nn.Conv2d(4, 8, 3, padding=1, groups=2), torch.nn.Flatten(), torch.nn.Linear(200, 7)
    )
    given = np.zeros((2, 4, 5, 5), np.float32)
    path = tmp_path / "graph.onnx"
    torch.onnx.export(
        module.eval(), (torch.zeros(2, 4, 5, 5),), str(path), input_names=["x"], dynamo=False
    )
    work = work_of(path, {"x": given})
    assert work.macs == 2 * 8 * 25 * (2 * 9) + 2 * 7 * 200
    assert work.weight_bytes == 4 * (8 * 2 * 9 + 8 + 7 * 200 + 7)
    assert work.io_bytes == given.nbytes + 4 * 2 * 7
    assert Machine(1e3, 4e3, 1e12).floor_s(work) == pytest.approx(work.macs / 1e3)
    assert Machine(1e12, 1e12, 1e3).floor_s(work, int8=True) == pytest.approx(
        (work.weight_bytes + work.io_bytes) / 1e3
    )


def test_one_command_prints_the_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--model", str(folder), "--batches", "1", "2", "--times", "3", "--pictures", "6"]
    assert (
        engines_main(
            [*command, "--engines", "onnx", "onnx-int8", "--photos", str(folder), "--json"]
        )
        == 0
    )
    said = json.loads(capsys.readouterr().out)
    rows = {row["engine"]: row for row in said["engines"]}
    assert rows["onnx"]["against"] == "torch" and rows["onnx"]["misses"] == []
    assert set(rows["onnx-int8"]["ms"]["photo"]) == {"1", "2"}
    assert (
        said["floor"]["encode int8"]["weight_bytes"] < said["floor"]["encode fp32"]["weight_bytes"]
    )
    assert engines_main(["--model", str(folder / "none")]) == 1
    assert "error" in capsys.readouterr().err
