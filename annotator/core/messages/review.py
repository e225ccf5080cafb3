"""What :mod:`annotator.review` says: review."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str, str]] = {
    # code: (中文, English, 日本語)
    "claimed": (
        "{who} 正在处理这一张，请先看别的",
        "{who} is working on this one; take another",
        "{who} が処理中です。別のものを選んでください",
    ),
    "nobody_to_ask": (
        "没有人标过这张，无法退回；请直接裁定或标为不可用",
        "Nobody has answered this task, so it cannot be sent back; decide it or mark it unusable",
        "回答した人がいないため差し戻せません。裁定するか使用不可にしてください",
    ),
    "spot_check_done": (
        "这条抽检已经有结论，或决定已经变了",
        "This spot check is done, or the decision has changed since",
        "この抜き取り検査は済んでいるか、決定が変わっています",
    ),
    "gold_contradicts": (
        "定稿是“{value}”，与此不同；先改正定稿",
        "What was decided differs: {value}. Mend the decision first",
        "確定は「{value}」で異なります。先に確定を訂正してください",
    ),
    "nothing_mended": (
        "改正后的内容与定稿相同，没有要改的",
        "What is given is what was decided: there is nothing to mend",
        "訂正後の内容が確定と同じです",
    ),
}
