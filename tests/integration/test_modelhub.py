"""Model versions: registered whole, promoted by one clear winner, rolled back, tried on a share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import translation

from annotator.core.errors import Conflict, Invalid, NotFound
from annotator.core.models import AuditEntry
from annotator.modelhub import policies, queries, services
from annotator.modelhub.models import LiveModel, ModelChange, ModelVersion
from inference import bundles
from tests import factories
from tests.acting import at_once
from tests.bundles import bundle, tamper

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def version(site: Any, tmp_path: Path, content: str, **also: Any) -> ModelVersion:
    folder = bundle(tmp_path / f"trained-{content}", content)
    return services.register(site, folder, **{"report": {}, "run_key": content, **also})


# --- registering ---------------------------------------------------------------------------------


def test_a_bundle_is_copied_under_its_digest(tmp_path: Path) -> None:
    site = factories.SiteFactory()
    by = factories.UserFactory()
    folder = bundle(tmp_path / "trained")
    one = services.register(
        site, folder, report={"val": {"sku": 0.9}}, snapshot_digest="ab" * 32, run_key="7", by=by
    )
    assert (one.number, one.name, one.source) == (1, "v1", "trained")
    assert one.digest == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    kept = settings.MODELS_DIR / one.digest
    bundles.verify(kept, one.digest)
    assert not (kept / "progress.jsonl").exists(), "only what is sealed is kept"
    assert not list(settings.MODELS_DIR.glob(".*")), "no partial copy is left"
    assert AuditEntry.objects.get(action="model.registered").data["digest"] == one.digest


def test_a_run_registers_once_and_a_bundle_is_one_folder(tmp_path: Path) -> None:
    site = factories.SiteFactory()
    folder = bundle(tmp_path / "trained")
    one = services.register(site, folder, report={}, run_key="7")
    assert services.register(site, folder, report={}, run_key="7") == one
    two = services.register(site, folder, report={}, run_key="8", parent=one)
    assert (two.number, two.digest, two.parent) == (2, one.digest, one)
    imported = services.register(site, folder, report={}, source="imported")
    assert services.register(site, folder, report={}, source="imported") == imported
    assert len(list(settings.MODELS_DIR.iterdir())) == 1


def test_what_is_no_sealed_bundle_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    site = factories.SiteFactory()
    unsealed = tmp_path / "unsealed"
    unsealed.mkdir()
    tampered = bundle(tmp_path / "tampered")
    tamper(tampered)
    escaping = bundle(tmp_path / "escaping")
    manifest = escaping / "manifest.json"
    data = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({"files": {**data["files"], "../secret.json": "0" * 64}}))
    code = bundle(tmp_path / "code")
    (code / "model" / "run.py").write_text("print()")
    data = json.loads((code / "manifest.json").read_text())
    data["files"]["model/run.py"] = hashlib.sha256(b"print()").hexdigest()
    (code / "manifest.json").write_text(json.dumps(data))
    linked = bundle(tmp_path / "linked")
    (linked / "vocabulary.json").rename(tmp_path / "elsewhere.json")
    (linked / "vocabulary.json").symlink_to(tmp_path / "elsewhere.json")
    for folder in (unsealed, tampered, escaping, code, linked, tmp_path / "nowhere"):
        with pytest.raises(Invalid) as refused:
            services.register(site, folder, report={})
        assert refused.value.errors[0].code == "bad_model", folder
    assert not ModelVersion.objects.exists()
    assert not settings.MODELS_DIR.exists() or not list(settings.MODELS_DIR.iterdir())


def test_registering_again_mends_a_broken_folder(tmp_path: Path) -> None:
    site = factories.SiteFactory()
    one = version(site, tmp_path, "one")
    tamper(settings.MODELS_DIR / one.digest)
    with pytest.raises(Conflict, match="broken"):
        services.check_intact(one)
    assert services.register(site, tmp_path / "trained-one", report={}, run_key="one") == one
    services.check_intact(one)
    assert [path.name for path in settings.MODELS_DIR.iterdir()] == [one.digest]


@pytest.mark.django_db(transaction=True)
def test_the_same_run_registered_at_once_is_one_version(tmp_path: Path) -> None:
    site = factories.SiteFactory()
    folder = bundle(tmp_path / "trained")
    got = at_once(*[lambda: services.register(site, folder, report={}, run_key="7")] * 4)
    assert {one.pk for one in got} == {ModelVersion.objects.get().pk}
    others = at_once(
        *[
            lambda n=n: services.register(site, folder, report={}, run_key=f"run-{n}")
            for n in range(4)
        ]
    )
    assert sorted(one.number for one in others) == [2, 3, 4, 5]
    assert [path.name for path in settings.MODELS_DIR.iterdir()] == [others[0].digest]


# --- promoting and rolling back ------------------------------------------------------------------


def test_promotions_are_logged_and_rolled_back_step_by_step(tmp_path: Path) -> None:
    site = factories.SiteFactory()
    by = factories.UserFactory()
    one, two = version(site, tmp_path, "one"), version(site, tmp_path, "two")
    live = services.promote(one, by=by, reason="the first", gate={"passed": True})
    assert (live.champion, live.previous, live.steps, live.revision) == (one, None, 1, 1)
    live = services.promote(two, by=by, reason="better")
    assert (live.champion, live.previous, live.steps) == (two, one, 2)
    live = services.rollback(site, by=by, reason="worse at night")
    assert (live.champion, live.previous, live.steps) == (one, None, 1)
    live = services.rollback(site, by=by, reason="no better")
    assert (live.champion, live.steps) == (None, 0), "back to the shipped base"
    with pytest.raises(Conflict, match="no former"):
        services.rollback(site, by=by, reason="again")
    rows = ModelChange.objects.order_by("revision")
    assert [(r.kind, r.before, r.after, r.reason) for r in rows] == [
        ("promoted", None, one, "the first"),
        ("promoted", one, two, "better"),
        ("rolled_back", two, one, "worse at night"),
        ("rolled_back", one, None, "no better"),
    ]
    assert rows[0].gate == {"passed": True}
    assert rows[0].by == by
    assert AuditEntry.objects.filter(action="model.rolled_back").count() == 2


def test_a_promotion_by_what_is_no_longer_so_is_refused(tmp_path: Path) -> None:
    site = factories.SiteFactory()
    one, two = version(site, tmp_path, "one"), version(site, tmp_path, "two")
    services.promote(one, by=None, reason="", revision=0)
    with pytest.raises(Conflict) as refused:
        services.promote(two, by=None, reason="", revision=0)
    assert refused.value.code == "model_changed"
    with pytest.raises(Conflict, match="live already"):
        services.promote(one, by=None, reason="")
    tamper(settings.MODELS_DIR / two.digest)
    with pytest.raises(Conflict, match="broken"):
        services.promote(two, by=None, reason="")
    assert LiveModel.objects.get().champion == one
    assert ModelChange.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_promotions_at_once_one_wins(tmp_path: Path) -> None:
    site = factories.SiteFactory()
    versions = [version(site, tmp_path, str(n)) for n in range(4)]
    got = at_once(
        *[lambda one=one: services.promote(one, by=None, reason="", revision=0) for one in versions]
    )
    lost = [one for one in got if isinstance(one, Conflict)]
    (won,) = [one for one in got if isinstance(one, LiveModel)]
    assert len(lost) == 3
    assert {one.code for one in lost} == {"model_changed"}
    assert LiveModel.objects.get().champion == won.champion
    assert ModelChange.objects.get().after == won.champion
    # The same version twice, by people who saw nothing: one does it, the other is told.
    other = next(one for one in versions if one != won.champion)
    got = at_once(*[lambda: services.promote(other, by=None, reason="")] * 2)
    assert sorted(type(one).__name__ for one in got) == ["Conflict", "LiveModel"]
    got = at_once(*[lambda: services.rollback(site, by=None, reason="")] * 4)
    assert sum(isinstance(one, LiveModel) for one in got) in (1, 2), (
        "no deeper than there are steps"
    )
    assert not [one for one in got if not isinstance(one, Conflict | LiveModel)]


# --- trials --------------------------------------------------------------------------------------


def test_a_trial_splits_captures_for_good(tmp_path: Path) -> None:
    site = factories.SiteFactory()
    one, two = version(site, tmp_path, "one"), version(site, tmp_path, "two")
    services.promote(one, by=None, reason="")
    keys = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(2000)]
    assert {services.chosen(site, key) for key in keys[:20]} == {one}
    services.start_trial(two, 0.2, by=None)
    choose = queries.chooser(site)
    first = {key for key in keys if choose(key) == two}
    assert 320 < len(first) < 480, "about a fifth"
    again = queries.chooser(site)
    assert first == {key for key in keys if again(key) == two}, "the same arm always"
    services.start_trial(two, 0.5, by=None)
    more = queries.chooser(site)
    wider = {key for key in keys if more(key) == two}
    assert first < wider, "who was in the trial stays in it"
    live = services.end_trial(site, by=None)
    assert (live.challenger, live.challenger_share) == (None, 0.0)
    assert services.chosen(site, next(iter(first))) == one
    with pytest.raises(Conflict, match="No trial"):
        services.end_trial(site, by=None)
    kinds = list(ModelChange.objects.order_by("revision").values_list("kind", flat=True))
    assert kinds == ["promoted", "trial_started", "trial_started", "trial_ended"]


def test_a_promotion_ends_the_trial_and_is_what_rolling_back_undoes(tmp_path: Path) -> None:
    site = factories.SiteFactory()
    one, two = version(site, tmp_path, "one"), version(site, tmp_path, "two")
    services.promote(one, by=None, reason="")
    services.start_trial(two, 1.0, by=None)
    live = services.promote(two, by=None, reason="won")
    assert (live.champion, live.challenger, live.previous) == (two, None, one)
    services.start_trial(one, 0.5, by=None)
    live = services.rollback(site, by=None, reason="")
    assert (live.champion, live.challenger) == (one, None)
    with pytest.raises(Conflict):
        services.start_trial(one, 0.5, by=None)
    for share in (0.0, -0.1, 1.1):
        with pytest.raises(Invalid):
            services.start_trial(two, share, by=None)


def test_nothing_crosses_sites(tmp_path: Path) -> None:
    here, there = factories.SiteFactory(), factories.SiteFactory()
    one = version(here, tmp_path, "one")
    services.promote(one, by=None, reason="")
    assert services.chosen(there, "0" * 64) is None
    assert queries.live_of(there) is None
    with pytest.raises(NotFound):
        queries.find_version(there, "v1")
    with pytest.raises(Invalid):
        version(there, tmp_path, "two", parent=one)


def test_versions_are_found_by_number_or_digest(tmp_path: Path) -> None:
    site = factories.SiteFactory()
    one, two = version(site, tmp_path, "one"), version(site, tmp_path, "two")
    for name in ("v2", "2", "V2", two.digest, two.digest[:12]):
        assert queries.find_version(site, name) == two
    for name in ("v3", "", "zzzz", one.digest[:3]):
        with pytest.raises(NotFound):
            queries.find_version(site, name)


def test_a_refused_version_falls_back_to_what_answered_before(tmp_path: Path) -> None:
    site = factories.SiteFactory()
    one, two, three = (version(site, tmp_path, name) for name in ("one", "two", "three"))
    services.promote(one, by=None, reason="")
    services.promote(two, by=None, reason="")
    services.start_trial(three, 0.5, by=None)
    assert queries.fallbacks(site, three) == [two, one, None]
    assert queries.fallbacks(site, two) == [one, None]
    assert services.note_refusal(two, "gone")
    assert not services.note_refusal(two, "gone"), "told once"
    assert services.note_refusal(two, "")


# --- rules ---------------------------------------------------------------------------------------


def test_ways_back() -> None:
    assert policies.ways_back([]) == []
    assert policies.ways_back([("promoted", None), ("promoted", 1)]) == [None, 1]
    assert policies.ways_back([("promoted", None), ("rolled_back", 1), ("promoted", None)]) == [
        None
    ]


def test_reports_side_by_side() -> None:
    one = {"val": {"sku": 0.8, "kept": True}, "note": "x"}
    rows = policies.side_by_side(one, {"val": {"sku": 0.9}, "seconds": 3})
    assert [(r["figure"], r["one"], r["other"]) for r in rows] == [
        ("seconds", None, 3.0),
        ("val.sku", 0.8, 0.9),
    ]
    assert rows[1]["change"] == pytest.approx(0.1)
