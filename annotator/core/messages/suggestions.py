"""What :mod:`annotator.suggestions` says: recognition."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str, str]] = {
    # code: (中文, English, 日本語)
    "cannot_replay": (
        "无法重现：{detail}",
        "It cannot be made again: {detail}",
        "再現できません：{detail}",
    ),
    "recognizer_busy": (
        "识别服务繁忙，请稍后再试",
        "The recognizer is busy; try again shortly",
        "認識サービスが混雑しています。後で再試行してください",
    ),
    "bad_object": (
        "需要可保存的 JSON 对象：{detail}",
        "A JSON object that can be kept is expected: {detail}",
        "保存できる JSON オブジェクトが必要です：{detail}",
    ),
    "one_picture": (
        "image 只能有一张；多张请用 images",
        "There can be one image; name several images",
        "image は 1 枚だけです。複数なら images を使ってください",
    ),
    "bad_priority": (
        "优先级只能是 normal 或 urgent",
        "The priority is normal or urgent",
        "優先度は normal か urgent です",
    ),
}
