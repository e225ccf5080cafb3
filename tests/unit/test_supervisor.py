"""The supervisor of the embedded processes, with real ones."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from annotator.pipeline import supervisor
from annotator.pipeline.supervisor import (
    CannotStart,
    Child,
    Supervisor,
    check_disk,
    check_port,
    take_lock,
)


def script(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def eventually(condition: Callable[[], bool], within_s: float = 60.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_gone(pid: int) -> bool:
    """An orphan is reaped by init, where there is one; until then it is a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_one_home_is_held_by_one_process(tmp_path: Path) -> None:
    home = tmp_path / "var"
    lock = take_lock(home)
    with pytest.raises(CannotStart, match=f"process {os.getpid()}.*WAREVISION_HOME"):
        take_lock(home)
    take_lock(tmp_path / "other").close()
    lock.close()
    take_lock(home).close()


def test_a_taken_port_is_named_with_a_way_out() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CannotStart) as error:
            check_port("127.0.0.1", port, "PORT")
        assert str(error.value) == (
            f"Port {port} is taken by another program. Choose a free one: PORT={port + 10} make run"
        )
    check_port("127.0.0.1", port, "PORT")


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_disk(tmp_path)
    usage = shutil.disk_usage(tmp_path)._replace(free=120 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(CannotStart, match="Only 120 MB are free"):
        check_disk(tmp_path)


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    log, said = tmp_path / "starts", []
    text = f"open({str(log)!r}, 'a').write('x'); print('bye'); raise SystemExit(3)"
    running = Supervisor([Child("web", script(text))], logs=tmp_path / "logs", say=said.append)
    running.start()
    try:
        assert eventually(lambda: (running._mend(), log.exists() and log.read_text() >= "xxx")[1])
    finally:
        running.stop()
    assert said[0].startswith("web ended with status 3; starting it again in 0.5 s.")
    assert said[1].startswith("web ended with status 3; starting it again in 1 s.")
    assert (tmp_path / "logs" / "web.log").read_text().count("bye") >= 2


def test_a_child_that_runs_once_is_left_ended(tmp_path: Path) -> None:
    log, said = tmp_path / "starts", []
    text = f"open({str(log)!r}, 'a').write('x')"
    child = Child("colleagues", script(text), once=True)
    running = Supervisor([child], logs=tmp_path, say=said.append)
    running.start()
    process = running._running[0].process
    assert process is not None
    process.wait(60)
    for _ in range(3):
        running._mend()
    running.stop()
    assert (log.read_text(), said) == ("x", [])


def test_stopping_ends_children_that_do_not_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "STOP_WITHIN_S", 0.3)
    ready = tmp_path / "ready"
    # The deaf child has a child of its own, in the same process group.
    deaf = (
        "import os, pathlib, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "inner = subprocess.Popen([sys.executable, '-c', 'import signal, time;"
        " signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)'],"
        " stdout=subprocess.PIPE)\n"
        "inner.stdout.readline()\n"
        f"partial = pathlib.Path({str(ready)!r} + '.partial')\n"
        "partial.write_text(f'{os.getpid()} {inner.pid}')\n"
        f"partial.rename({str(ready)!r})\n"
        "time.sleep(60)\n"
    )
    polite = "import time; time.sleep(60)"
    children = [Child("deaf", script(deaf)), Child("polite", script(polite))]
    running = Supervisor(children, logs=tmp_path / "logs", say=print)
    running.start()
    try:
        assert eventually(ready.exists)
    finally:
        started = time.monotonic()
        running.stop()
    assert 0.25 < time.monotonic() - started < 30
    codes = [r.process.returncode for r in running._running if r.process]
    assert codes == [-signal.SIGKILL, -signal.SIGTERM]
    outer, inner = map(int, ready.read_text().split())
    assert not is_alive(outer)
    assert eventually(lambda: is_gone(inner))


def test_a_signal_stops_everything(tmp_path: Path) -> None:
    child = Child("web", script("import time; time.sleep(60)"))
    running = Supervisor([child], logs=tmp_path, say=print)
    running.start()
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
    running.run()
    process = running._running[0].process
    assert process is not None and process.returncode == -signal.SIGTERM


def test_ready_means_that_every_address_answers(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = script(
        "import http.server as h\n"
        "class Ok(h.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200 if self.path == '/readyz' else 503); self.end_headers()\n"
        f"h.HTTPServer(('127.0.0.1', {port}), Ok).serve_forever()"
    )
    said: list[str] = []
    good = Child("web", serve, f"http://127.0.0.1:{port}/readyz")
    bad = Child("recognizer", script("import time; time.sleep(60)"), f"http://127.0.0.1:{port}/no")
    running = Supervisor([good], logs=tmp_path, say=said.append)
    running.start()
    try:
        assert running.wait_ready(60)
        late = Supervisor([bad], logs=tmp_path, say=said.append)
        late.start()
        try:
            assert not late.wait_ready(0.5)
        finally:
            late.stop()
    finally:
        running.stop()
    assert said == [f"Not ready after 0 s: recognizer. See {tmp_path / 'recognizer.log'}"]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_children_do_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from annotator.pipeline.supervisor import Child, Supervisor\n"
        "child = Child('sleeper', [sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"supervisor = Supervisor([child], logs=Path({str(tmp_path)!r}), say=print)\n"
        "supervisor.start()\n"
        "print(supervisor._running[0].process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    assert eventually(lambda: is_gone(child))
