"""The broker on disk: nobody takes half a message."""

from __future__ import annotations

from pathlib import Path
from queue import Empty

import pytest
from kombu.connection import Connection

import annotator.celery  # noqa: F401 - names the transport


def test_a_message_is_taken_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = ("data_folder_in", "data_folder_out", "control_folder")
    options = dict.fromkeys(folders, str(tmp_path))
    renamed: list[str] = []
    replace = Path.replace

    def rename(part: Path, to: Path) -> Path:
        with pytest.raises(Empty):
            channel._get("urgent")
        assert part.read_text("utf-8"), "it is written by now"
        renamed.append(to.name)
        return replace(part, to)

    with Connection("filesystem://", transport_options=options) as connection:  # type: ignore[no-untyped-call]
        channel = connection.channel()
        monkeypatch.setattr(Path, "replace", rename)
        for body in ("两箱", "three"):
            channel._put("urgent", {"body": body})
            with pytest.raises(Empty):
                channel._get("normal")
            assert channel._size("urgent") == 1
            assert channel._get("urgent") == {"body": body}
    assert len(renamed) == 2 and not list(tmp_path.glob("*.msg*"))
