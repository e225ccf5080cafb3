"""What :mod:`annotator.modelhub` says: the models of a site."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str, str]] = {
    # code: (中文, English, 日本語)
    "bad_model": (
        "这不是封好的模型：{detail}",
        "This is no sealed model: {detail}",
        "封印されたモデルではありません：{detail}",
    ),
    "no_such_model": (
        "没有模型 {name}；现有：{known}",
        "There is no model {name}; there are: {known}",
        "モデル {name} はありません。あるもの：{known}",
    ),
    "model_is_live": (
        "{name} 已经在用",
        "{name} is live already",
        "{name} は既に使用中です",
    ),
    "model_changed": (
        "别人刚换过模型（第 {revision} 次）；请刷新后再定",
        "Somebody has changed the models meanwhile (change {revision}); reload, then decide again",
        "その間にモデルが変更されました（{revision} 回目）。再読み込みして決め直してください",
    ),
    "model_is_rolling_out": (
        "正在准备另一个模型；等它换上或取消它",
        "Another model is being prepared; wait for it, or cancel its job",
        "別のモデルを準備中です。完了を待つか取り消してください",
    ),
    "model_broken": (
        "{name} 的文件已损坏，不能启用：{detail}。请重新登记",
        "The files of {name} are broken, so it cannot be used: {detail}. Register it again",
        "{name} のファイルが壊れていて使えません：{detail}。登録し直してください",
    ),
    "no_former_model": (
        "没有可以退回的模型",
        "There is no former model to roll back to",
        "戻せる以前のモデルがありません",
    ),
    "no_trial": (
        "没有进行中的试用",
        "No trial is under way",
        "試用は行われていません",
    ),
    "bad_share": (
        "份额须大于 0，不超过 1",
        "The share is above 0 and at most 1",
        "割合は 0 より大きく 1 以下です",
    ),
}
