"""Scenes to learn from: what their truth says can be seen in them."""

import random

import numpy as np
import pytest
import zxingcpp
from PIL import Image, ImageDraw

from inference.captions import parse
from inference.evidence.ocr import TextReader
from inference.scenes import TRAINING_MIX, demo_catalog, invented_catalog, render_scene
from inference.scenes.arrangement import arrange
from inference.scenes.camera import aim
from inference.scenes.packs import bag_print, block_print, wrap_print
from inference.scenes.pointing import on_quad
from inference.scenes.surfaces import block_corners, face_quads, paste_face

CATALOG = invented_catalog(400, 3)
FORMS = ("carton", "box", "bottle", "bag", "can", "cup", "tray")
SMALL = (480, 360)


def of_form(form, skip=0):
    return [sku for sku in CATALOG if sku.form == form][skip]


@pytest.mark.parametrize("count", range(1, 25))
def test_every_unit_can_be_seen_from_some_side(count):
    sku = of_form(FORMS[count % len(FORMS)], count % 3)
    scene = render_scene(sku, 50 + count, size_px=SMALL, count=count, mix=TRAINING_MIX)
    views = scene.truth.views
    assert scene.truth.count == count
    assert parse(scene.truth.caption).values["quantity"] == f"{count}{sku.unit}"
    assert max(view.units_shown for view in views.values()) == count
    for view in views.values():
        assert 1 <= view.units_shown <= count


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_stacks_are_as_high_as_asked(form, level):
    sku = of_form(form)
    highest = TRAINING_MIX.highest[sku.package_type]
    got = arrange(sku, random.Random(1), mix=TRAINING_MIX, count=10, stack_level=level)
    assert len(got.units) == 10
    assert got.stack_level == max(u.level for u in got.units) + 1
    if level > 1:
        assert got.stack_level == min(level, highest)


@pytest.mark.parametrize("form", ["carton", "tray", "can", "bag"])
def test_several_rows_stand_one_level_high(form):
    sku = of_form(form)
    draws = [arrange(sku, random.Random(seed), mix=TRAINING_MIX, count=12) for seed in range(40)]
    deep = [drawn for drawn in draws if drawn.rows > 1]
    assert 3 <= len(deep) <= 30
    for drawn in deep:
        assert drawn.stack_level == 1
        assert len({u.row_y for u in drawn.units}) == drawn.rows


@pytest.mark.parametrize("form", FORMS)
def test_each_grade_looks_unlike_the_others(form):
    sku = of_form(form)
    photos = [
        np.asarray(
            render_scene(sku, 8, cam_types=("front",), size_px=SMALL, count=1, grade=grade).views[
                "front"
            ],
            int,
        )
        for grade in range(5)
    ]
    for a in range(5):
        for b in range(a):
            assert (np.abs(photos[a] - photos[b]).max(axis=2) > 40).mean() > 0.01, (a, b)


def test_a_span_lands_where_its_print_lands():
    """Paint a patch on a face, draw the face, and find the patch in the box."""
    span = (0.2, 0.3, 0.7, 0.5)
    size = (400, 300)
    face = Image.new("RGB", size, "white")
    corners = [round(share * side) for share, side in zip(span, size * 2, strict=True)]
    ImageDraw.Draw(face).rectangle(corners, fill=(255, 0, 255))
    points = block_corners((0, 0, 0), (40, 30, 30), 5)
    camera = aim(points, yaw_deg=50, elevation_deg=15, size_px=SMALL, fill=0.8)
    canvas = Image.new("RGB", SMALL, "white")
    quad = face_quads(points, camera)["front"]
    paste_face(canvas, face, quad)
    x0, y0, x1, y1 = on_quad({"name": span}, quad)["name"]
    pixels = np.asarray(canvas, int)
    seen = (pixels[:, :, 0] > 180) & (pixels[:, :, 1] < 90)
    xs, ys = np.flatnonzero(seen.any(axis=0)), np.flatnonzero(seen.any(axis=1))
    found = np.array([xs[0], ys[0], xs[-1] + 1, ys[-1] + 1])
    assert np.abs(found - [x0, y0, x1, y1]).max() <= 3


def letters(text):
    # Wide gaps around dots part the code in the reader's eyes.
    return "".join(c for c in text if c.isalnum())


def _sharp_labelled(form, wanted):
    """Front photos of one pack with a label, of several SKUs."""
    found = []
    for sku in [sku for sku in CATALOG if sku.form == form]:
        for seed in range(6):
            scene = render_scene(
                sku, seed, cam_types=("front",), count=1, grade=0, mix=TRAINING_MIX
            )
            view = scene.truth.views["front"]
            if view.look.sharp and "code" in view.words:
                found.append(scene)
                break
        if len(found) == wanted:
            return found
    raise AssertionError(f"too few labelled scenes of {form}")


@pytest.mark.parametrize("form", ["carton", "bag"])
def test_the_code_on_the_label_reads_in_its_box(form):
    reader = TextReader()
    scenes = _sharp_labelled(form, 4)
    right = 0
    for scene in scenes:
        x, y, w, h = scene.truth.views["front"].words["code"]
        photo = scene.views["front"].crop((x - 6, y - 6, x + w + 6, y + h + 6))
        text = "".join(line.text for line in reader.read(photo))
        right += letters(scene.truth.sku.code) in letters(text)
    assert right >= 3


def test_the_barcode_reads_in_its_box():
    right = sharp = 0
    for sku in [s for s in CATALOG if s.form == "carton"][:8]:
        scene = render_scene(sku, 4, cam_types=("front",), count=1, grade=0)
        view = scene.truth.views["front"]
        if not view.look.sharp or "barcode" not in view.words:
            continue
        sharp += 1
        x, y, w, h = view.words["barcode"]
        photo = (
            scene.views["front"]
            .crop((x - 8, y - 8, x + w + 8, y + h + 8))
            .resize((3 * w + 48, 3 * h + 48))
        )
        right += sku.barcode in {f.text for f in zxingcpp.read_barcodes(np.asarray(photo))}
    assert sharp >= 4
    assert right >= 0.75 * sharp


@pytest.mark.parametrize(
    "sku", [CATALOG[0], CATALOG[9], *demo_catalog()[::9]], ids=lambda s: s.code
)
def test_prints_know_their_words(sku):
    if sku.package_type in ("carton", "tray"):
        pack = block_print(sku, "front", False, 0.5)
    elif sku.package_type == "bag":
        pack = bag_print(sku, False, 0.5)
    else:
        pack = wrap_print(sku, False, 0.5)
    assert {"brand", "name", "spec", "barcode"} <= set(pack.words)
    for left, top, right, bottom in pack.words.values():
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1


def test_words_lie_in_the_box_of_the_goods():
    for form in FORMS:
        scene = render_scene(of_form(form), 5, size_px=SMALL, count=2, grade=0, mix=TRAINING_MIX)
        for view in scene.truth.views.values():
            left, top, width, height = view.bbox
            for x, y, w, h in view.words.values():
                assert left - 4 <= x + w / 2 <= left + width + 4
                assert top - 4 <= y + h / 2 <= top + height + 4
        assert scene.truth.views["front"].words


def test_an_invented_scene_is_the_same_every_time():
    a, b = (
        render_scene(of_form("can"), 3, cam_types=("side",), size_px=SMALL, mix=TRAINING_MIX)
        for _ in range(2)
    )
    assert a.views["side"].tobytes() == b.views["side"].tobytes()
    assert a.truth == b.truth
