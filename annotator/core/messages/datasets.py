"""What :mod:`annotator.datasets` says: snapshots."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str, str]] = {
    # code: (中文, English, 日本語)
    "nothing_decided": (
        "没有符合条件的已定稿任务，无法生成快照",
        "No decided task matches; there is nothing to freeze",
        "条件に合う確定済みタスクがなく、スナップショットを作れません",
    ),
    "snapshot_not_made": (
        "快照 {id} 还没有生成好",
        "Snapshot {id} is not made yet",
        "スナップショット {id} はまだ作成されていません",
    ),
}
