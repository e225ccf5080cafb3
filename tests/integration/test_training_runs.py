"""Training runs: one at a time, carried out by a child process, found again after a kill, and judged."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.core import outbox
from annotator.core.errors import Conflict, Invalid
from annotator.core.models import AuditEntry
from annotator.labeling.models import Task
from annotator.labeling.services import check_for_task
from annotator.modelhub.models import LiveModel, ModelVersion
from annotator.review.services import import_decision
from annotator.training import attempts, results, services, supervision
from annotator.training.models import GateSettings, TrainingRun
from annotator.training.services import Lost
from annotator.training.states import RunAction, RunState
from inference import bundles
from tests import factories
from tests.bundles import bundle
from tests.conftest import Api
from tests.factories import picture_bytes
from tests.integration.test_snapshots import bring
from tests.trainer import alive

pytestmark = pytest.mark.django_db(transaction=True)

FAKE = str(Path(__file__).parents[1] / "trainer.py")


def fake(what: str, **options: Any) -> list[str]:
    said = [w for key, value in options.items() for w in (f"--{key}", str(value))]
    return [sys.executable, FAKE, what, *said]


@pytest.fixture(autouse=True)
def _trainer(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.TRAINER = fake("train")
    settings.JUDGE = fake("judge", right=10)
    settings.TRAINING_FREE_DISK_MB = settings.TRAINING_FREE_MEMORY_MB = 1
    settings.MODEL = ""
    monkeypatch.setenv("PYTHONPATH", str(settings.BASE_DIR))
    monkeypatch.setattr(supervision, "BEAT_EVERY_S", 0.05)
    monkeypatch.setattr(supervision, "POLL_S", 0.05)
    yield
    supervision.stopping.clear()


@pytest.fixture
def project() -> Project:
    made: Project = factories.ProjectFactory()
    factories.SkuFactory(site=made.site, code="SKU-A")
    for task in bring(made, {f"{n}.jpg": picture_bytes(300 + n) for n in range(3)}):
        decide(task)
    return made


def decide(task: Task) -> None:
    fields = {**factories.GOOD_FIELDS, "sku": "SKU-A"}
    answer = check_for_task(task, fields=fields, boxes=[], attributes={})
    with transaction.atomic():
        import_decision(task=task.pk, answer=answer)


@pytest.fixture
def admin(project: Project) -> Api:
    return Api(factories.member(project.site, Role.ADMIN))


def ended(run: TrainingRun) -> TrainingRun:
    attempts.attempt(run.pk)
    run.refresh_from_db()
    return run


def until(what: Callable[[], object], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def test_a_run_goes_from_decisions_to_a_champion(project: Project, settings: Any) -> None:
    run = ended(services.start_run(project=project, arguments={"epochs": 4}))
    assert (run.state, run.error) == (RunState.PROMOTED, None)
    assert run.snapshot is not None and run.snapshot.sha256 and run.version is not None
    assert run.gate["passed"] and run.gate["reasons"][0]["code"] == "gate_better"
    assert run.gate["reasons"][0]["params"]["champion"] == 0.0  # there was none
    assert run.figures["done"] == 4 and set(run.timings_s) == {"freezing", "training", "judging"}
    live = LiveModel.objects.get(site=project.site)
    assert live.champion == run.version and run.version.parent is None
    assert run.version.snapshot_digest == run.snapshot.sha256
    asked = AuditEntry.objects.filter(object_type="trainingrun", object_id=run.pk).order_by("pk")
    assert [entry.action for entry in asked] == [
        "training.asked", "training.attempted", "training.training", "training.judging",
        "training.exported", "training.promoted",
    ]  # fmt: skip

    # The next one starts from the champion and is compared with it: 10 right, against 30.
    second = ended(services.start_run(project=project))
    assert second.state == RunState.PROMOTED and second.champion == run.version
    assert second.base == str(settings.MODELS_DIR / run.version.digest)
    assert second.version is not None and second.version.parent == run.version
    assert second.gate["reasons"][0]["params"]["champion"] == 25.0


def commands(run: TrainingRun) -> str:
    """What was started for a run."""
    log = (services.folder_of(run) / attempts.LOG).read_text("utf-8")
    return "\n".join(line for line in log.splitlines() if line.startswith("$ "))


def test_a_site_goes_on_from_the_base(
    project: Project, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = bundle(tmp_path / "shipped", "base")
    monkeypatch.setattr(bundles, "SHIPPED", base)
    first = ended(services.start_run(project=project))
    assert first.base == str(base) and f"--base {base} --joint" in commands(first)
    assert f"--model {base} " in commands(first)  # it is what the first one has to beat
    assert first.champion is None and first.version is not None and first.version.parent is None
    assert first.gate["reasons"][0]["params"]["champion"] == 25.0

    second = ended(services.start_run(project=project))
    assert second.base.endswith(first.version.digest) and "--joint" not in commands(second)
    assert second.version is not None and second.version.parent == first.version

    whole = ended(services.start_run(project=project, method="joint"))
    assert f"--base {base} --joint" in commands(whole)
    assert whole.champion == second.version and whole.version is not None
    assert whole.version.parent is None

    config = settings.MODELS_DIR / whole.version.digest / "model" / "config.json"
    config.chmod(0o644)
    config.write_text("{}")  # as versions before the first make wrote it
    after = ended(services.start_run(project=project))
    assert f"--base {base} --joint" in commands(after), "its parts are not those of today"


def test_one_that_is_not_better_is_kept(project: Project, settings: Any) -> None:
    first = ended(services.start_run(project=project))
    settings.JUDGE = fake("judge", right=30)
    run = ended(services.start_run(project=project))
    assert run.state == RunState.KEPT and run.version is not None
    assert not run.gate["passed"] and run.gate["reasons"][0]["code"] == "gate_not_better"
    assert LiveModel.objects.get(site=project.site).champion == first.version


def test_a_site_may_want_to_be_asked(project: Project) -> None:
    GateSettings.objects.create(site=project.site, auto_promote=False)
    run = ended(services.start_run(project=project))
    assert run.state == RunState.KEPT and run.gate["passed"]
    assert run.gate["reasons"][-1]["code"] == "gate_asks"
    assert not LiveModel.objects.filter(site=project.site, champion__isnull=False).exists()


def test_a_verdict_on_another_champion_promotes_nobody(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from annotator.modelhub import services as hub

    ended(services.start_run(project=project))
    former = LiveModel.objects.get(site=project.site)
    judge = attempts._Attempt.judge

    def judged(self: Any, champion: Any) -> Any:
        verdict = judge(self, champion)
        hub.rollback(project.site, by=None, reason="in between")
        return verdict

    monkeypatch.setattr(attempts._Attempt, "judge", judged)
    run = ended(services.start_run(project=project))
    assert run.state == RunState.KEPT and run.gate["passed"]
    assert run.gate["reasons"][-1]["code"] == "model_changed"
    assert LiveModel.objects.get(site=project.site).revision == former.revision + 1


def test_two_starts_at_once_are_one_run(project: Project) -> None:
    outcomes: list[str] = []
    barrier = threading.Barrier(4)

    def start() -> None:
        barrier.wait()
        try:
            services.start_run(project=project)
            outcomes.append("started")
        except Conflict as error:
            outcomes.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["started", *["training_under_way"] * 3]
    with pytest.raises(IntegrityError):
        TrainingRun.objects.create(site=project.site, project=project)


def test_a_killed_worker_s_run_is_found_and_goes_on(project: Project, settings: Any) -> None:
    """A worker of its own is killed while it trains: nothing of it writes any more, the sweep queues
    the run, and the next attempt does only the epochs that were missing."""
    settings.TRAINER = fake("train", pace=0.3)
    run = services.start_run(project=project, arguments={"epochs": 5})
    folder = services.folder_of(run)
    pid = os.fork()
    if pid == 0:  # the worker
        try:
            for connection in connections.all():
                connection.inc_thread_sharing()
                connection.connection = None
            attempts.attempt(run.pk)
        finally:
            os._exit(0)
    try:
        until(lambda: len(results.curve(folder / "model" / "progress.jsonl")) >= 2)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    trainer = int((folder / "writer").read_text())
    until(lambda: not alive(trainer))
    assert services.sweep() == 0  # a minute's silence, no less
    late = timezone.now() - services.LEASE - timedelta(seconds=1)
    TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at=late)
    assert services.sweep() == 1
    run.refresh_from_db()
    assert run.state == RunState.QUEUED
    settings.TRAINER = fake("train")
    assert ended(run).state == RunState.PROMOTED
    lines = [json.loads(line) for line in (folder / "model" / "progress.jsonl").open()]
    assert [line["done"] for line in lines] == [1, 2, 3, 4, 5]
    assert len({line["pid"] for line in lines}) == 2 and run.fence == 3
    assert not (folder / "two-writers").exists()


def test_two_workers_never_train_one_run(project: Project, settings: Any) -> None:
    settings.TRAINER = fake("train", pace=0.2)
    run = services.start_run(project=project, arguments={"epochs": 4})
    outcomes: list[Any] = []

    def work() -> None:
        try:
            outcomes.append(attempts.attempt(run.pk))
        except outbox.TryLater as later:
            outcomes.append(later)
        finally:
            connections.close_all()

    first = threading.Thread(target=work)
    first.start()
    folder = services.folder_of(run)
    until(lambda: results.curve(folder / "model" / "progress.jsonl"))
    # It waits for no worker: another one leaves it alone.
    assert services.claim(run.pk) is None
    # Its worker is thought dead, and is not: the next attempt finds the folder held.
    TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))
    assert services.sweep() in (0, 1)  # a heartbeat may have come in between
    run.refresh_from_db()
    if run.state != RunState.QUEUED:
        services.put_back(run)
    work()
    first.join()
    while (run := TrainingRun.objects.get(pk=run.pk)).state == RunState.QUEUED:
        work()
        time.sleep(0.05)
    assert run.state == RunState.PROMOTED, run.error
    assert not (folder / "two-writers").exists()


def test_a_former_attempt_can_write_nothing_more(project: Project) -> None:
    run = services.start_run(project=project)
    old = services.claim(run.pk)
    assert old is not None
    services.put_back(old)
    new = services.claim(run.pk)
    assert new is not None and new.fence == old.fence + 1
    with pytest.raises(Lost):
        services.beat(old, done=99)
    with pytest.raises(Lost):
        services.advance(old, RunAction.TRAIN)
    services.put_back(old)  # no harm
    services.beat(new, done=1)
    run.refresh_from_db()
    assert (run.state, run.done) == (RunState.FREEZING, 1)


def test_cancelling_ends_the_trainer(project: Project, settings: Any) -> None:
    settings.TRAINER = fake("train", pace=0.1)
    waiting = services.start_run(project=project)
    assert services.cancel_run(run=waiting, actor=None).state == RunState.CANCELLED
    with pytest.raises(Conflict):
        services.cancel_run(run=waiting, actor=None)
    run = services.start_run(project=project, arguments={"epochs": 200})
    folder = services.folder_of(run)

    def cancel() -> None:
        until(lambda: results.curve(folder / "model" / "progress.jsonl"))
        services.cancel_run(run=run, actor=None)
        connections.close_all()

    other = threading.Thread(target=cancel)
    other.start()
    assert ended(run).state == RunState.CANCELLED
    other.join()
    assert not alive(int((folder / "writer").read_text()))
    done = len(results.curve(folder / "model" / "progress.jsonl"))
    # Tried again, it goes on.
    settings.TRAINER = fake("train")
    TrainingRun.objects.filter(pk=run.pk).update(arguments={"epochs": done + 1})
    services.retry_run(run=run, actor=None)
    assert ended(run).state == RunState.PROMOTED
    assert len(results.curve(folder / "model" / "progress.jsonl")) == done + 1


def test_a_worker_that_is_stopped_lets_its_run_go(project: Project, settings: Any) -> None:
    settings.TRAINER = fake("train", pace=0.1)
    run = services.start_run(project=project, arguments={"epochs": 200})
    folder = services.folder_of(run)

    def stop() -> None:
        until(lambda: results.curve(folder / "model" / "progress.jsonl"))
        supervision.stopping.set()

    other = threading.Thread(target=stop)
    other.start()
    assert ended(run).state == RunState.QUEUED
    other.join()
    assert not alive(int((folder / "writer").read_text()))


def test_a_trainer_that_fails_says_why(project: Project, settings: Any, admin: Api) -> None:
    settings.TRAINER = [*fake("train"), "--fail"]
    run = ended(services.start_run(project=project))
    assert run.state == RunState.FAILED and run.error["code"] == "training_child_failed"
    assert run.error["params"]["status"] == 3
    assert "no more room on the moon" in run.error["params"]["tail"]
    seen = admin.get(f"/sites/{project.site_id}/training/runs/{run.pk}").json()
    assert "no more room on the moon" in seen["error"]["message"]
    log = admin.get(f"/sites/{project.site_id}/training/runs/{run.pk}/log").json()["tail"]
    assert "epoch 3" in log and "--epochs" not in log.splitlines()[-1]
    with pytest.raises(CommandError, match="moon"):
        call_command("retrain", "--site", project.site.slug, "--wait", "--json")


def test_what_dies_again_and_again_is_given_up(project: Project) -> None:
    run = services.start_run(project=project)
    for _ in range(services.MAX_ATTEMPTS):
        held = services.claim(run.pk)
        assert held is not None
        services.put_back(held, counts=True)
    assert services.claim(run.pk) is None
    run.refresh_from_db()
    assert run.state == RunState.FAILED and run.error["code"] == "training_died"
    services.retry_run(run=run, actor=None)
    assert services.claim(run.pk) is not None


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("TRAINING_FREE_DISK_MB", 10**9, "training_no_disk"),
        ("TRAINING_FREE_MEMORY_MB", 10**9, "training_no_memory"),
    ],
)
def test_no_room_is_told_before_the_start(
    project: Project, settings: Any, name: str, value: int, code: str
) -> None:
    setattr(settings, name, value)
    run = ended(services.start_run(project=project))
    assert (run.state, run.error["code"]) == (RunState.FAILED, code)
    assert not (services.folder_of(run) / "model").exists()


def test_without_torch_it_says_so(
    project: Project, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRAINER = [sys.executable, "-m", "inference.training"]
    monkeypatch.setattr(attempts.importlib.util, "find_spec", lambda name: None)
    run = ended(services.start_run(project=project))
    assert run.error["code"] == "training_not_installed"


def test_what_cannot_be_asked_for(project: Project) -> None:
    with pytest.raises(Invalid):
        services.start_run(project=project, arguments={"epochs": 0})
    with pytest.raises(Invalid):
        services.start_run(project=project, arguments={"out": "/etc"})
    empty = factories.ProjectFactory(site=project.site)
    with pytest.raises(Conflict):
        services.start_run(project=empty)


def test_the_outbox_carries_a_run_to_a_worker(project: Project) -> None:
    run = services.start_run(project=project)
    assert "train" in outbox.queues_with_due_work()
    outbox.drain("train")
    run.refresh_from_db()
    assert run.state == RunState.PROMOTED
    # What was learned puts the waiting tasks in another order, in a while.
    assert outbox.waiting() >= 1


def test_the_command(project: Project) -> None:
    out = io.StringIO()
    call_command(
        "retrain", "--site", project.site.slug, "--epochs", "2", "--wait", "--json", stdout=out
    )
    said = json.loads(out.getvalue())
    assert said["ok"] and said["state"] == "promoted" and said["version"] == "v1"
    assert said["passed"] and len(said["reasons"]) == 1
    queued = io.StringIO()
    call_command("retrain", "--site", project.site.slug, "--json", stdout=queued)
    assert json.loads(queued.getvalue())["state"] == "queued"
    with pytest.raises(CommandError, match=r"进行|under way"):
        call_command("retrain", "--site", project.site.slug, "--json")


def test_admins_see_and_steer_runs_of_their_site_only(project: Project, admin: Api) -> None:
    base = f"/sites/{project.site_id}/training"
    started = admin.post(f"{base}/runs", {"project": project.pk, "arguments": {"epochs": 2}})
    assert started.status_code == 202, started.content
    run = TrainingRun.objects.get()
    assert run.requested_by is not None
    again = admin.post(f"{base}/runs", {"project": project.pk})
    assert again.status_code == 409 and str(run.pk) in again.json()["detail"]
    ended(run)
    listed = admin.get(f"{base}/runs").json()["results"]
    assert [row["state"] for row in listed] == ["promoted"] and listed[0]["version"]["name"] == "v1"
    detail = admin.get(f"{base}/runs/{run.pk}").json()
    assert detail["gate"]["passed"] and "75" in detail["gate"]["reasons"][0]["message"]
    curve = admin.get(f"{base}/runs/{run.pk}/curve").json()["epochs"]
    assert [line["loss"] for line in curve] == [1.0, 0.5]
    found = admin.get(f"{base}/runs/{run.pk}/results").json()
    assert (found["photos"], found["wrong"]) == (40, 10)
    assert found["confusions"] == [{"truth": "SKU-A", "said": "SKU-B", "count": 10}]
    sure = [f["confidence"] for p in found["pictures"] for f in p["fields"] if f["field"] == "sku"]
    assert sure == sorted(sure, reverse=True)

    other = factories.SiteFactory()
    stranger = Api(factories.member(other, Role.ADMIN))
    reviewer = Api(factories.member(project.site, Role.REVIEWER))
    paths = [f"{base}/runs", f"{base}/schedule", f"{base}/gate"]
    paths += [f"{base}/runs/{run.pk}{tail}" for tail in ("", "/curve", "/log", "/results")]
    for path in paths:
        assert stranger.get(path).status_code == 404, path
        assert reviewer.get(path).status_code == 403, path
    for act in ("cancel", "retry"):
        assert stranger.post(f"{base}/runs/{run.pk}/{act}").status_code == 404
    # Nor by way of one's own site.
    mine = f"/sites/{other.pk}/training/runs"
    assert stranger.get(f"{mine}/{run.pk}").status_code == 404
    assert stranger.post(mine, {"project": project.pk}).status_code == 404


def test_the_gate_is_edited_once(project: Project, admin: Api) -> None:
    path = f"/sites/{project.site_id}/training/gate"
    first = admin.get(path)
    assert first.headers["ETag"] == '"0"' and first.json()["auto_promote"] is True
    changed = admin.put(path, {**first.json(), "margin": 0.01}, If_Match='"0"')
    assert changed.status_code == 200 and changed.json()["margin"] == 0.01
    late = admin.put(path, {**first.json(), "margin": 0.5}, If_Match='"0"')
    assert late.status_code == 412
    bad = admin.put(path, {"margin": 2}, If_Match='"1"')
    assert bad.status_code == 400 and bad.json()["errors"][0]["field"] == "margin"


def test_nothing_is_left_of_the_trainer(project: Project, settings: Any) -> None:
    """The trainer runs gently, in a group of its own, with the threads that it may have."""
    settings.TRAINER = [
        "sh",
        "-c",
        "nice; ps -o pgid= -p $$; echo threads $OMP_NUM_THREADS; exit 1",
    ]
    run = ended(services.start_run(project=project))
    said = run.error["params"]["tail"].split()
    assert int(said[0]) >= supervision.NICENESS
    assert said[-1] == str(settings.TRAINING_THREADS)
    group = subprocess.run(["ps", "-o", "pgid=", "-p", str(os.getpid())], capture_output=True)
    assert said[1] != group.stdout.decode().strip()
    assert ModelVersion.objects.count() == 0
